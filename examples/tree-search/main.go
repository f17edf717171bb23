// Command tree-search looks for a program one line at a time, as an agent may: at each step it forks the best sandboxes
// so far, tries another next line in each fork, and keeps the best. What the lines before have computed is in the
// session's memory; no line is run twice.
//
//	go run ./examples/tree-search
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// The puzzle: reach target from 1 by these steps. A model would propose lines; here they are always the same.
var proposals = []string{"x += 3", "x *= 2", "x = x * x - 1"}

const (
	target = 902
	beam   = 3 // how many branches go on
	depth  = 8
)

// branch is a sandbox, and how it came to where it is.
type branch struct {
	sandbox *engine.Sandbox
	lines   []string
	score   int // distance from the target
}

func run(ctx context.Context, out io.Writer) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		return err
	}
	defer eng.Close()
	root, err := eng.Create(ctx, engine.Spec{})
	if err != nil {
		return err
	}
	best := []branch{{sandbox: root}}
	if best[0].score, err = try(ctx, root, "x = 1"); err != nil {
		return err
	}
	for range depth {
		next, err := step(ctx, best)
		if err != nil {
			return err
		}
		best = next
		if best[0].score == 0 {
			fmt.Fprintf(out, "reached %d in %d steps: %q\n", target, len(best[0].lines), best[0].lines)
			return nil
		}
	}
	return fmt.Errorf("no way to %d in %d steps", target, depth)
}

// step forks each branch once for each proposal, and closes all but the best.
func step(ctx context.Context, from []branch) ([]branch, error) {
	var all []branch
	for _, b := range from {
		for _, line := range proposals {
			fork, err := b.sandbox.Fork(ctx)
			if err != nil {
				return nil, err
			}
			score, err := try(ctx, fork, line)
			if err != nil {
				return nil, err
			}
			all = append(all, branch{fork, append(slices.Clone(b.lines), line), score})
		}
	}
	slices.SortStableFunc(all, func(a, b branch) int { return cmp.Compare(a.score, b.score) })
	best := all[:min(beam, len(all))]
	var errs []error
	for _, b := range slices.Concat(from, all[len(best):]) {
		errs = append(errs, b.sandbox.Close())
	}
	return best, errors.Join(errs...)
}

// try runs a line in a sandbox's session and answers how far it is from the target.
func try(ctx context.Context, sb *engine.Sandbox, line string) (int, error) {
	session, err := sb.Session(ctx, "main", "python")
	if err != nil {
		return 0, err
	}
	res, err := session.Eval(ctx, engine.Cell{Code: fmt.Sprintf("%s\nabs(x - %d)", line, target)})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(res.Value)
}
