// Command agent-shell is a Go program that gives an agent a shell: commands run one after the other in one bash, whose
// working directory, variables and jobs stay, and their output is shown as it is written. A command that takes too long
// is interrupted, as Ctrl-C does, and the shell goes on.
//
//	go run ./examples/agent-shell
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// commands are what an agent might have sent, one message each.
var commands = []string{
	`mkdir -p app && cd app && printf 'total: %d\n' 41 > report.txt`,
	`pwd; grep -c total report.txt`,
	`sed -i 's/41/42/' report.txt && cat report.txt`,
	`for i in 1 2 3; do echo "step $i"; done; cat missing.txt`,
	`echo waiting; sleep 60`,
	`echo "still in ${PWD##*/}, the last command answered $?"`,
}

// patience is how long a command may run. A shell that answers no interrupt is killed half a second later.
const patience = time.Second

func run(ctx context.Context, out io.Writer) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		return err
	}
	defer eng.Close()
	// No command shall pay for compiling a program. With Config.CacheDir, this takes milliseconds from the second time on.
	if err := eng.Warm(ctx, "", nil, "bash", "cat", "grep", "sed"); err != nil {
		return err
	}
	sb, err := eng.Create(ctx, engine.Spec{Limits: engine.Limits{Memory: 256 << 20, Processes: 32, Output: 1 << 20}})
	if err != nil {
		return err
	}
	defer sb.Close()
	session, err := sb.Session(ctx, "agent", "sh")
	if err != nil {
		return err
	}
	for _, command := range commands {
		fmt.Fprintf(out, "$ %s\n", command)
		if err := show(ctx, session, command, out); err != nil {
			return err
		}
	}
	return nil
}

// show runs a command and shows its output line by line, marked by where it was written.
func show(ctx context.Context, session *engine.Session, command string, out io.Writer) error {
	timed, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := session.Eval(timed, engine.Cell{
		Code:   command,
		Stdout: &lines{to: out, mark: "  "},
		Stderr: &lines{to: out, mark: "! "},
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded) && session.State() == engine.SessionIdle:
		fmt.Fprintf(out, "[interrupted, status %d]\n", res.ExitCode)
		return nil
	case err != nil:
		return err
	case res.ExitCode != 0:
		fmt.Fprintf(out, "[status %d]\n", res.ExitCode)
	}
	return nil
}

// lines marks each whole line that is written to it.
type lines struct {
	to   io.Writer
	mark string
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		if _, err := fmt.Fprintf(l.to, "%s%s\n", l.mark, line); err != nil {
			return 0, err
		}
		l.rest = rest
	}
}
