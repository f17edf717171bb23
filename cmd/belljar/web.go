package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/mcpbridge"
	"github.com/spf13/pflag"
)

// webFlags say how to serve over HTTP.
type webFlags struct{ addr, tokenFile, cert, key string }

func (f *webFlags) bind(fl *pflag.FlagSet) {
	fl.StringVar(&f.addr, "http", "", "`address` to serve many clients at, such as 127.0.0.1:3988")
	fl.StringVar(&f.tokenFile, "token-file", "", "`file` of the tokens clients may have, one a line, each with the time it expires if it does (default: a new one, printed)")
	fl.StringVar(&f.cert, "tls-cert", "", "`file` of the certificate; with --tls-key, HTTP is over TLS")
	fl.StringVar(&f.key, "tls-key", "", "`file` of the certificate's key")
}

// tokens reads the tokens, or makes one and tells it.
func (f *webFlags) tokens(w io.Writer) ([]mcpbridge.Token, error) {
	if f.tokenFile == "" {
		token := rand.Text()
		_, err := fmt.Fprintf(w, "token: %s\n", token)
		return []mcpbridge.Token{{Value: token}}, err
	}
	b, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	tokens, err := mcpbridge.ParseTokens(string(b))
	if err == nil && len(tokens) == 0 {
		err = errors.New("no token is in it")
	}
	if err != nil {
		return nil, fmt.Errorf("--token-file %s: %w", f.tokenFile, err)
	}
	return tokens, nil
}

// The bounds of a connection's times. A request itself may take as long as its program.
const (
	headerTimeout   = 10 * time.Second
	idleTimeout     = 5 * time.Minute
	shutdownTimeout = 5 * time.Second
)

// serve serves until ctx ends; what is under way then is cancelled.
func (f *webFlags) serve(ctx context.Context, h http.Handler, log io.Writer) error {
	if (f.cert == "") != (f.key == "") {
		return errors.New("--tls-cert and --tls-key belong together")
	}
	l, err := net.Listen("tcp", withLoopback(f.addr))
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	requests, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return requests },
	}
	ended := make(chan error, 1)
	go func() { // ends with Shutdown or Close
		if f.cert != "" {
			ended <- s.ServeTLS(l, f.cert, f.key)
		} else {
			ended <- s.Serve(l)
		}
	}()
	scheme := "http"
	if f.cert != "" {
		scheme = "https"
	}
	fmt.Fprintf(log, "serving at %s://%s/mcp\n", scheme, l.Addr())
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer done()
	if err := s.Shutdown(stop); err != nil {
		_ = s.Close()
	}
	<-ended
	return nil
}

// withLoopback gives an address without a host this machine's own: to serve others has to be asked for.
func withLoopback(addr string) string {
	if strings.HasPrefix(addr, ":") {
		return "127.0.0.1" + addr
	}
	return addr
}
