// Command checkpoint saves a sandbox before a step that may ruin it, and goes back when it has: the files, the
// variables and what is open are as they were.
//
//	go run ./examples/checkpoint
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

const (
	prepare = `
import pathlib
rows = [3, 1, 2]
pathlib.Path('data.txt').write_text(' '.join(map(str, rows)))
`
	risky = `
pathlib.Path('data.txt').unlink()
rows.clear()
rows[0]
`
	careful = `
rows.sort()
pathlib.Path('data.txt').write_text(' '.join(map(str, rows)))
`
)

func run(ctx context.Context, out io.Writer) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		return err
	}
	defer eng.Close()
	sb, err := eng.Create(ctx, engine.Spec{})
	if err != nil {
		return err
	}
	for _, step := range []string{prepare, risky, careful} {
		if sb, err = attempt(ctx, sb, step, out); err != nil {
			return err
		}
	}
	defer sb.Close()
	res, err := eval(ctx, sb, "rows, pathlib.Path('data.txt').read_text()")
	fmt.Fprintln(out, res.Value)
	return err
}

// attempt runs a step and answers the sandbox to go on with: the same one, or, if the step failed, one that is as it was
// before.
func attempt(ctx context.Context, sb *engine.Sandbox, step string, out io.Writer) (*engine.Sandbox, error) {
	before, err := sb.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer before.Close()
	res, err := eval(ctx, sb, step)
	if err != nil {
		return nil, err
	}
	if res.Exception == nil {
		return sb, nil
	}
	fmt.Fprintf(out, "%s: %s; going back\n", res.Exception.Name, res.Exception.Value)
	back, err := before.Sandbox(ctx)
	return back, errors.Join(err, sb.Close())
}

func eval(ctx context.Context, sb *engine.Sandbox, code string) (engine.Result, error) {
	session, err := sb.Session(ctx, "main", "python")
	if err != nil {
		return engine.Result{}, err
	}
	return session.Eval(ctx, engine.Cell{Code: code})
}
