package mcpbridge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/server"
)

// maxBody bounds a request, in bytes.
const maxBody = 16 << 20

// Handler serves clients over streamable HTTP,
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http. Each request needs one of
// the tokens in its Authorization header, as a bearer token of https://www.rfc-editor.org/rfc/rfc6750; without any tokens
// every request is refused. Clients with the same token share sandboxes, others don't see them. A request that a
// browser sends for another site's page is refused, and one that reaches a loopback address under another name.
func (b *Bridge) Handler(tokens []string) http.Handler {
	transport := server.NewStreamableHTTPServer(b.mcp,
		server.WithSessionIdManager(&sessions{live: map[string]bool{}}),
		server.WithStreamableHTTPLogger(b.cfg.Logger))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sameSite(r) {
			http.Error(w, "requests of other sites are refused", http.StatusForbidden)
			return
		}
		token, ok := bearer(r, tokens)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="belljar"`)
			http.Error(w, "a bearer token is needed, and this is none or a wrong one", http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		transport.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownerKey{}, ownerOf(token))))
	})
}

// bearer answers the token of a request, if it is one of those that are good. It takes as long for each wrong one.
func bearer(r *http.Request, tokens []string) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	good := false
	for _, t := range tokens {
		want := sha256.Sum256([]byte(t))
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 && t != "" {
			good = true
		}
	}
	return strings.TrimSpace(token), good && strings.EqualFold(scheme, "Bearer")
}

// ownerOf is what stands before the names of a token's sandboxes. It does not tell the token.
func ownerOf(token string) string {
	sum := sha256.Sum256([]byte("belljar owner\x00" + token))
	return hex.EncodeToString(sum[:8]) + "-"
}

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

// sessions are the transport's, for clients of versions that have them. It implements server.SessionIdManager: one that
// was ended, or that a former process had, is unknown, and is answered 404, at which clients begin a new one.
type sessions struct {
	mu   sync.Mutex
	live map[string]bool // by identifier
}

// maxSessions bounds those that clients begin and never end; the oldest may be forgotten.
const maxSessions = 10_000

func (s *sessions) Generate() string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) >= maxSessions {
		for old := range s.live {
			delete(s.live, old)
			break
		}
	}
	s.live[id] = true
	return id
}

var errNoSession = errors.New("no session is named")

func (s *sessions) Validate(id string) (ended bool, err error) {
	if id == "" {
		return false, errNoSession
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.live[id], nil
}

func (s *sessions) Terminate(id string) (notAllowed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, id)
	return false, nil
}
