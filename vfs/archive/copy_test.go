package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

func copyTree(t *testing.T) *vfs.Tree {
	t.Helper()
	tree := vfs.New(vfs.Config{})
	t.Cleanup(func() { _ = tree.Close() })
	for _, err := range []error{
		tree.MkdirAll("/a/b", 0o755), tree.WriteFile("/a/b/f", []byte("content"), 0o640), tree.WriteFile("/a/x", []byte("#!"), 0o755),
		tree.Symlink("b/f", "/a/link"), tree.Symlink("/etc/passwd", "/a/out"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// From a tree to the host, back into a tree, and within it: the same files each time.
func TestCopyThereAndBack(t *testing.T) {
	tree := copyTree(t)
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	ctx := context.Background()
	for range 2 { // the second time over what is there
		if err := Copy(ctx, IntoRoot(root), "out", tree.FS(), "a", Config{}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := root.Stat("out/x"); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
	if err := Copy(ctx, Into(tree), "/back", root.FS(), "out", Config{}); err != nil {
		t.Fatal(err)
	}
	if err := Copy(ctx, Into(tree), "/again", tree.FS(), "back", Config{}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/back", "/again"} {
		content, err := tree.ReadFile(dir + "/link")
		if err != nil || string(content) != "content" {
			t.Errorf("%s: %q, %v", dir, content, err)
		}
		if to, err := tree.Readlink(dir + "/out"); err != nil || to != "/etc/passwd" {
			t.Errorf("%s: %q, %v", dir, to, err)
		}
		if info, err := tree.Stat(dir + "/b/f"); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
}

// A link that stands where a file is to be written is replaced: nothing is written through it.
func TestCopyWritesThroughNoLink(t *testing.T) {
	tree := copyTree(t)
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := errors.Join(os.WriteFile(victim, []byte("safe"), 0o644), os.Mkdir(filepath.Join(dir, "in"), 0o755),
		os.Symlink("../victim", filepath.Join(dir, "in", "x"))); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := Copy(context.Background(), IntoRoot(root), "x", tree.FS(), "a/x", Config{}); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(victim); err != nil || string(content) != "safe" {
		t.Errorf("%q, %v", content, err)
	}
	if content, err := root.ReadFile("x"); err != nil || string(content) != "#!" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestCopyRefusals(t *testing.T) {
	tree := copyTree(t)
	if err := errors.Join(tree.Root().Mkfifo("a/pipe", 0o644), tree.WriteFile("/sparse", nil, 0o644), tree.Truncate("/sparse", 2<<30),
		tree.MkdirAll("/dir/x", 0o755)); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for _, c := range []struct {
		name, from, to string
		ctx            context.Context
		config         Config
		want           error
	}{
		{"a FIFO", "a/pipe", "/p", context.Background(), Config{}, ErrKind},
		{"more than fits, most of it a hole", "sparse", "/s", context.Background(), Config{MaxBytes: 1 << 20}, ErrTooLarge},
		{"too many", "a/b", "/t", context.Background(), Config{MaxFiles: 1}, ErrTooMany},
		{"a file over a folder", "a/x", "/dir/x", context.Background(), Config{}, ErrInTheWay},
		{"a folder over a file", "a/b", "/a/x", context.Background(), Config{}, ErrInTheWay},
		{"what is not there", "lost", "/l", context.Background(), Config{}, fs.ErrNotExist},
		{"a caller that has gone", "a", "/g", stopped, Config{}, context.Canceled},
	} {
		err := Copy(c.ctx, Into(tree), c.to, tree.FS(), c.from, c.config)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.from) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
