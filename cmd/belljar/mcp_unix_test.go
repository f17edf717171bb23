//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mcpServerProcess is `belljar mcp start` as a process of its own.
type mcpServerProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	last int
}

func startMCP(t *testing.T, args ...string) *mcpServerProcess {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "belljar") // under this name the test is the command, see TestMain
	if err := os.Symlink(os.Args[0], exe); err != nil {
		t.Fatal(err)
	}
	p := &mcpServerProcess{t: t, cmd: exec.CommandContext(t.Context(), exe, args...)}
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.ask("initialize", map[string]any{"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "t", "version": "1"}})
	return p
}

func (p *mcpServerProcess) send(method string, params any) {
	p.t.Helper()
	p.last++
	b, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": p.last, "method": method, "params": params})
	if err == nil {
		_, err = p.in.Write(append(b, '\n'))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *mcpServerProcess) ask(method string, params any) string {
	p.t.Helper()
	p.send(method, params)
	answer, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}

func (p *mcpServerProcess) tool(name string, args map[string]any) string {
	p.t.Helper()
	return p.ask("tools/call", map[string]any{"name": name, "arguments": args})
}

// ended waits for the process's end.
func (p *mcpServerProcess) ended(most time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(most):
		_ = p.cmd.Process.Kill()
		return errors.New("it is still there")
	}
}

func mcpState(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no user cache folder to keep the compiled interpreter in:", err)
	}
	own := t.TempDir()
	if err := shareCompiled(filepath.Join(cache, "belljar"), own); err != nil {
		t.Fatal(err)
	}
	return own
}

// SIGTERM ends the server, whatever runs, and the next one finds files and variables as they were.
func TestMCPSavesAtSIGTERM(t *testing.T) {
	state := mcpState(t)
	p := startMCP(t, "--state", state, "mcp", "start")
	p.tool("run_code", map[string]any{"code": "x = 41; open('f', 'w').write('kept')"})
	p.tool("sandbox", map[string]any{"action": "snapshot", "name": "s"})
	p.tool("run_command", map[string]any{"command": "while :; do :; done", "background": true})
	p.send("tools/call", map[string]any{"name": "run_command", "arguments": map[string]any{"command": "echo after > g; while :; do :; done", "timeout_s": 600}})
	for !strings.Contains(p.tool("list_files", map[string]any{"glob": "g"}), "/home/user/g") {
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.ended(30 * time.Second); err != nil {
		t.Errorf("end: %v", err)
	}
	p = startMCP(t, "--state", state, "mcp", "start")
	if got := p.tool("run_code", map[string]any{"code": "x + 1, open('f').read(), open('g').read()"}); !strings.Contains(got, `(42, 'kept', 'after\\n')`) {
		t.Error(got)
	}
	if got := p.tool("sandbox", map[string]any{"action": "list"}); !strings.Contains(got, "snapshots: s") {
		t.Error(got)
	}
	_ = p.in.Close()
	if err := p.ended(30 * time.Second); err != nil {
		t.Errorf("end of the client: %v", err)
	}
}

// A client that dies takes its programs with it.
func TestMCPEndsWithItsClient(t *testing.T) {
	p := startMCP(t, "--state", mcpState(t), "mcp", "start", "--keep=false")
	p.tool("run_command", map[string]any{"command": "while :; do :; done", "background": true})
	p.send("tools/call", map[string]any{"name": "run_code", "arguments": map[string]any{"code": "while True: pass", "timeout_s": 600}})
	_ = p.in.Close()
	if err := p.ended(30 * time.Second); err != nil {
		t.Error(err)
	}
}
