// Command vfs is a Go program that fills a sandbox's files through afero, runs Python on them, and reads through
// afero what Python has left.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/spf13/afero"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/belljar-dev/belljar/vfs/aferofs"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// report writes one line for each file of measurements.
const report = `
from pathlib import Path
out = Path('out')
out.mkdir()
for f in sorted(Path('in').rglob('*.txt')):
    values = [float(line) for line in f.read_text().split()]
    (out / f.name).write_text(f'{f.parent.name}: {sum(values) / len(values):.1f}\n')
(out / 'latest').symlink_to(f.name)
`

// measurements stand for whatever the program has in another afero.Fs: on disk, in memory, in a bucket.
func measurements() (afero.Fs, error) {
	m := afero.NewMemMapFs()
	for name, text := range map[string]string{
		"/north/a.txt": "1 2 3\n",
		"/south/b.txt": "10 20\n",
	} {
		if err := afero.WriteFile(m, name, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return m, nil
}

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
	defer sb.Close()

	home, err := aferofs.New(sb.Files()).Sub("/home/user")
	if err != nil {
		return err
	}
	from, err := measurements()
	if err != nil {
		return err
	}
	if err := copyAll(afero.NewBasePathFs(home, "in"), from); err != nil {
		return err
	}
	res, err := sb.Eval(ctx, "python", report)
	if err != nil {
		return err
	}
	if res.ExitCode != 0 {
		return fmt.Errorf("python: %s", res.Stderr)
	}
	return show(out, home, "out")
}

// copyAll copies the files of one afero.Fs to another.
func copyAll(to, from afero.Fs) error {
	return afero.Walk(from, "/", func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		f, err := from.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return afero.WriteReader(to, path, f)
	})
}

// show prints what a directory holds.
func show(out io.Writer, from afero.Fs, dir string) error {
	list, err := afero.ReadDir(from, dir)
	if err != nil {
		return err
	}
	for _, i := range list {
		text, err := afero.ReadFile(from, dir+"/"+i.Name())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-6s %s", i.Name(), text)
	}
	return nil
}
