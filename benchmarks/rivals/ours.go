package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/belljar-dev/belljar/engine"
)

// ours is Belljar itself, in a language of one image.
func ours(eng *engine.Engine, lang string) func() (*rival, error) {
	image := map[string]string{"python": "python", "js": "js", "bash": "shell"}[lang]
	command := map[string][]string{"python": {"python3", "-c"}, "js": {"node", "-e"}, "bash": {"bash", "-c"}}[lang]
	return func() (*rival, error) {
		if err := eng.Warm(context.Background(), image, nil, command[0]); err != nil {
			return nil, err
		}
		run := func(ctx context.Context, code string) (string, error) {
			sb, err := eng.Create(ctx, engine.Spec{Image: image})
			if err != nil {
				return "", err
			}
			defer sb.Close()
			res, err := sb.Run(ctx, engine.Command{Args: append(command[:len(command):len(command)], code)})
			if err == nil && res.ExitCode != 0 {
				err = fmt.Errorf("exit status %d: %s", res.ExitCode, res.Stderr)
			}
			return res.Stdout, err
		}
		return &rival{
			lang: lang, kind: "sandbox", computes: lang != "bash", eval: run,
			keep: func(ctx context.Context, n int) (int64, error) {
				return weighHere(n, func() (func() error, error) {
					return resident(ctx, eng, image, append(command[:len(command):len(command)], waiting[lang]))
				})
			},
		}, nil
	}
}

// resident starts a program that prints and then waits, in a sandbox of its own.
func resident(ctx context.Context, eng *engine.Engine, image string, argv []string) (closer func() error, err error) {
	sb, err := eng.Create(ctx, engine.Spec{Image: image})
	if err != nil {
		return nil, err
	}
	in, stdin := io.Pipe()
	closer = func() error { return errors.Join(stdin.Close(), sb.Close()) }
	printed := make(chan struct{}, 1)
	p, err := sb.Start(ctx, engine.Command{Args: argv, Stdin: in, Stdout: signalWriter(printed)})
	if err != nil {
		return closer, err
	}
	select {
	case <-printed:
	case <-p.Done():
		res, err := p.Wait()
		return closer, fmt.Errorf("ended early: %q, %w", res.Stderr, err)
	}
	return closer, nil
}

// signalWriter tells of the first write.
type signalWriter chan struct{}

func (w signalWriter) Write(b []byte) (int, error) {
	select {
	case w <- struct{}{}:
	default:
	}
	return len(b), nil
}
