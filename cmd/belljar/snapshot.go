package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/spf13/cobra"
)

func (a *app) snapshotCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "snapshot NAME FILE",
		Short: "Write a sandbox, its files and sessions, to a file that restore reads on any machine; - is standard output",
		Example: `  belljar snapshot box box.belljar
  belljar snapshot box - | ssh elsewhere belljar restore - --name box`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, file := args[0], args[1]
			var size int64
			err := a.withStore(func(s *store.Store) error {
				return s.Use(cmd.Context(), name, func(sb *engine.Sandbox) (err error) {
					size, err = a.writeSnapshot(cmd.Context(), sb, file)
					return err
				})
			})
			if err != nil || !a.json || file == "-" {
				return err
			}
			return json.NewEncoder(a.stdout).Encode(map[string]any{"name": name, "file": file, "bytes": size})
		},
	}
}

// writeSnapshot writes a snapshot to a file, which is there whole or not at all, or to standard output. It answers its
// size.
func (a *app) writeSnapshot(ctx context.Context, sb *engine.Sandbox, file string) (int64, error) {
	snapshot, err := sb.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snapshot.Close()
	if file == "-" {
		return snapshot.WriteTo(a.stdout)
	}
	// Readable by its owner alone: memory may hold secrets.
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	size, err := snapshot.WriteTo(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(f.Name()))
	}
	return size, nil
}

func (a *app) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore FILE [--name NAME]",
		Short: "Make a sandbox of what snapshot has written, and print its name; - is standard input",
		Long: `Make a sandbox of what snapshot has written, and print its name; FILE - is standard input.
The file may come from anyone. Folders of this machine and the values of secret variables are never in it: give them
with --mount and --env.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := f.options()
			if err != nil {
				return err
			}
			in := io.NopCloser(a.stdin)
			if args[0] != "-" {
				if in, err = os.Open(args[0]); err != nil {
					return fmt.Errorf("restore: %w", err)
				}
			}
			defer in.Close()
			var snapshot *engine.Snapshot
			read := func(eng *engine.Engine) error {
				err := a.warm(cmd.Context(), eng, "python3")
				if err == nil {
					snapshot, err = eng.ReadSnapshot(cmd.Context(), in, opts)
				}
				return err
			}
			return a.withEngine(read, func(s *store.Store) error {
				defer snapshot.Close()
				if missing := snapshot.Missing(); len(missing) > 0 {
					fmt.Fprintf(a.stderr, "belljar: left empty, for want of a --mount: %s\n", strings.Join(missing, ", "))
				}
				if err := s.Restore(cmd.Context(), f.name, snapshot, store.Options{}); err != nil {
					return err
				}
				return a.say(f.name)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", newName(), "the sandbox's `name`")
	fl.Lookup("name").DefValue = "a new one"
	fl.StringVar(&f.mem, "mem", "", "memory limit (default: the snapshot's, 512MiB at most)")
	fl.StringArrayVar(&f.env, "env", nil, "`KEY=VALUE` for the programs' environment; repeatable")
	fl.StringArrayVar(&f.mounts, "mount", nil, "`HOST:GUEST[:rw]`: show a folder of this machine; repeatable")
	fl.StringArrayVar(&f.network, "allow-net", nil, "`HOST:PORT` the sandbox may reach; what it could before does not count; repeatable")
	return cmd
}

type restoreFlags struct {
	name, mem            string
	env, mounts, network []string
}

func (f *restoreFlags) options() (opts engine.ReadOptions, err error) {
	opts.Env = f.env
	opts.Network.Dial = f.network
	if err := opts.Network.Check(); err != nil {
		return opts, fmt.Errorf("--allow-net: %w", err)
	}
	if f.mem != "" {
		if opts.Limits.Memory, err = parseSize("mem", f.mem); err != nil {
			return opts, err
		}
	}
	for _, m := range f.mounts {
		mount, err := parseMount(m)
		if err != nil {
			return opts, err
		}
		opts.Mounts = append(opts.Mounts, mount)
	}
	return opts, nil
}
