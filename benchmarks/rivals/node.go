package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

//go:embed node
var nodeFiles embed.FS

// nodeModules lays the scripts down in a folder and installs what they need.
func nodeModules(ctx context.Context, cacheDir string) (string, error) {
	dir := filepath.Join(cacheDir, "rivals-node")
	if err := os.RemoveAll(filepath.Join(dir, "node")); err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, nodeFiles); err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "node")
	// Not npm ci: it refuses a lock file made where the registry has a package's builds for some platforms only.
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, out)
	}
	return dir, nil
}

// nodeRival is a library for Node: one process, which makes an isolate for each line of JSON that it is given.
func nodeRival(ctx context.Context, dir, script, lang, kind string, computes bool) func() (*rival, error) {
	return func() (*rival, error) {
		if dir == "" {
			return nil, errors.New("its npm packages could not be installed")
		}
		n := &nodeProcess{cmd: exec.CommandContext(ctx, "node", filepath.Join(dir, script))}
		in, err := n.cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := n.cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		n.cmd.Stderr = os.Stderr
		n.in, n.out = in, bufio.NewReader(out)
		if err := n.cmd.Start(); err != nil {
			return nil, err
		}
		return &rival{
			lang: lang, kind: kind, computes: computes, close: n.close,
			eval: func(_ context.Context, code string) (string, error) {
				a, err := n.ask(question{Eval: code})
				return a.Out, err
			},
			keep: func(_ context.Context, count int) (int64, error) { return n.weigh(count, hello[lang]) },
		}, nil
	}
}

type question struct {
	Eval string `json:"eval,omitempty"` // run in a new isolate
	Keep string `json:"keep,omitempty"` // run in a new isolate, and keep it
	Drop bool   `json:"drop,omitempty"` // let go of what was kept
}

type answer struct {
	Out   string `json:"out"`
	Error string `json:"error"`
}

type nodeProcess struct {
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (n *nodeProcess) ask(q question) (a answer, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := json.NewEncoder(n.in).Encode(q); err != nil {
		return a, err
	}
	line, err := n.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	return a, err
}

func (n *nodeProcess) weigh(count int, code string) (int64, error) {
	before, err := privateMemory(n.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	for range count {
		if _, err := n.ask(question{Keep: code}); err != nil {
			return 0, err
		}
	}
	after, err := privateMemory(n.cmd.Process.Pid)
	_, derr := n.ask(question{Drop: true})
	return (after - before) / int64(count), errors.Join(err, derr)
}

func (n *nodeProcess) close() error {
	return errors.Join(n.in.Close(), n.cmd.Wait())
}
