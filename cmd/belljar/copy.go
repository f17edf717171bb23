package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/belljar-dev/belljar/vfs/archive"
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
		dir, base := filepath.Split(filepath.Clean(from))
		if info, err := tree.Stat(target); err == nil && info.IsDir() {
			target = path.Join(target, filepath.Base(filepath.Clean(from)))
		}
		if info, err := os.Lstat(from); err == nil && info.IsDir() { // one such as .. has no name in its parent
			dir, base = from, "."
		}
		root, err := openRoot(dir)
		if err != nil {
			return err
		}
		defer root.Close()
		if err := archive.Copy(ctx, archive.Into(tree), target, root.FS(), base, unlimited); err != nil {
			return fmt.Errorf("cp %s: %w", from, err)
		}
		return nil
	})
}

// unlimited leaves it to the target, a tree with its quota or a person's disk, how much can be copied.
var unlimited = archive.Config{MaxBytes: math.MaxInt64 - 1, MaxFiles: math.MaxInt}

func openRoot(dir string) (*os.Root, error) {
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cp: %w", err)
	}
	return root, nil
}

// copyOut copies to this machine, through an os.Root: nothing that a sandbox holds leads out of the target folder.
func copyOut(ctx context.Context, s *store.Store, from place, to string) error {
	return s.Use(ctx, from.box, func(sb *engine.Sandbox) error {
		if _, err := sb.Files().Lstat(from.path); err != nil {
			return fmt.Errorf("cp: %w", err)
		}
		dir, base := filepath.Split(filepath.Clean(to))
		if info, err := os.Stat(to); err == nil && info.IsDir() {
			dir, base = to, path.Base(from.path)
		}
		if base == "/" || base == "" {
			return errors.New("cp: name the target: the root folder has no name of its own")
		}
		root, err := openRoot(dir)
		if err != nil {
			return err
		}
		defer root.Close()
		name := strings.TrimPrefix(path.Join(".", from.path), "/")
		if name == "" {
			name = "."
		}
		if err := archive.Copy(ctx, archive.IntoRoot(root), base, sb.Files().FS(), name, unlimited); err != nil {
			return fmt.Errorf("cp %s:%s: %w", from.box, from.path, err)
		}
		return nil
	})
}
