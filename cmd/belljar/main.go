// Command belljar runs programs in sandboxes. See belljar --help.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/git"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/runtimes/shell"
	"github.com/belljar-dev/belljar/runtimes/web"
	"github.com/spf13/cobra"
)

// Exit statuses of our own, as timeout(1), env(1) and shells have them.
const (
	statusWallLimit     = 124
	statusOurError      = 125
	statusNotExecutable = 126
	statusNotFound      = 127
	statusInterrupted   = 130
)

func main() { os.Exit(runProcess()) }

// runProcess runs this process's command line, and answers its status.
func runProcess() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	app := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	defer stop()
	return app.run(ctx, os.Args[1:])
}

// app is one invocation.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	json           bool
	state          string // --state
	ssh            sshFlags
}

// statusError carries an exit status that needs no words: the guest's own.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	var status statusError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	code := errorStatus(err)
	if a.json {
		_ = json.NewEncoder(a.stdout).Encode(map[string]any{"exit_code": code, "error": err.Error()})
	}
	fmt.Fprintf(a.stderr, "belljar: %v\n", err)
	return code
}

func errorStatus(err error) int {
	var limit *engine.LimitError
	switch {
	case errors.As(err, &limit) && limit.Limit == engine.LimitWall:
		return statusWallLimit
	case errors.Is(err, engine.ErrNotExecutable):
		return statusNotExecutable
	case errors.Is(err, engine.ErrNotFound):
		return statusNotFound
	case errors.Is(err, context.Canceled):
		return statusInterrupted
	}
	return statusOurError
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "belljar",
		Short:         "Run programs in sandboxes, in this process: no container, no cloud",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().BoolVar(&a.json, "json", false, "answer in JSON on standard output")
	root.PersistentFlags().StringVar(&a.state, "state", "", "`folder` for compiled code and warm memory (default: belljar in the user's cache folder)")
	root.AddCommand(a.runCommand(), a.warmCommand(), a.doctorCommand(), a.versionCommand(), a.benchCommand(), a.evalCommand(),
		a.createCommand(), a.listCommand(), a.execCommand(), a.copyCommand(), a.forkCommand(), a.diffCommand(), a.removeCommand(),
		a.snapshotCommand(), a.restoreCommand(), a.replCommand(), a.shellCommand(), a.mcpCommand())
	return root
}

// noArgs refuses arguments. cobra's own takes them for names of commands.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument, not even %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// engine makes the engine with everything of this build in one image.
func (a *app) engine() (*engine.Engine, error) {
	access, err := a.ssh.access()
	if err != nil {
		return nil, err
	}
	all := engine.Compose("all", shell.Image(), git.Config{SSH: access}.Image(), web.Image(), python.Image(), js.Image())
	return engine.New(engine.Config{Images: []engine.Image{all}, CacheDir: a.state})
}
