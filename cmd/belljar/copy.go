package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/spf13/cobra"
)

func (a *app) copyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cp SRC DST",
		Short: "Copy files and folders into a sandbox or out of it: NAME:PATH is a sandbox's",
		Example: `  belljar cp data.csv box:
  belljar cp box:/home/user/report .`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to := parsePlace(args[0]), parsePlace(args[1])
			if (from.box == "") == (to.box == "") {
				return errors.New("cp: one of SRC and DST has to be NAME:PATH, the other a path of this machine")
			}
			return a.withStore(func(s *store.Store) error {
				if from.box != "" {
					return copyOut(cmd.Context(), s, from, to.path)
				}
				return copyIn(cmd.Context(), s, from.path, to)
			})
		},
	}
}

// place is a path here, or in a sandbox.
type place struct{ box, path string }

// parsePlace reads NAME:PATH, relative to the user's home folder, or a path. A Windows drive is no name: names have two
// letters at least, or are told apart by a leading ./ of the path.
func parsePlace(s string) place {
	name, rest, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(name, `/\`) || len(name) < 2 {
		return place{path: s}
	}
	if !path.IsAbs(rest) {
		rest = path.Join(guestHome, rest)
	}
	return place{name, rest}
}

const guestHome = "/home/user"

// copyIn copies from this machine. What lies outside of a folder that is copied is not followed: links are copied as
// links.
func copyIn(ctx context.Context, s *store.Store, from string, to place) error {
	return s.Use(ctx, to.box, func(sb *engine.Sandbox) error {
		tree, target := sb.Files(), to.path
		if info, err := tree.Stat(target); err == nil && info.IsDir() {
			target = path.Join(target, filepath.Base(filepath.Clean(from)))
		}
		return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("cp: %w", err)
			}
			rel, err := filepath.Rel(from, name)
			if err == nil {
				err = putNode(tree, path.Join(target, filepath.ToSlash(rel)), name, d)
			}
			if err != nil {
				return fmt.Errorf("cp %s: %w", name, err)
			}
			return context.Cause(ctx)
		})
	})
}

func putNode(tree *vfs.Tree, target, name string, d fs.DirEntry) error {
	switch {
	case d.IsDir():
		return tree.MkdirAll(target, 0o755)
	case d.Type() == fs.ModeSymlink:
		link, err := os.Readlink(name)
		if err != nil {
			return err
		}
		_ = tree.Remove(target)
		return tree.Symlink(filepath.ToSlash(link), target)
	case !d.Type().IsRegular():
		return errors.New("not a file, folder or link")
	}
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := tree.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// copyOut copies to this machine, through an os.Root: nothing that a sandbox holds leads out of the target folder.
func copyOut(ctx context.Context, s *store.Store, from place, to string) error {
	return s.Use(ctx, from.box, func(sb *engine.Sandbox) error {
		tree := sb.Files()
		if _, err := tree.Lstat(from.path); err != nil {
			return fmt.Errorf("cp: %w", err)
		}
		dir, base := filepath.Split(filepath.Clean(to))
		if info, err := os.Stat(to); err == nil && info.IsDir() {
			dir, base = to, path.Base(from.path)
		}
		if dir == "" {
			dir = "."
		}
		if base == "/" || base == "" {
			return errors.New("cp: name the target: the root folder has no name of its own")
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return fmt.Errorf("cp: %w", err)
		}
		defer root.Close()
		return fs.WalkDir(tree.FS(), strings.TrimPrefix(path.Join(".", from.path), "/"), func(name string, d fs.DirEntry, err error) error {
			if err == nil {
				rel := strings.TrimPrefix("/"+name, strings.TrimSuffix(from.path, "/"))
				err = getNode(root, filepath.FromSlash(path.Join(base, rel)), tree, "/"+name, d)
			}
			if err != nil {
				return fmt.Errorf("cp %s:/%s: %w", from.box, name, err)
			}
			return context.Cause(ctx)
		})
	})
}

func getNode(root *os.Root, target string, tree *vfs.Tree, name string, d fs.DirEntry) error {
	switch {
	case d.IsDir():
		err := root.Mkdir(target, 0o755)
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		return err
	case d.Type() == fs.ModeSymlink:
		link, err := tree.Readlink(name)
		if err != nil {
			return err
		}
		_ = root.Remove(target)
		return root.Symlink(link, target)
	case !d.Type().IsRegular():
		return errors.New("not a file, folder or link")
	}
	in, err := tree.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := root.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
