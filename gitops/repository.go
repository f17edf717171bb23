package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/vfs/billyfs"
)

// Config is what a host says about repositories. The zero value is safe: it can do all but make commits.
type Config struct {
	// Name and Email are who authors and commits, where a call does not say. Nothing is taken from the repository's
	// config, which belongs to the sandbox.
	Name, Email string
	// Now is the clock of commits and tags; nil means time.Now. Its location is the time zone.
	Now func() time.Time
	// Access is how repositories elsewhere are reached: the zero value reaches none.
	Access Access
	// MaxObject limits every object that is read or made, in bytes; 0 means 64 MiB.
	MaxObject int64
}

// Repository is a repository in a tree. It must be made with Init, Open or Clone. It needs no Close.
type Repository struct {
	cfg  Config
	tree *vfs.Tree
	work *vfs.Dir // nil in a bare repository
	dir  *vfs.Dir // .git

	mu sync.Mutex // held by every call from start to end
	st *store

	grafts map[plumbing.Hash]bool // what shallow answered last; nil before that
}

// InitOptions says how Init makes a repository.
type InitOptions struct {
	Branch string // the first branch; empty means main
	Bare   bool
}

// Init makes an empty repository at name, a directory of t, which is made if it is missing. One that is there
// already is ErrExists.
func Init(t *vfs.Tree, name string, cfg Config, o InitOptions) (r *Repository, err error) {
	defer act(&err, "init")
	if o.Branch == "" {
		o.Branch = "main"
	}
	head := plumbing.NewBranchReferenceName(o.Branch)
	if err := checkRef(head); err != nil {
		return nil, err
	}
	name = inTree(name)
	if err := t.MkdirAll(name, 0o777); err != nil {
		return nil, err
	}
	git := name
	if !o.Bare {
		git = path.Join(name, ".git")
	}
	if _, err := t.Root().Stat(path.Join(git, "HEAD"), false); err == nil {
		return nil, fmt.Errorf("%q: %w", name, ErrExists)
	}
	if i, err := t.Root().Stat(git, false); err == nil && !i.IsDir() {
		return nil, fmt.Errorf("%q: %w", git, ErrExists)
	}
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := t.MkdirAll(path.Join(git, d), 0o777); err != nil {
			return nil, err
		}
	}
	text := fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = %t\n", o.Bare)
	if err := t.WriteFile(path.Join(git, "config"), []byte(text), 0o666); err != nil {
		return nil, err
	}
	if err := t.WriteFile(path.Join(git, "HEAD"), []byte("ref: "+string(head)+"\n"), 0o666); err != nil {
		return nil, err
	}
	return open(t, name, cfg)
}

// Open opens the repository at name, a directory of t with .git in it or a bare repository.
func Open(t *vfs.Tree, name string, cfg Config) (r *Repository, err error) {
	defer act(&err, "open")
	return open(t, name, cfg)
}

