package billyfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/test"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/client"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"gopkg.in/check.v1"

	"github.com/belljar-dev/belljar/vfs"
)

// Test runs billy's own suite, twice: on a whole tree and in a directory of one.
func Test(t *testing.T) { check.TestingT(t) }

type suite struct {
	test.FilesystemSuite
	in string
}

var (
	_ = check.Suite(&suite{in: "/"})
	_ = check.Suite(&suite{in: "/some/where"})
)

func (s *suite) SetUpTest(c *check.C) {
	sub, err := New(vfs.New(vfs.Config{})).Chroot(s.in)
	c.Assert(err, check.IsNil)
	s.FilesystemSuite = test.NewFilesystemSuite(sub)
}

func newFS(t *testing.T) (*vfs.Tree, *FS) {
	tr := vfs.New(vfs.Config{})
	t.Cleanup(func() { tr.Close() })
	return tr, New(tr)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLinksStayInside(t *testing.T) {
	tr, s := newFS(t)
	must(t, tr.WriteFile("secret", []byte("x"), 0o644))
	sub, err := s.Chroot("work")
	must(t, err)
	for link, target := range map[string]string{
		"up": "../secret", "abs": "/secret", "dir": "..", "a/b/deep": "../../../secret",
	} {
		must(t, sub.Symlink(target, link))
	}
	for _, name := range []string{"up", "abs", "dir/secret", "a/b/deep", "../secret", "a/../../secret", "/../secret"} {
		if f, err := sub.Open(name); err == nil {
			f.Close()
			t.Errorf("%q leads out", name)
		} else if name != "abs" && !errors.Is(err, billy.ErrCrossedBoundary) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := sub.Create("dir/new"); !errors.Is(err, billy.ErrCrossedBoundary) {
		t.Errorf("creating through a link that leads out: %v", err)
	}
	if target, err := sub.Readlink("up"); err != nil || target != "../secret" {
		t.Errorf("readlink: %q, %v", target, err)
	}
}

func TestChange(t *testing.T) {
	tr, s := newFS(t)
	f, err := s.Create("d/f")
	must(t, err)
	must(t, f.Lock())
	must(t, f.Unlock())
	must(t, f.Close())
	must(t, s.Symlink("f", "d/l"))
	must(t, s.Chmod("d/l", 0o600))
	must(t, s.Chown("d/l", 5, 6))
	must(t, s.Lchown("d/l", 7, 8))
	must(t, s.Chtimes("d/l", time.Unix(1, 0), time.Unix(2, 0)))
	i, err := s.Stat("d/l")
	must(t, err)
	v := i.(vfs.Info)
	if v.Mode() != 0o600 || v.UID() != 5 || v.GID() != 6 || v.Atime().Unix() != 1 || v.ModTime().Unix() != 2 {
		t.Errorf("%v %d:%d %v %v", v.Mode(), v.UID(), v.GID(), v.Atime(), v.ModTime())
	}
	i, err = s.Lstat("d/l")
	must(t, err)
	if v := i.(vfs.Info); v.UID() != 7 || v.GID() != 8 {
		t.Errorf("link: %d:%d", v.UID(), v.GID())
	}
	must(t, s.RemoveAll("d"))
	if _, err := tr.Stat("d"); !os.IsNotExist(err) {
		t.Errorf("after RemoveAll: %v", err)
	}
}

// TestOnlyWhatIsMissingIsMade keeps a failed call from leaving directories behind.
func TestOnlyWhatIsMissingIsMade(t *testing.T) {
	tr, s := newFS(t)
	if _, err := s.Open("a/b"); !os.IsNotExist(err) {
		t.Errorf("open: %v", err)
	}
	if err := s.Rename("none", "a"); !os.IsNotExist(err) {
		t.Errorf("rename: %v", err)
	}
	if list, _ := tr.ReadDir("/"); len(list) != 0 {
		t.Errorf("left behind: %v", list)
	}
}

// TestGit commits in one directory of a tree and clones into another.
func TestGit(t *testing.T) {
	_, s := newFS(t)
	storage := func(name string) (*filesystem.Storage, billy.Filesystem) {
		work, err := s.Chroot(name)
		must(t, err)
		dot, err := work.Chroot(".git")
		must(t, err)
		return filesystem.NewStorage(dot, cache.NewObjectLRUDefault()), work
	}
	from, work := storage("home/user/project")
	repo, err := git.Init(from, work)
	must(t, err)
	tree, err := repo.Worktree()
	must(t, err)
	for i := range 20 {
		f, err := work.Create(fmt.Sprintf("dir%d/file", i))
		must(t, err)
		_, err = fmt.Fprintf(f, "content %d\n", i)
		must(t, errors.Join(err, f.Close()))
	}
	must(t, work.Symlink("dir0/file", "link"))
	must(t, work.(*FS).Chmod("dir1/file", 0o755))
	must(t, tree.AddGlob("."))
	who := &object.Signature{Name: "A", Email: "a@example.com", When: time.Unix(1e9, 0)}
	hash, err := tree.Commit("first", &git.CommitOptions{Author: who})
	must(t, err)
	if st, err := tree.Status(); err != nil || !st.IsClean() {
		t.Errorf("after the commit: %v, %v", st, err)
	}

	source := "file:///project"
	client.InstallProtocol("file", server.NewClient(server.MapLoader{source: from}))
	defer client.InstallProtocol("file", nil)
	to, clone := storage("home/user/clone")
	if _, err := transport.NewEndpoint(source); err != nil {
		t.Fatal(err)
	}
	copied, err := git.Clone(to, clone, &git.CloneOptions{URL: source})
	must(t, err)
	head, err := copied.Head()
	must(t, err)
	if head.Hash() != hash {
		t.Errorf("cloned %v, want %v", head.Hash(), hash)
	}
	f, err := clone.Open("link")
	must(t, err)
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "content 0\n" {
		t.Errorf("through the cloned link: %q, %v", text, err)
	}
	if i, err := clone.Stat("dir1/file"); err != nil || i.Mode() != 0o755 {
		t.Errorf("cloned mode: %v, %v", i, err)
	}
}
