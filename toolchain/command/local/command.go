// Package local runs commands on the machine that runs the engine.
package local

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"

	"pulumi-postgres-ha/toolchain/command/internal/output"
)

// Command is the resource local.Command.
type Command struct{}

// CommandArgs are its inputs.
type CommandArgs struct {
	Execution
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`
}

// CommandState is what the engine keeps of it.
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
