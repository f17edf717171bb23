package gitops

import (
	"archive/tar"
	"context"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Archive writes the files of a revision, "" being HEAD, as a tar archive. prefix, such as "name/", goes before their
// paths; only paths, and what lies below, are taken, all if there are none. The modification times are the commit's.
// Equal revisions give the same bytes.
func (r *Repository) Archive(ctx context.Context, w io.Writer, rev, prefix string, paths ...string) (err error) {
	defer act(&err, "archive")
	r.mu.Lock()
	defer r.mu.Unlock()
	set, err := newPathset(paths)
	if err != nil {
		return err
	}
	h, err := r.resolveCommit(rev)
	if err != nil {
		return err
	}
	c, err := r.commit(h)
	if err != nil {
		return err
	}
	l, err := r.listCommit(ctx, h)
	if err != nil {
		return err
	}
	out := tar.NewWriter(w)
	for _, name := range sortedKeys(l) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e := l[name]
		if !set.has(name) || e.mode == filemode.Submodule {
			continue
		}
		b, err := r.blob(e.hash)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		head := &tar.Header{Name: prefix + name, Mode: 0o664, ModTime: c.Committer.When, Typeflag: tar.TypeReg,
			Size: int64(len(b))}
		switch e.mode {
		case filemode.Executable:
			head.Mode = 0o775
		case filemode.Symlink:
			head.Typeflag, head.Linkname, head.Size, head.Mode = tar.TypeSymlink, string(b), 0, 0o777
			b = nil
		}
		if err := out.WriteHeader(head); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
	return out.Close()
}
