package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"pulumi-postgres-ha/toolchain/command/internal/output"
)

// Logging says which streams are shown while a command runs.
type Logging string

// Values lists them.
func (Logging) Values() []infer.EnumValue[Logging] { return output.LoggingValues[Logging]() }

// Command is the resource remote.Command.
type Command struct{}

// CommandArgs are its inputs.
type CommandArgs struct {
	Connection             *Connection        `pulumi:"connection" provider:"secret"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
}

// Annotate sets the defaults.
func (c *CommandArgs) Annotate(a infer.Annotator) { a.SetDefault(&c.AddPreviousOutputInEnv, true) }

// Result is what a run leaves.
type Result struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// CommandState is what the engine keeps of a command.
type CommandState struct {
	CommandArgs
	Result
}

var (
	_ infer.CustomCreate[CommandArgs, CommandState] = (*Command)(nil)
	_ infer.CustomUpdate[CommandArgs, CommandState] = (*Command)(nil)
	_ infer.CustomDelete[CommandState]              = (*Command)(nil)
)

// Create runs the create command.
func (*Command) Create(ctx context.Context, req infer.CreateRequest[CommandArgs]) (infer.CreateResponse[CommandState], error) {
	state := CommandState{CommandArgs: req.Inputs}
	var err error
	if !req.DryRun && req.Inputs.Create != nil {
		state.Result, err = req.Inputs.run(ctx, *req.Inputs.Create, nil)
	}
	return infer.CreateResponse[CommandState]{ID: output.NewID(req.Name), Output: state}, err
}

// Update runs the update command, or create again where there is none.
func (*Command) Update(ctx context.Context, req infer.UpdateRequest[CommandArgs, CommandState]) (infer.UpdateResponse[CommandState], error) {
	state := CommandState{CommandArgs: req.Inputs, Result: req.State.Result}
	script := req.Inputs.Update
	if script == nil {
		script = req.Inputs.Create
	}
	var err error
	if !req.DryRun && script != nil {
		state.Result, err = req.Inputs.run(ctx, *script, &req.State.Result)
	}
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

// Delete runs the delete command with the inputs of the last run.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandState]) (infer.DeleteResponse, error) {
	var err error
	if script := req.State.CommandArgs.Delete; script != nil {
		_, err = req.State.run(ctx, *script, &req.State.Result)
	}
	return infer.DeleteResponse{}, err
}

// run executes a script; previous is the result of the run before, if there was one.
func (c *CommandArgs) run(ctx context.Context, script string, previous *Result) (Result, error) {
	client, err := c.Connection.dial(ctx)
	if err != nil {
		return Result{}, err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return Result{}, fmt.Errorf("ssh to %s: %w", client.host, err)
	}
	defer session.Close()

	if c.Environment != nil {
		for _, name := range slices.Sorted(maps.Keys(*c.Environment)) {
			if err := session.Setenv(name, (*c.Environment)[name]); err != nil {
				return Result{}, fmt.Errorf("%s refuses the environment variable %q: %w; "+
					"allow it in sshd's AcceptEnv, or pass the value by stdin", client.host, name, err)
			}
		}
	}
	if previous != nil && valueOr(c.AddPreviousOutputInEnv, true) {
		for name, value := range map[string]string{
			"PULUMI_COMMAND_STDOUT": previous.Stdout, "PULUMI_COMMAND_STDERR": previous.Stderr,
		} {
			if err := session.Setenv(name, value); err != nil {
				p.GetLogger(ctx).Warningf("%s does not take %s (sshd's AcceptEnv): "+
					"set addPreviousOutputInEnv to false if the command does not need it", client.host, name)
			}
		}
	}
	if c.Stdin != nil {
		session.Stdin = strings.NewReader(*c.Stdin)
	}

	captured := output.New(ctx, c.Logging)
	session.Stdout, session.Stderr = captured.Writers()
	err = session.Run(script)
	captured.Close()
	result := Result{Stdout: captured.Stdout(), Stderr: captured.Stderr()}
	if err != nil {
		return result, fmt.Errorf("%s: %w", client.host, output.Failure(errors.Join(context.Cause(ctx), err), script, captured))
	}
	return result, nil
}
