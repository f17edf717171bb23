package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/belljar-dev/belljar/vfs"
)

// readFile reads a file, not through a link at its end, of at most limit bytes.
func readFile(d *vfs.Dir, name string, limit int64) ([]byte, error) {
	f, err := d.OpenFile(name, os.O_RDONLY|vfs.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%q: %w", name, ErrTooLarge)
	}
	return b.Bytes(), err
}

// createFile makes a file that was not there.
func createFile(d *vfs.Dir, name string, content []byte, perm fs.FileMode) error {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|vfs.O_NOFOLLOW, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.Unlink(name))
	}
	return nil
}

// modeOf is git's idea of what a file is; zero for what git does not keep, and directories.
func modeOf(i fs.FileInfo) filemode.FileMode {
	switch m := i.Mode(); {
	case m&fs.ModeSymlink != 0:
		return filemode.Symlink
	case m.IsRegular() && m&0o100 != 0:
		return filemode.Executable
	case m.IsRegular():
		return filemode.Regular
	}
	return filemode.Empty
}

// content reads what the working tree has at a path: the target of a link.
func (r *Repository) content(name string, mode filemode.FileMode) ([]byte, error) {
	if mode == filemode.Symlink {
		target, err := r.work.Readlink(name)
		return []byte(target), err
	}
	return readFile(r.work, name, r.cfg.MaxObject)
}

