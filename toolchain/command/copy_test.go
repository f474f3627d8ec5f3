package command_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
)

const copyToRemote = "command:remote:CopyToRemote"

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// tree writes files by their path below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "source")
	for name, content := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCopyFileAndText(t *testing.T) {
	_, connection := byPassword(t, nil)
	target := filepath.Join(t.TempDir(), "made", "on", "the", "way", "file")
	source := tree(t, map[string]string{"a": "first"})
	in := inputs{"connection": connection, "remotePath": target}

	e := newEngine(t, copyToRemote)
	file := must[*asset.Asset](t)(resource.NewPathAsset(filepath.Join(source, "a")))
	e.mustUp(in.with("source", file), "create")
	wantFile(t, target, "first")
	e.mustUp(in.with("source", file), "same")
	text := must[*asset.Asset](t)(resource.NewTextAsset("second"))
	e.mustUp(in.with("source", text), "update")
	wantFile(t, target, "second")
	e.mustUp(in.with("source", text).with("triggers", []any{1}), "replace")
	if err := e.destroy(); err != nil {
		t.Fatal(err)
	}
	wantFile(t, target, "second")
}

func TestCopyFileIntoADirectory(t *testing.T) {
	_, connection := byPassword(t, nil)
	target := t.TempDir()
	file := must[*asset.Asset](t)(resource.NewPathAsset(filepath.Join(tree(t, map[string]string{"a": "text"}), "a")))
	newEngine(t, copyToRemote).mustUp(inputs{"connection": connection, "remotePath": target, "source": file}, "create")
	wantFile(t, filepath.Join(target, "a"), "text")
}

func TestCopyDirectory(t *testing.T) {
	_, connection := byPassword(t, nil)
	folder := must[*archive.Archive](t)(resource.NewPathArchive(tree(t, map[string]string{"a": "one", "b/c": "two"})))
	for name, c := range map[string]struct{ target, into string }{
		"to a new one":         {filepath.Join(t.TempDir(), "new"), ""},
		"into an existing one": {t.TempDir(), "source"},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs{"connection": connection, "remotePath": c.target, "source": folder}
			newEngine(t, copyToRemote).mustUp(in, "create")
			wantFile(t, filepath.Join(c.target, c.into, "a"), "one")
			wantFile(t, filepath.Join(c.target, c.into, "b", "c"), "two")
		})
	}
}

func TestCopyArchiveIsNotUnpacked(t *testing.T) {
	_, connection := byPassword(t, nil)
	source := filepath.Join(t.TempDir(), "packed.tgz")
	folder := must[*archive.Archive](t)(resource.NewPathArchive(tree(t, map[string]string{"a": "one"})))
	out := must[*os.File](t)(os.Create(source))
	if err := folder.Archive(archive.TarGZIPArchive, out); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "there.tgz")
	packed := must[*archive.Archive](t)(resource.NewPathArchive(source))
	newEngine(t, copyToRemote).mustUp(inputs{"connection": connection, "remotePath": target, "source": packed}, "create")
	wantFile(t, target, string(must[[]byte](t)(os.ReadFile(source))))
}

func TestCopyErrors(t *testing.T) {
	text := must[*asset.Asset](t)(resource.NewTextAsset("text"))
	_, connection := byPassword(t, nil)
	blocker := filepath.Join(tree(t, map[string]string{"file": ""}), "file")
	_, err := newEngine(t, copyToRemote).up(inputs{
		"connection": connection, "remotePath": filepath.Join(blocker, "below"), "source": text,
	})
	wantError(t, err, "127.0.0.1", blocker)

	entries := must[*archive.Archive](t)(resource.NewAssetArchive(map[string]any{"a": text}))
	_, err = newEngine(t, copyToRemote).up(inputs{"connection": connection, "remotePath": "/tmp/x", "source": entries})
	wantError(t, err, "FileArchive")

	_, connection = byPassword(t, func(s *sshd) { s.noSFTP = true })
	_, err = newEngine(t, copyToRemote).up(inputs{"connection": connection, "remotePath": "/tmp/x", "source": text})
	wantError(t, err, "127.0.0.1", "sftp subsystem")
}

func TestDeprecatedCopyFile(t *testing.T) {
	_, connection := byPassword(t, nil)
	source := tree(t, map[string]string{"a": "one", "b": "two"})
	target := filepath.Join(t.TempDir(), "file")
	e := newEngine(t, "command:remote:CopyFile")
	in := inputs{"connection": connection, "remotePath": target}
	e.mustUp(in.with("localPath", filepath.Join(source, "a")), "create")
	wantFile(t, target, "one")
	e.mustUp(in.with("localPath", filepath.Join(source, "b")), "update")
	wantFile(t, target, "two")
}