func open(t *vfs.Tree, name string, cfg Config) (*Repository, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxObject <= 0 {
		cfg.MaxObject = 64 << 20
	}
	name = inTree(name)
	top, err := openDir(t.Root(), name)
	if err != nil {
		return nil, err
	}
	r := &Repository{cfg: cfg, tree: t, dir: top}
	git := name
	switch i, err := top.Stat(".git", false); {
	case err == nil && !i.IsDir():
		return nil, fmt.Errorf("%q: .git is not a directory: %w", name, ErrNotRepository)
	case err == nil:
		git = path.Join(name, ".git")
		r.work = top
		if r.dir, err = openDir(top, ".git"); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, need := range []string{"HEAD", "objects", "refs"} {
		if _, err := r.dir.Stat(need, true); err != nil {
			return nil, fmt.Errorf("%q: %w: %w", name, ErrNotRepository, err)
		}
	}
	billy, err := billyfs.New(t).Chroot(git)
	if err != nil {
		return nil, err
	}
	r.st = newStore(billy.(*billyfs.FS), r.dir, cfg.MaxObject)
	return r, r.checkFormat()
}

// checkFormat refuses what go-git would read wrongly (https://git-scm.com/docs/repository-version).
func (r *Repository) checkFormat() error {
	c, err := r.config()
	if err != nil {
		return err
	}
	switch v := c.Section("core").Option("repositoryformatversion"); v {
	case "", "0", "1":
	default:
		return fmt.Errorf("version %q: %w", v, ErrFormat)
	}
	for _, o := range c.Section("extensions").Options {
		if k := strings.ToLower(o.Key); k == "objectformat" && o.Value == "sha1" || k == "noop" {
			continue
		}
		return fmt.Errorf("extension %q: %w", o.Key, ErrFormat)
	}
	return nil
}

// inTree makes a name relative to the tree's root.
func inTree(name string) string {
	return path.Clean(strings.TrimLeft(path.Clean("/"+name), "/"))
}

// openDir opens a directory that no link leads out of.
func openDir(d *vfs.Dir, name string) (*vfs.Dir, error) {
	f, err := d.OpenFile(path.Clean(name), vfs.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sub, err := f.Dir()
	if err != nil {
		return nil, err
	}
	return sub.AsRoot(), nil
}

// worktree returns the working tree, or ErrBare.
func (r *Repository) worktree() (*vfs.Dir, error) {
	if r.work == nil {
		return nil, ErrBare
	}
	return r.work, nil
}

// head returns the branch that HEAD names, empty if it is detached, and its commit, zero if there is none yet.
func (r *Repository) head() (plumbing.ReferenceName, plumbing.Hash, error) {
	ref, err := r.st.Reference(plumbing.HEAD)
	if err != nil {
		return "", plumbing.ZeroHash, fmt.Errorf("HEAD: %w", err)
	}
	if ref.Type() == plumbing.HashReference {
		return "", ref.Hash(), nil
	}
	branch := ref.Target()
	h, err := r.refHash(branch)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return branch, plumbing.ZeroHash, nil
	}
	return branch, h, err
}

// refHash follows a reference. A chain of more than five is damaged, as in git.
func (r *Repository) refHash(name plumbing.ReferenceName) (plumbing.Hash, error) {
	for range 5 {
		if err := checkRef(name); err != nil {
			return plumbing.ZeroHash, err
		}
		ref, err := r.st.Reference(name)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if ref.Type() == plumbing.HashReference {
			return ref.Hash(), nil
		}
		name = ref.Target()
	}
	return plumbing.ZeroHash, fmt.Errorf("%s: a loop of references: %w", name, ErrCorrupt)
}

// moveHead makes HEAD's branch, or HEAD itself if it is detached, point to a commit.
func (r *Repository) moveHead(h plumbing.Hash) error {
	branch, _, err := r.head()
	if err != nil {
		return err
	}
	if branch == "" {
		branch = plumbing.HEAD
	} else if err := checkRef(branch); err != nil {
		return err
	}
	return r.st.SetReference(plumbing.NewHashReference(branch, h))
}

// headTree lists what the commit of HEAD has; an unborn branch has nothing.
func (r *Repository) headTree(ctx context.Context) (listing, plumbing.Hash, error) {
	_, h, err := r.head()
	if err != nil || h.IsZero() {
		return listing{}, h, err
	}
	l, err := r.listCommit(ctx, h)
	return l, h, err
}

// readSmall reads a file of .git that has no reason to be large; a missing one is empty.
func (r *Repository) readSmall(name string) ([]byte, error) {
	b, err := readFile(r.dir, name, 8<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// replace writes a file of .git in one step, under git's lock of it.
func (r *Repository) replace(name string, write func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	lock := name + ".lock"
	if err := createFile(r.dir, lock, b.Bytes(), 0o666); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", lock, ErrLocked)
		}
		return err
	}
	if err := r.dir.Rename(lock, r.dir, name); err != nil {
		return errors.Join(err, r.dir.Unlink(lock))
	}
	return nil
}
