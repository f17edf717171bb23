package mcpbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// bodyTimeout bounds how long a client may take to send a request's body.
const bodyTimeout = 30 * time.Second

// Handler serves clients over streamable HTTP,
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http. Each request needs one of
// the tokens in its Authorization header, as a bearer token of https://www.rfc-editor.org/rfc/rfc6750; without any tokens
// every request is refused. Clients with the same token share sandboxes, others don't see them. A request that a
// browser sends for another site's page is refused, and one that reaches a loopback address under another name.
func (b *Bridge) Handler(tokens []Token) http.Handler {
	return guard(b.mcp, tokens, b.cfg)
}

// guard lets requests of those who have a token through to a server.
func guard(s *server.MCPServer, tokens []Token, cfg Config) http.Handler {
	live := newSessions()
	transport := server.NewStreamableHTTPServer(s, server.WithSessionIdManagerResolver(live), server.WithStreamableHTTPLogger(cfg.Logger))
	live.forget = func(owner, id string) { forget(transport, owner, id) }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sameSite(r) {
			http.Error(w, "requests of other sites are refused", http.StatusForbidden)
			return
		}
		token, ok := bearer(r, tokens, cfg.Now())
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="belljar"`)
			http.Error(w, "a bearer token is needed, and this is none, a wrong one, or one that has expired", http.StatusUnauthorized)
			return
		}
		ctx := context.WithValue(r.Context(), ownerKey{}, token.owner())
		if !token.Expires.IsZero() { // what is under way ends with the token
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, token.Expires.Sub(cfg.Now()))
			defer cancel()
		}
		if r, ok := admit(w, r.WithContext(ctx), live); ok {
			transport.ServeHTTP(w, r)
		}
	})
}

// admit reads a request's body, within bounds, and looks at what the transport does not: that a stream or an end is that
// of a session which this client has, and that nobody cancels requests of others. It answers what is refused.
func admit(w http.ResponseWriter, r *http.Request, live *sessions) (*http.Request, bool) {
	session := r.Header.Get(server.HeaderKeySessionID)
	known := live.has(ownerFrom(r.Context()), session)
	modern := mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) // it has no sessions
	if (r.Method == http.MethodGet || r.Method == http.MethodDelete) && !known && !modern {
		http.Error(w, "there is no such session: begin one with initialize", http.StatusNotFound)
		return r, false
	}
	if r.Method != http.MethodPost {
		return r, true
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // where it can't be set, the server has its own
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		status := http.StatusBadRequest
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "read the message: "+err.Error(), status)
		return r, false
	}
	_ = control.SetReadDeadline(time.Time{})
	var head struct{ Method string }
	if json.Unmarshal(body, &head) == nil && head.Method == string(mcp.MethodNotificationCancelled) && !known {
		w.WriteHeader(http.StatusAccepted) // without a session a request is cancelled by closing its connection
		return r, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, true
}

// forget has the transport free what it keeps of a session, as its client's DELETE would.
func forget(transport http.Handler, owner, id string) {
	ctx := context.WithValue(context.Background(), ownerKey{}, owner)
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, "/", nil)
	if err != nil {
		return
	}
	r.Header.Set(server.HeaderKeySessionID, id)
	transport.ServeHTTP(discardResponse{}, r)
}

// discardResponse is a http.ResponseWriter that nobody reads.
type discardResponse struct{}

func (discardResponse) Header() http.Header         { return http.Header{} }
func (discardResponse) Write(b []byte) (int, error) { return len(b), nil }
func (discardResponse) WriteHeader(int)             {}

// sameSite reports whether a request's Origin, where there is one, is this server's own, or this machine's.
func sameSite(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || isLoopback(u.Hostname()) && isLoopback(hostname(r.Host))
}

func hostname(hostport string) string {
	u := url.URL{Host: hostport}
	return u.Hostname()
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