// checkout makes the working tree's file at a path that of an entry, in the place of whatever is there but a
// directory with something in it. No link on the way is followed: it is replaced.
func (r *Repository) checkout(name string, e entry) error {
	if err := checkPath(name, e.mode == filemode.Symlink); err != nil {
		return err
	}
	if err := r.clearWay(name); err != nil {
		return err
	}
	if e.mode == filemode.Submodule {
		err := r.work.Mkdir(name, 0o777)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	b, err := r.blob(e.hash)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if err := r.remove(name); err != nil {
		return err
	}
	switch e.mode {
	case filemode.Symlink:
		return r.work.Symlink(string(b), name)
	case filemode.Executable:
		return createFile(r.work, name, b, 0o777)
	}
	return createFile(r.work, name, b, 0o666)
}

// clearWay makes the directories above a path, in the place of files and links.
func (r *Repository) clearWay(name string) error {
	for i := range name {
		if name[i] != '/' {
			continue
		}
		dir := name[:i]
		info, err := r.work.Stat(dir, false)
		if err == nil && info.IsDir() {
			continue
		}
		if err == nil {
			err = r.work.Unlink(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := r.work.Mkdir(dir, 0o777); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a file, or an empty directory. What is missing is no error.
func (r *Repository) remove(name string) error {
	err := r.work.Remove(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, vfs.ErrNotDir) {
		return nil
	}
	return err
}

// prune removes a file and the directories above it that it leaves empty. What lies behind a link is not the
// repository's, and stays.
func (r *Repository) prune(name string) error {
	if through, err := r.throughLink(name); err != nil || through {
		return err
	}
	if i, err := r.work.Stat(name, false); err == nil && i.IsDir() {
		return nil
	}
	if err := r.remove(name); err != nil {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if r.work.Rmdir(dir) != nil {
			return nil
		}
	}
	return nil
}

// throughLink tells whether a directory above a path is a symbolic link, or no directory.
func (r *Repository) throughLink(name string) (bool, error) {
	for i := range name {
		if name[i] != '/' {
			continue
		}
		info, err := r.work.Stat(name[:i], false)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil || !info.IsDir() {
			return true, err
		}
	}
	return false, nil
}

// found is what a working tree has: tracked files, and what is neither tracked nor ignored. Names of directories end
// in a slash; those that hold nothing tracked are not looked into unless all is asked for.
type found struct {
	files     map[string]vfs.Info
	untracked []string
	ignored   []string
}

// scanner walks a working tree.
type scanner struct {
	r     *Repository
	all   bool // look into untracked directories
	index *index
	dirs  map[string]bool // that have something tracked
	out   found
	count int
}

// scan walks the working tree. Links are not followed, and other repositories in it not entered.
func (r *Repository) scan(ctx context.Context, idx *index, all bool) (found, error) {
	s := scanner{r: r, all: all, index: idx, dirs: map[string]bool{}}
	s.out.files = make(map[string]vfs.Info, len(idx.paths))
	track := func(name string) {
		for i := strings.LastIndexByte(name, '/'); i > 0 && !s.dirs[name[:i]]; i = strings.LastIndexByte(name[:i], '/') {
			s.dirs[name[:i]] = true
		}
	}
	for name := range idx.paths {
		track(name)
	}
	for name := range idx.unmerged {
		track(name)
	}
	exclude, err := r.readSmall("info/exclude")
	if err != nil {
		return found{}, err
	}
	err = s.dir(ctx, "", patterns(exclude, ""))
	slices.Sort(s.out.untracked)
	slices.Sort(s.out.ignored)
	return s.out, err
}

// patterns reads what a .gitignore file says (https://git-scm.com/docs/gitignore).
func patterns(text []byte, dir string) []gitignore.Pattern {
	var domain []string
	if dir != "" {
		domain = strings.Split(dir, "/")
	}
	var ps []gitignore.Pattern
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" && line[0] != '#' {
			ps = append(ps, gitignore.ParsePattern(line, domain))
		}
	}
	return ps
}

func (s *scanner) tracked(name string) bool {
	if s.index.paths[name] != nil {
		return true
	}
	_, conflict := s.index.unmerged[name]
	return conflict
}

// submodule tells whether a path is another repository's, as the index has it.
func (s *scanner) submodule(name string) bool {
	e := s.index.paths[name]
	return e != nil && e.Mode == filemode.Submodule
}

func (s *scanner) dir(ctx context.Context, dir string, ps []gitignore.Pattern) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	infos, err := s.r.readDir(dir)
	if err != nil {
		return err
	}
	if s.count += len(infos); s.count > maxPaths {
		return ErrTooMany
	}
	for _, i := range infos {
		if i.Name() == ".gitignore" && i.Mode().IsRegular() {
			b, err := readFile(s.r.work, path.Join(dir, ".gitignore"), 1<<20)
			if err != nil {
				return err
			}
			ps = append(ps[:len(ps):len(ps)], patterns(b, dir)...)
		}
	}
	m := gitignore.NewMatcher(ps)
	for _, i := range infos {
		if i.Name() == ".git" {
			continue
		}
		if err := s.node(ctx, path.Join(dir, i.Name()), i.(vfs.Info), m, ps); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) node(ctx context.Context, name string, i vfs.Info, m gitignore.Matcher, ps []gitignore.Pattern) error {
	tracked := s.tracked(name)
	switch {
	case tracked && !i.IsDir():
		s.out.files[name] = i
		return nil
	case i.IsDir() && s.submodule(name):
		return nil
	case i.IsDir() && (tracked || s.dirs[name]):
		return s.dir(ctx, name, ps)
	}
	if !i.IsDir() && modeOf(i) == filemode.Empty {
		return nil // FIFOs, sockets and devices are nothing to git
	}
	if m.Match(strings.Split(name, "/"), i.IsDir()) {
		if i.IsDir() {
			name += "/"
		}
		s.out.ignored = append(s.out.ignored, name)
		return nil
	}
	if !i.IsDir() {
		s.out.files[name] = i
		s.out.untracked = append(s.out.untracked, name)
		return nil
	}
	if _, err := s.r.work.Stat(name+"/.git", false); err == nil {
		s.out.untracked = append(s.out.untracked, name+"/")
		return nil
	}
	before := len(s.out.untracked)
	if err := s.dir(ctx, name, ps); err != nil {
		return err
	}
	if !s.all && len(s.out.untracked) > before {
		s.out.untracked = append(s.out.untracked[:before], name+"/")
	}
	return nil
}

func (r *Repository) readDir(dir string) ([]fs.FileInfo, error) {
	if dir == "" {
		dir = "."
	}
	f, err := r.work.OpenFile(dir, vfs.O_DIRECTORY|vfs.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdir(-1)
}

// hashOf returns the name that the content of a file would have as a blob.
func (r *Repository) hashOf(name string, mode filemode.FileMode) (plumbing.Hash, error) {
	b, err := r.content(name, mode)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return plumbing.ComputeHash(plumbing.BlobObject, b), nil
}
