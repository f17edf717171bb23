// Command embed is a Go program that hosts untrusted Python: it puts files into a sandbox, runs code under limits, and
// reads what the code left behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// analysis is what an agent might have written.
const analysis = `
import csv, json
with open('sales.csv') as f:
    rows = list(csv.DictReader(f))
total = sum(int(r['amount']) for r in rows)
json.dump({'rows': len(rows), 'total': total}, open('report.json', 'w'))
print(f'{len(rows)} rows')
`

func run(ctx context.Context, out io.Writer) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		return err
	}
	defer eng.Close()
	sb, err := eng.Create(ctx, engine.Spec{Limits: engine.Limits{
		Memory: 128 << 20, Wall: 2 * time.Second, Output: 1 << 20, Disk: 10 << 20,
	}})
	if err != nil {
		return err
	}
	defer sb.Close()

	if err := sb.Files().WriteFile("/home/user/sales.csv", []byte("item,amount\na,3\nb,4\n"), 0o644); err != nil {
		return err
	}
	res, err := sb.Eval(ctx, "python", analysis)
	if err != nil {
		return err
	}
	report, err := sb.Files().ReadFile("/home/user/report.json")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "printed %q, left %s\n", res.Stdout, report)

	// A guest that never ends costs its limit and no more; the sandbox lives on.
	_, err = sb.Eval(ctx, "python", "while True: pass")
	var limit *engine.LimitError
	if !errors.As(err, &limit) {
		return fmt.Errorf("an endless program was not stopped: %w", err)
	}
	fmt.Fprintln(out, "stopped:", limit)
	return nil
}
