// Command migrate freezes a sandbox here and thaws it there: one engine writes it to a file in the middle of its work,
// another one, as a process on another machine would have it, reads the file and goes on.
//
//	go run ./examples/migrate
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "migrate-")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "work.belljar")
	err = here(ctx, file)
	if err == nil {
		err = there(ctx, file, out)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// here begins the work and leaves it in a file.
func here(ctx context.Context, file string) error {
	return withEngine(func(eng *engine.Engine) error {
		sb, err := eng.Create(ctx, engine.Spec{Labels: map[string]string{"task": "primes"}})
		if err != nil {
			return err
		}
		defer sb.Close()
		if _, err := eval(ctx, sb, `
def primes():
    found = []
    n = 2
    while True:
        if all(n % p for p in found):
            found.append(n)
            yield n
        n += 1

source = primes()
journal = open('journal.txt', 'w+')
print('here:', [next(source) for _ in range(5)], file=journal, flush=True)`); err != nil {
			return err
		}
		snapshot, err := sb.Snapshot(ctx)
		if err != nil {
			return err
		}
		defer snapshot.Close()
		return write(snapshot, file)
	})
}

func write(snapshot *engine.Snapshot, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = snapshot.WriteTo(f)
	return errors.Join(err, f.Close())
}

// there goes on with the work: the generator is where it was, the file is still open.
func there(ctx context.Context, file string, out io.Writer) error {
	return withEngine(func(eng *engine.Engine) error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		snapshot, err := eng.ReadSnapshot(ctx, f, engine.ReadOptions{})
		if err != nil {
			return err
		}
		defer snapshot.Close()
		sb, err := snapshot.Sandbox(ctx)
		if err != nil {
			return err
		}
		defer sb.Close()
		res, err := eval(ctx, sb, `
print('there:', [next(source) for _ in range(5)], file=journal)
journal.seek(0)
print(journal.read(), end='')`)
		fmt.Fprintf(out, "%s: %s", sb.Spec().Labels["task"], res.Stdout)
		return err
	})
}

func withEngine(f func(*engine.Engine) error) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}})
	if err != nil {
		return err
	}
	return errors.Join(f(eng), eng.Close())
}

// eval runs a cell that has to succeed.
func eval(ctx context.Context, sb *engine.Sandbox, code string) (engine.Result, error) {
	session, err := sb.Session(ctx, "main", "python")
	if err != nil {
		return engine.Result{}, err
	}
	res, err := session.Eval(ctx, engine.Cell{Code: code})
	if e := res.Exception; err == nil && e != nil {
		err = fmt.Errorf("%s: %s", e.Name, e.Value)
	}
	return res, err
}
