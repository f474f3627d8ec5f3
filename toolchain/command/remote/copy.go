package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/pkg/sftp"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"

	"pulumi-postgres-ha/toolchain/command/internal/output"
)

// CopyToRemote is the resource remote.CopyToRemote.
type CopyToRemote struct{}

// CopyToRemoteArgs are its inputs.
type CopyToRemoteArgs struct {
	Connection *Connection          `pulumi:"connection" provider:"secret"`
	Triggers   *[]any               `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Source     types.AssetOrArchive `pulumi:"source"`
	RemotePath string               `pulumi:"remotePath"`
}

// CopyToRemoteState is what the engine keeps of it. There is nothing to do on deletion.
type CopyToRemoteState struct{ CopyToRemoteArgs }

// Create copies.
func (*CopyToRemote) Create(ctx context.Context, req infer.CreateRequest[CopyToRemoteArgs]) (infer.CreateResponse[CopyToRemoteState], error) {
	var err error
	if !req.DryRun {
		err = req.Inputs.copy(ctx)
	}
	return infer.CreateResponse[CopyToRemoteState]{ID: output.NewID(req.Name), Output: CopyToRemoteState{req.Inputs}}, err
}

// Update copies again.
func (*CopyToRemote) Update(ctx context.Context, req infer.UpdateRequest[CopyToRemoteArgs, CopyToRemoteState]) (infer.UpdateResponse[CopyToRemoteState], error) {
	var err error
	if !req.DryRun {
		err = req.Inputs.copy(ctx)
	}
	return infer.UpdateResponse[CopyToRemoteState]{Output: CopyToRemoteState{req.Inputs}}, err
}

func (c *CopyToRemoteArgs) copy(ctx context.Context) error {
	if a := c.Source.Asset; a != nil && !a.IsPath() {
		content, err := a.Read()
		if err != nil {
			return fmt.Errorf("reading the source: %w", err)
		}
		defer content.Close()
		return upload(ctx, c.Connection, func(u *uploader) error { return u.file(c.RemotePath, content) })
	}
	var source string
	switch a, b := c.Source.Asset, c.Source.Archive; {
	case a != nil:
		source = a.Path
	case b != nil && b.IsPath():
		source = b.Path
	default:
		return errors.New("source must be a FileAsset, a StringAsset or a FileArchive")
	}
	return upload(ctx, c.Connection, func(u *uploader) error { return u.path(c.RemotePath, source) })
}

// CopyFile is the resource remote.CopyFile, which the npm SDK calls deprecated.
type CopyFile struct{}

// CopyFileArgs are its inputs.
type CopyFileArgs struct {
	Connection *Connection `pulumi:"connection" provider:"secret"`
	Triggers   *[]any      `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	LocalPath  string      `pulumi:"localPath"`
	RemotePath string      `pulumi:"remotePath"`
}

// CopyFileState is what the engine keeps of it.
type CopyFileState struct{ CopyFileArgs }

// Create copies.
func (*CopyFile) Create(ctx context.Context, req infer.CreateRequest[CopyFileArgs]) (infer.CreateResponse[CopyFileState], error) {
	var err error
	if !req.DryRun {
		err = req.Inputs.copy(ctx)
	}
	return infer.CreateResponse[CopyFileState]{ID: output.NewID(req.Name), Output: CopyFileState{req.Inputs}}, err
}

// Update copies again.
func (*CopyFile) Update(ctx context.Context, req infer.UpdateRequest[CopyFileArgs, CopyFileState]) (infer.UpdateResponse[CopyFileState], error) {
	var err error
	if !req.DryRun {
		err = req.Inputs.copy(ctx)
	}
	return infer.UpdateResponse[CopyFileState]{Output: CopyFileState{req.Inputs}}, err
}

func (c *CopyFileArgs) copy(ctx context.Context) error {
	return upload(ctx, c.Connection, func(u *uploader) error { return u.path(c.RemotePath, c.LocalPath) })
}

// uploader writes to one host.
type uploader struct {
	*sftp.Client
	host string
}

func upload(ctx context.Context, connection *Connection, do func(*uploader) error) error {
	client, err := connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	files, err := sftp.NewClient(client.Client)
	if err != nil {
		return fmt.Errorf("%s: %w: is sshd's sftp subsystem enabled?", client.host, err)
	}
	defer files.Close()
	return do(&uploader{Client: files, host: client.host})
}

// file writes one file with the directories above it.
func (u *uploader) file(target string, content io.Reader) error {
	if err := u.MkdirAll(path.Dir(target)); err != nil {
		return fmt.Errorf("%s: making %s: %w", u.host, path.Dir(target), err)
	}
	out, err := u.Create(target)
	if err != nil {
		return fmt.Errorf("%s: creating %s: %w", u.host, target, err)
	}
	_, err = io.Copy(out, content)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%s: writing %s: %w", u.host, target, err)
	}
	return nil
}

// path copies a file or a directory; into target if that is a directory.
func (u *uploader) path(target, source string) error {
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	if info, err := u.Stat(target); err == nil && info.IsDir() {
		target = path.Join(target, filepath.Base(source))
	}
	return filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		to := path.Join(target, filepath.ToSlash(relative))
		if entry.IsDir() {
			if err := u.MkdirAll(to); err != nil {
				return fmt.Errorf("%s: making %s: %w", u.host, to, err)
			}
			return nil
		}
		content, err := os.Open(name)
		if err != nil {
			return err
		}
		defer content.Close()
		return u.file(to, content)
	})
}
