package local

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"pulumi-postgres-ha/toolchain/command/internal/output"
)

// killDelay is how long a cancelled command's children may keep its output open.
const killDelay = 5 * time.Second

// Logging says which streams are shown while a command runs.
type Logging string

// Values lists them.
func (Logging) Values() []infer.EnumValue[Logging] { return output.LoggingValues[Logging]() }

// Execution is what Command and Run share.
type Execution struct {
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	AssetPaths             *[]string          `pulumi:"assetPaths,optional"`
	ArchivePaths           *[]string          `pulumi:"archivePaths,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate sets the defaults.
func (e *Execution) Annotate(a infer.Annotator) { a.SetDefault(&e.AddPreviousOutputInEnv, true) }

// Result is what a run leaves.
type Result struct {
	Stdout  string                           `pulumi:"stdout"`
	Stderr  string                           `pulumi:"stderr"`
	Assets  *map[string]types.AssetOrArchive `pulumi:"assets,optional"`
	Archive *resource.Archive                `pulumi:"archive,optional"`
}

// run executes a script; previous is the result of the run before, if there was one.
func (e *Execution) run(ctx context.Context, script string, previous *Result) (Result, error) {
	argv := []string{"/bin/sh", "-c"}
	if e.Interpreter != nil && len(*e.Interpreter) > 0 {
		argv = append([]string(nil), *e.Interpreter...)
	}
	argv = append(argv, script)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = killDelay
	dir := "."
	if e.Dir != nil {
		dir = *e.Dir
	}
	cmd.Dir = dir
	cmd.Env = os.Environ()
	if e.Environment != nil {
		for name, value := range *e.Environment {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	if previous != nil && (e.AddPreviousOutputInEnv == nil || *e.AddPreviousOutputInEnv) {
		cmd.Env = append(cmd.Env, "PULUMI_COMMAND_STDOUT="+previous.Stdout, "PULUMI_COMMAND_STDERR="+previous.Stderr)
	}
	if e.Stdin != nil {
		cmd.Stdin = strings.NewReader(*e.Stdin)
	}

	captured := output.New(ctx, e.Logging)
	cmd.Stdout, cmd.Stderr = captured.Writers()
	err := cmd.Run()
	captured.Close()
	result := Result{Stdout: captured.Stdout(), Stderr: captured.Stderr()}
	if err != nil {
		return result, output.Failure(err, script, captured)
	}
	if e.AssetPaths != nil {
		if result.Assets, err = assets(dir, *e.AssetPaths); err != nil {
			return result, err
		}
	}
	if e.ArchivePaths != nil {
		if result.Archive, err = archive(dir, *e.ArchivePaths); err != nil {
			return result, err
		}
	}
	return result, nil
}

// Run is the function local.run: a command at every execution of the program.
type Run struct{}

// RunArgs are its inputs.
type RunArgs struct {
	Execution
	Command string `pulumi:"command"`
}

// RunResult is its result.
type RunResult struct {
	RunArgs
	Result
}

// Invoke runs the command.
func (*Run) Invoke(ctx context.Context, req infer.FunctionRequest[RunArgs]) (infer.FunctionResponse[RunResult], error) {
	result, err := req.Input.run(ctx, req.Input.Command, nil)
	return infer.FunctionResponse[RunResult]{Output: RunResult{RunArgs: req.Input, Result: result}}, err
}
