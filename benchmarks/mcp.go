package benchmarks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/mcpbridge"
)

const (
	mcpHello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	mcpCall  = `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"run_code","arguments":{"code":"print(1+1)"}}}`
)

// mcp measures the bridge as a client meets it.
func (s *suite) mcp(ctx context.Context) error {
	if err := s.mcpLine(ctx); err != nil {
		return err
	}
	return s.mcpWeb(ctx)
}

// mcpProcess is a server over standard input and output.
type mcpProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startMCP starts the command and answers it when initialize was answered, with the time that took.
func (s *suite) startMCP(ctx context.Context) (*mcpProcess, time.Duration, error) {
	args := []string{"mcp", "start", "--keep=false"}
	if s.CacheDir != "" {
		args = append(args, "--state", s.CacheDir)
	}
	p := &mcpProcess{cmd: exec.CommandContext(ctx, s.Binary, args...)}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, 0, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 1<<20)
	start := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, 0, err
	}
	if err := p.ask(mcpHello, `"serverInfo"`); err != nil {
		return nil, 0, errors.Join(err, p.close())
	}
	return p, time.Since(start), nil
}

// ask sends a request, and fails unless what comes back says want.
func (p *mcpProcess) ask(request, want string) error {
	if _, err := io.WriteString(p.in, request+"\n"); err != nil {
		return err
	}
	answer, err := p.out.ReadString('\n')
	if err == nil && !strings.Contains(answer, want) {
		err = fmt.Errorf("%s: %s, want %s", request, answer, want)
	}
	return err
}

func (p *mcpProcess) close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

func (s *suite) mcpLine(ctx context.Context) error {
	if s.Binary == "" {
		return nil
	}
	var starts, calls []float64
	for range s.runs(40) {
		p, took, err := s.startMCP(ctx)
		if err != nil {
			return err
		}
		if err := p.close(); err != nil {
			return err
		}
		starts = append(starts, milliseconds(took))
	}
	s.add("mcp_initialize_ms", "ms", starts, "belljar mcp start: a new process to its answer to initialize, warm cache")
	p, _, err := s.startMCP(ctx)
	if err != nil {
		return err
	}
	for i := range s.runs(2000) + 20 {
		start := time.Now()
		if err := p.ask(fmt.Sprintf(mcpCall, i+1), `"text":"2\n"`); err != nil {
			return errors.Join(err, p.close())
		}
		if i >= 20 { // the image is loaded by then
			calls = append(calls, milliseconds(time.Since(start)))
		}
	}
	s.add("mcp_run_code_ms", "ms", calls, "tool run_code, print(1+1), over standard input and output, there and back")
	return p.close()
}

const (
	mcpClients = 50
	mcpCalls   = 100
)

// mcpWeb has many clients at once, each with a token and so a sandbox of its own.
func (s *suite) mcpWeb(ctx context.Context) error {
	var tokens []mcpbridge.Token
	for i := range mcpClients {
		tokens = append(tokens, mcpbridge.Token{Value: fmt.Sprintf("token-%d", i)})
	}
	var p99s []float64
	for range max(s.runs(24)/4, 1) {
		boxes := mcpbridge.NewMemory(s.engine, engine.Spec{Image: "python"})
		bridge := mcpbridge.New(mcpbridge.Config{Sandboxes: boxes})
		server := httptest.NewServer(bridge.Handler(tokens))
		took, err := webClients(ctx, server.URL, tokens)
		server.Close()
		if err := errors.Join(err, bridge.Close(), boxes.Close()); err != nil {
			return err
		}
		slices.Sort(took)
		p99s = append(p99s, took[len(took)*99/100])
	}
	s.add("mcp_http_50_p99_ms", "ms", p99s, "99th percentile of run_code, print(1+1), by %d clients at once over HTTP, %d calls each, no errors", mcpClients, mcpCalls)
	return nil
}

// webClients answers how long each call took, in milliseconds, the first of each client left out.
func webClients(ctx context.Context, url string, tokens []mcpbridge.Token) ([]float64, error) {
	var mu sync.Mutex
	var all []float64
	var errs []error
	var clients sync.WaitGroup
	for _, t := range tokens {
		clients.Go(func() {
			own, err := webClient(ctx, url, t.Value)
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, own...), append(errs, err)
		})
	}
	clients.Wait()
	return all, errors.Join(errs...)
}

func webClient(ctx context.Context, url, token string) ([]float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	session := ""
	ask := func(body, want string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		for k, v := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Mcp-Session-Id": session} {
			req.Header.Set(k, v)
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err == nil && !bytes.Contains(answer, []byte(want)) {
			err = fmt.Errorf("status %d: %s, want %s", res.StatusCode, answer, want)
		}
		if id := res.Header.Get("Mcp-Session-Id"); id != "" {
			session = id
		}
		return err
	}
	if err := ask(mcpHello, `"serverInfo"`); err != nil {
		return nil, err
	}
	var took []float64
	for i := range mcpCalls + 1 {
		start := time.Now()
		if err := ask(fmt.Sprintf(mcpCall, i+1), `"text":"2\n"`); err != nil {
			return nil, err
		}
		if i > 0 {
			took = append(took, milliseconds(time.Since(start)))
		}
	}
	return took, nil
}
