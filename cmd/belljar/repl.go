package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/spf13/cobra"
)

// dialect is how a repl speaks a language.
type dialect struct {
	lang    string
	session string // that every repl of a sandbox continues
	history string // the file that lines are kept in
	prompt  string
	more    string         // the prompt of a cell's further lines
	leave   *regexp.Regexp // cells that end the repl, where nothing else tells so
}

var dialects = map[string]dialect{
	"python": {"python", "repl", "repl_history", ">>> ", "... ", nil},
	"js":     {"js", "repl-js", "repl_history_js", "> ", "... ", regexp.MustCompile(`^\s*(\.exit|process\.exit\([^()]*\)\s*;?)\s*$`)},
	"sh":     {"sh", "repl-sh", "repl_history_sh", "$ ", "> ", regexp.MustCompile(`^\s*(exit|logout)(\s+\d+)?\s*;?\s*$`)},
}

func (a *app) replCommand() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "repl [--lang python|js|sh] [NAME]",
		Short: "An interactive Python, JavaScript or shell in a sandbox that is kept; what you defined is there when you come back",
		Long: `An interactive Python in the sandbox NAME, which is made if there is none; with --lang js, JavaScript and TypeScript as
at Node's prompt; with --lang sh, bash.
Variables, functions, imports and files are there when you come back, in this process or another. End it with Ctrl-D or
exit() (.exit, exit); Ctrl-C interrupts what runs. Without NAME the sandbox is "repl".`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "repl"
			which, err := language(lang, "")
			if err != nil {
				return err
			}
			if len(args) == 1 {
				name = args[0]
			}
			dir, err := a.storeDir()
			if err != nil {
				return err
			}
			return a.withWarmStore(cmd.Context(), interpreters[which], func(s *store.Store) error {
				err := s.Create(cmd.Context(), name, engine.Spec{}, store.Options{})
				if err != nil && !errors.Is(err, store.ErrExists) {
					return err
				}
				r := &repl{app: a, store: s, sandbox: name, dir: dir, dialect: dialects[which]}
				return r.run(cmd.Context())
			})
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", "`language`: python, js or sh (default python)")
	a.ssh.bind(cmd.Flags())
	return cmd
}

// repl reads cells and runs them, each saved before the next is asked for.
type repl struct {
	app     *app
	store   *store.Store
	sandbox string
	dir     string // where the history is kept
	dialect dialect
	lines   lineReader
}

// lineReader asks for lines. Its calls come one at a time.
type lineReader interface {
	// line answers a line without its end. io.EOF ends everything, errInterrupted what was typed so far.
	line(prompt string) (string, error)
	// run runs f while the terminal is as programs expect it.
	run(f func())
	remember(cell string)
	input() io.Reader // for the programs that run
	close() error
}

var errInterrupted = errors.New("interrupted")

// run ends with exit(), the end of the input, or ctx. Ctrl-C, which ends ctx too, is a cell's to be interrupted by.
func (r *repl) run(ctx context.Context) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	ctx = context.WithoutCancel(ctx)
	var err error
	if r.lines, err = newLineReader(r.app.stdin, r.app.stdout, filepath.Join(r.dir, r.dialect.history), r.completer(ctx)); err != nil {
		return err
	}
	defer r.lines.close()
	for {
		cell, err := r.read(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errInterrupted):
			fmt.Fprintln(r.app.stderr, "KeyboardInterrupt")
			continue
		case err != nil:
			return err
		case strings.TrimSpace(cell) == "":
			continue
		}
		r.lines.remember(cell)
		if strings.TrimSpace(cell) == ".exit" && r.dialect.lang == "js" {
			return nil
		}
		var status int
		var leave bool
		r.lines.run(func() { status, leave, err = r.eval(ctx, cell, interrupts) })
		if err != nil {
			fmt.Fprintf(r.app.stderr, "belljar: %v\n", err)
		}
		if leave {
			if status != 0 {
				return statusError(status)
			}
			return nil
		}
	}
}

// session lends the sandbox's session to f.
func (r *repl) session(ctx context.Context, f func(*engine.Session) error) error {
	return r.store.Use(ctx, r.sandbox, func(sb *engine.Sandbox) error {
		session, err := sb.Session(ctx, r.dialect.session, r.dialect.lang)
		if err != nil {
			return err
		}
		return f(session)
	})
}

// read reads lines until they are a whole cell.
func (r *repl) read(ctx context.Context) (string, error) {
	var cell strings.Builder
	for prompt := r.dialect.prompt; ; prompt = r.dialect.more {
		line, err := r.lines.line(prompt)
		if errors.Is(err, io.EOF) && cell.Len() > 0 {
			return cell.String(), nil // what was typed is run, and the next read ends
		}
		if err != nil {
			return "", err
		}
		if cell.Len() > 0 {
			cell.WriteByte('\n')
		}
		cell.WriteString(line)
		whole := true
		err = r.session(ctx, func(s *engine.Session) error {
			text := cell.String()
			if line == "" {
				text += "\n" // an empty line ends a block
			}
			state, err := s.Check(ctx, text)
			whole = state.Status != "incomplete" || err != nil
			return err
		})
		if err != nil {
			return "", err
		}
		if whole {
			return cell.String(), nil
		}
	}
}

// eval runs a cell and shows what it shows. leave says that the cell asked to end.
func (r *repl) eval(ctx context.Context, cell string, interrupts <-chan os.Signal) (status int, leave bool, err error) {
	err = r.session(ctx, func(s *engine.Session) error {
		done := make(chan struct{})
		defer close(done)
		go func() { // ends with the cell
			for {
				select {
				case <-interrupts:
					s.Interrupt()
				case <-done:
					return
				}
			}
		}()
		res, err := s.Eval(ctx, engine.Cell{Code: cell, Stdin: r.lines.input(), Stdout: r.app.stdout, Stderr: r.app.stderr})
		if res.Exception != nil && res.Exception.Name == "SystemExit" {
			status, leave = res.ExitCode, true
			return err
		}
		r.show(res)
		if r.dialect.leave != nil && err == nil && r.dialect.leave.MatchString(cell) {
			status, leave = res.ExitCode, true
		}
		return err
	})
	return status, leave, err
}

func (r *repl) show(res engine.Result) {
	if e := res.Exception; e != nil {
		for _, line := range e.Traceback {
			fmt.Fprintln(r.app.stderr, line)
		}
	}
	for _, p := range res.Parts {
		if text, ok := p.Data["text/plain"]; ok {
			fmt.Fprintf(r.app.stdout, "%s\n", text)
		}
	}
}

// completer answers what the text left of the cursor could be completed to.
func (r *repl) completer(ctx context.Context) func(line string) []string {
	return func(line string) []string {
		var out []string
		_ = r.session(ctx, func(s *engine.Session) error {
			c, err := s.Complete(ctx, line, len(line))
			for _, m := range c.Matches {
				out = append(out, line[:c.Start]+m)
			}
			return err
		})
		return out
	}
}
