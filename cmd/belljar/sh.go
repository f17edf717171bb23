package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// shellWall bounds how long an interactive shell may be open.
const shellWall = 24 * time.Hour

func (a *app) shellCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sh NAME",
		Short: "An interactive bash in a sandbox that is kept, which is made if there is none",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withWarmStore(cmd.Context(), "bash", func(s *store.Store) error {
				spec := engine.Spec{Limits: engine.Limits{Wall: shellWall}}
				err := s.Create(cmd.Context(), args[0], spec, store.Options{})
				if err != nil && !errors.Is(err, store.ErrExists) {
					return err
				}
				return s.Use(cmd.Context(), args[0], func(sb *engine.Sandbox) error { return a.interactive(cmd.Context(), sb) })
			})
		},
	}
	a.ssh.bind(cmd.Flags())
	return cmd
}

// interactive runs bash on this process's terminal, or, where there is none, on its streams.
func (a *app) interactive(ctx context.Context, sb *engine.Sandbox) error {
	in, ok1 := a.stdin.(*os.File)
	out, ok2 := a.stdout.(*os.File)
	if !ok1 || !ok2 || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return a.runIn(ctx, sb, engine.Command{Args: []string{"bash"}})
	}
	cols, rows, err := term.GetSize(int(out.Fd()))
	if err != nil {
		return err
	}
	raw, err := term.MakeRaw(int(in.Fd())) // the sandbox's own terminal echoes, edits and interrupts
	if err != nil {
		return err
	}
	defer func() { _ = term.Restore(int(in.Fd()), raw) }()
	name := os.Getenv("TERM")
	if name == "" {
		name = "dumb"
	}
	p, err := sb.Start(ctx, engine.Command{
		Args: []string{"bash", "-i"}, Env: []string{"TERM=" + name}, Stdin: in, Stdout: out,
		TTY: &engine.TTY{Rows: uint16(rows), Cols: uint16(cols)},
	})
	if err != nil {
		return err
	}
	stop := onResize(func() {
		if cols, rows, err := term.GetSize(int(out.Fd())); err == nil {
			p.Resize(uint16(rows), uint16(cols))
		}
	})
	defer stop()
	res, err := p.Wait()
	if err == nil && res.ExitCode != 0 {
		err = statusError(res.ExitCode)
	}
	return err
}
