package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

// storeDir is where sandboxes are kept: below --state, or where the system has what programs keep for their user. That is
// not the cache folder, which anybody may empty.
func (a *app) storeDir() (string, error) {
	if a.state != "" {
		return filepath.Join(a.state, "sandboxes"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the folder of sandboxes: %w; name one with --state", err)
	}
	switch runtime.GOOS {
	case "darwin":
		home = filepath.Join(home, "Library", "Application Support")
	case "windows":
		home = filepath.Join(home, "AppData", "Local")
	default:
		if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
			home = state
		} else {
			home = filepath.Join(home, ".local", "state")
		}
	}
	return filepath.Join(home, "belljar", "sandboxes"), nil
}

// withStore opens the sandboxes of this machine's user for f, and closes them.
func (a *app) withStore(f func(*store.Store) error) error {
	return a.withEngine(func(*engine.Engine) error { return nil }, f)
}

// withWarmStore is withStore for what runs a program: it doesn't wait without a word for the first compilation. Programs
// that are not the image's are let pass.
func (a *app) withWarmStore(ctx context.Context, program string, f func(*store.Store) error) error {
	return a.withEngine(func(eng *engine.Engine) error {
		if err := a.warm(ctx, eng, program); !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		return nil
	}, f)
}

func (a *app) withEngine(prepare func(*engine.Engine) error, f func(*store.Store) error) error {
	dir, err := a.storeDir()
	if err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	defer eng.Close()
	if err := prepare(eng); err != nil {
		return err
	}
	s, err := store.Open(store.Config{Dir: dir, Engine: eng, IdleStop: -1})
	if err != nil {
		return err
	}
	err = f(s)
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	return err
}

// newName is a name nobody has chosen.
func newName() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return "sandbox-" + hex.EncodeToString(b[:])
}

// say prints a sandbox's name, which is all that the commands that make one have to say.
func (a *app) say(name string) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]string{"name": name})
	}
	_, err := fmt.Fprintln(a.stdout, name)
	return err
}

func (a *app) createCommand() *cobra.Command {
	var f specFlags
	var name string
	var labels []string
	var deleteAfter time.Duration
	cmd := &cobra.Command{
		Use:   "create [NAME]",
		Short: "Make a sandbox that stays, and print its name",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if cmd.Flags().Changed("name") {
					return errors.New("create: the name is given twice")
				}
				name = args[0]
			}
			spec, err := f.spec(cmd)
			if err != nil {
				return err
			}
			if spec.Labels, err = parseLabels(labels); err != nil {
				return err
			}
			if deleteAfter < 0 {
				return fmt.Errorf("--delete-after %s: use a positive time such as 24h", deleteAfter)
			}
			return a.withStore(func(s *store.Store) error {
				if err := s.Create(cmd.Context(), name, spec, store.Options{DeleteAfter: deleteAfter}); err != nil {
					return err
				}
				return a.say(name)
			})
		},
	}
	fl := cmd.Flags()
	f.bind(fl)
	fl.StringVar(&name, "name", newName(), "the sandbox's `name`")
	fl.Lookup("name").DefValue = "a new one"
	fl.StringArrayVar(&f.secrets, "secret", nil, "`KEY` of an --env whose value is not for snapshots; repeatable")
	fl.StringArrayVar(&labels, "label", nil, "`KEY=VALUE` to find it by; repeatable")
	fl.DurationVar(&deleteAfter, "delete-after", 0, "delete it when it was not used for so long; 0 is never")
	return cmd
}

func parseLabels(list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	labels := map[string]string{}
	for _, l := range list {
		k, v, ok := strings.Cut(l, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("--label %q: use KEY=VALUE", l)
		}
		labels[k] = v
	}
	return labels, nil
}

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the sandboxes that are kept",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.withStore(func(s *store.Store) error {
				list, err := s.List()
				if err != nil {
					return err
				}
				return a.printList(list)
			})
		},
	}
}

func (a *app) printList(list []store.Info) error {
	if a.json {
		if list == nil {
			list = []store.Info{}
		}
		return json.NewEncoder(a.stdout).Encode(list)
	}
	if len(list) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCREATED\tUSED\tSIZE\tFILES")
	for _, in := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", in.Name, humanize.Time(in.Created), humanize.Time(in.Used),
			humanize.IBytes(uint64(max(in.Bytes, 0))), in.Files)
	}
	return w.Flush()
}

func (a *app) removeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME…",
		Short: "Delete sandboxes with everything in them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, names []string) error {
			return a.withStore(func(s *store.Store) error {
				var errs []error
				for _, name := range names {
					errs = append(errs, s.Remove(name))
				}
				return errors.Join(errs...)
			})
		},
	}
}

func (a *app) forkCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "fork NAME [--name FORK]",
		Short: "Make a sandbox equal to another, sessions included, and print its name",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(func(s *store.Store) error {
				if err := s.Fork(cmd.Context(), args[0], name, store.Options{}); err != nil {
					return err
				}
				return a.say(name)
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", newName(), "the fork's `name`")
	cmd.Flags().Lookup("name").DefValue = "a new one"
	return cmd
}

func (a *app) execCommand() *cobra.Command {
	var dir string
	var env []string
	cmd := &cobra.Command{
		Use:     "exec NAME -- COMMAND [ARG…]",
		Short:   "Run a command in a sandbox that is kept",
		Example: `  belljar exec box -- python3 script.py`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			command := args[1:]
			if command[0] == "--" {
				command = command[1:]
			}
			return a.withWarmStore(cmd.Context(), command[0], func(s *store.Store) error {
				return s.Use(cmd.Context(), args[0], func(sb *engine.Sandbox) error {
					return a.runIn(cmd.Context(), sb, engine.Command{Args: command, Dir: dir, Env: env})
				})
			})
		},
	}
	fl := cmd.Flags()
	fl.SetInterspersed(false) // what follows the name is the command's
	fl.StringVar(&dir, "dir", "", "working `folder` in the sandbox (default: the user's home)")
	fl.StringArrayVar(&env, "env", nil, "`KEY=VALUE` for the command's environment; repeatable")
	a.ssh.bind(fl)
	return cmd
}

// runIn runs a command with this process's standard streams, and answers its status as an error.
func (a *app) runIn(ctx context.Context, sb *engine.Sandbox, command engine.Command) error {
	command.Stdin = a.stdin
	if a.json {
		res, err := sb.Run(ctx, command)
		return a.printResult(res, err)
	}
	command.Stdout, command.Stderr = a.stdout, a.stderr
	res, err := sb.Run(ctx, command)
	if err == nil && res.ExitCode != 0 {
		err = statusError(res.ExitCode)
	}
	return err
}
