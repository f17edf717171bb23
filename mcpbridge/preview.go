package mcpbridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/mark3labs/mcp-go/server"
)

const (
	// maxPreviews bounds the links of one owner; the oldest is forgotten.
	maxPreviews = 64
	// previewWait is how long a link waits for its server to begin.
	previewWait = 3 * time.Second
)

// previews are the links to ports in sandboxes. A link is a secret that nobody guesses: who has it sees the port.
type previews struct {
	mu    sync.Mutex
	links map[string]preview // by secret
	order []string           // secrets, the oldest first
}

type preview struct {
	box
	port int
}

// link answers the secret of a port: the same one each time.
func (p *previews) link(to preview) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	own, oldest := 0, -1
	for i, secret := range p.order {
		at := p.links[secret]
		if at == to {
			return secret
		}
		if at.owner == to.owner {
			if own++; oldest < 0 {
				oldest = i
			}
		}
	}
	if own >= maxPreviews {
		delete(p.links, p.order[oldest])
		p.order = append(p.order[:oldest:oldest], p.order[oldest+1:]...)
	}
	if p.links == nil {
		p.links = map[string]preview{}
	}
	secret := strings.ToLower(rand.Text())
	p.links[secret] = to
	p.order = append(p.order, secret)
	return secret
}

func (p *previews) find(secret string) (preview, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, ok := p.links[strings.ToLower(secret)]
	return to, ok
}

type previewIn struct {
	Port    int    `json:"port"`
	Sandbox string `json:"sandbox,omitempty"`
}

type previewOut struct {
	URL string `json:"url"`
}

func (b *Bridge) preview() server.ServerTool {
	return newTool(b, "preview", `Get a link, for the user's browser, to a web server that runs in the sandbox (run_command, background).`,
		hints{repeatable: true}, func(ctx context.Context, c caller, in previewIn) (result[previewOut], error) {
			if b.cfg.PreviewAddr == "" {
				return result[previewOut]{}, errors.New("previews are not served here; get the page with run_command and python3's urllib")
			}
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error { return awaitPort(ctx, sb, in.Port) })
			if err != nil {
				return result[previewOut]{}, err
			}
			_, port, err := net.SplitHostPort(b.cfg.PreviewAddr)
			if err != nil {
				return result[previewOut]{}, fmt.Errorf("the address of previews: %w", err)
			}
			secret := b.previews.link(preview{c.box(in.Sandbox), in.Port})
			link := "http://" + secret + ".localhost:" + port + "/"
			text := fmt.Sprintf("%s\nor, for programs that don't know such names: http://%s/%s/", link, b.cfg.PreviewAddr, secret)
			return result[previewOut]{data: previewOut{link}, text: text}, nil
		})
}

// awaitPort waits a while until something listens on a port of a sandbox.
func awaitPort(ctx context.Context, sb *engine.Sandbox, port int) error {
	for begun := time.Now(); ; {
		conn, err := sb.Dial(ctx, port)
		switch {
		case err == nil:
			return conn.Close()
		case !errors.Is(err, syscall.ECONNREFUSED):
			return err
		case time.Since(begun) > previewWait:
			return fmt.Errorf("nothing listens on port %d: start a server with run_command and background, and look at its output with process", port)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Previews serves the links that the tool preview gives, at Config.PreviewAddr: by the name that a link has, or by the
// first part of its path. Each name is an origin of its own, so that one sandbox's pages can't reach another's. Web
// sockets pass through.
func (b *Bridge) Previews() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, named := strings.CutSuffix(hostname(r.Host), ".localhost")
		rest := r.URL.Path
		if !named {
			secret, rest, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
			rest = "/" + rest
		}
		to, ok := b.previews.find(secret)
		if !ok {
			http.Error(w, "there is no such preview: ask for a new link", http.StatusNotFound)
			return
		}
		err := (caller{b, to.owner}).use(r.Context(), to.name, func(sb *engine.Sandbox) error {
			forward(sb, to.port, rest).ServeHTTP(w, r)
			return nil
		})
		if err != nil {
			http.Error(w, "the sandbox is gone", http.StatusNotFound)
		}
	})
}

// forward answers a proxy to a port of a sandbox.
func forward(sb *engine.Sandbox, port int, path string) http.Handler {
	target := fmt.Sprintf("localhost:%d", port)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL = &url.URL{Scheme: "http", Host: target, Path: path, RawQuery: r.In.URL.RawQuery}
			r.Out.Host = target
		},
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return sb.Dial(ctx, port) },
			DisableKeepAlives: true, // the sandbox is lent for one request
		},
		FlushInterval: -1, // what a server streams is seen at once
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			why := "the server in the sandbox does not answer"
			if errors.Is(err, syscall.ECONNREFUSED) {
				why = fmt.Sprintf("nothing listens on port %d in the sandbox any more", port)
			}
			http.Error(w, why, http.StatusBadGateway)
		},
	}
}
