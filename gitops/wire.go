package gitops

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// The services of a server (https://git-scm.com/docs/gitprotocol-pack).
const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// wire carries git's protocol to a server and back.
type wire interface {
	// advertise asks for a service, and gives what it begins with: capabilities and references.
	advertise(ctx context.Context, service string) (*bufio.Reader, error)
	// request sends a request, and gives the answer. It is called once.
	request(ctx context.Context, service string, body io.Reader) (*bufio.Reader, error)
	close() error
}

// wireTo makes a wire; nothing is connected yet. Every connection is the Dialer's.
func (a Access) wireTo(to address) (wire, error) {
	if a.Dialer == nil {
		return nil, fmt.Errorf("%s: %w", to.host, ErrTransport)
	}
	switch to.scheme {
	case "https", "http":
		return newHTTPWire(a, to), nil
	case "ssh":
		if a.HostKeys == nil {
			return nil, fmt.Errorf("%s: no Access.HostKeys to know the server by: %w", to.host, ErrTransport)
		}
		return &streamWire{connect: func(ctx context.Context, service string) (io.ReadWriteCloser, error) {
			return a.dialSSH(ctx, to, service)
		}}, nil
	}
	return &streamWire{connect: func(ctx context.Context, service string) (io.ReadWriteCloser, error) {
		conn, err := a.Dialer.DialContext(ctx, "tcp", to.dialAddress())
		if err != nil {
			return nil, err
		}
		if _, err := conn.Write(pkt(fmt.Sprintf("%s %s\x00host=%s\x00", service, to.path, to.host))); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}}, nil
}

// streamWire is a connection that both sides talk on.
type streamWire struct {
	connect func(ctx context.Context, service string) (io.ReadWriteCloser, error)
	conn    io.ReadWriteCloser
	in      *bufio.Reader
	stop    func() bool
}

func (w *streamWire) advertise(ctx context.Context, service string) (*bufio.Reader, error) {
	conn, err := w.connect(ctx, service)
	if err != nil {
		return nil, err
	}
	w.conn, w.in = conn, bufio.NewReaderSize(conn, 64<<10)
	w.stop = context.AfterFunc(ctx, func() { conn.Close() }) // ends with close
	return w.in, nil
}

func (w *streamWire) request(_ context.Context, _ string, body io.Reader) (*bufio.Reader, error) {
	if _, err := io.Copy(w.conn, body); err != nil {
		return nil, err
	}
	return w.in, nil
}

func (w *streamWire) close() error {
	if w.conn == nil {
		return nil
	}
	w.stop()
	w.conn.Write([]byte("0000")) //nolint:errcheck // a server that still waits is told that nothing comes
	w.conn.Close()
	return nil
}

// httpWire is git's smart protocol over HTTP (https://git-scm.com/docs/gitprotocol-http).
type httpWire struct {
	access Access
	client *http.Client
	base   *url.URL
	to     address
	bodies []io.Closer
}

func newHTTPWire(a Access, to address) *httpWire {
	w := &httpWire{access: a, to: to}
	p, query, _ := strings.Cut(to.path, "?")
	raw, _ := url.PathUnescape(p)
	w.base = &url.URL{Scheme: to.scheme, Host: to.host, Path: strings.TrimSuffix(raw, "/"), RawPath: strings.TrimSuffix(p, "/"), RawQuery: query}
	w.client = &http.Client{
		// No proxy, no cookies, no environment: what isn't the Dialer's isn't there.
		Transport: &http.Transport{
			DialContext:           a.Dialer.DialContext,
			TLSClientConfig:       &tls.Config{RootCAs: a.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   20 * time.Second,
			ResponseHeaderTimeout: 2 * time.Minute,
			ForceAttemptHTTP2:     true,
			DisableCompression:    false,
			MaxIdleConns:          2,
		},
		CheckRedirect: w.redirect,
	}
	return w
}

// redirect follows only the first request, as git does, and not to a scheme that protects less.
func (w *httpWire) redirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > 5:
		return errors.New("too many redirects")
	case via[0].Method != http.MethodGet:
		return errors.New("a redirect of a request that isn't the first")
	case req.URL.Scheme != "https" && req.URL.Scheme != via[len(via)-1].URL.Scheme:
		return fmt.Errorf("a redirect to %s: %w", req.URL.Scheme, ErrTransport)
	}
	if !strings.EqualFold(req.URL.Host, via[0].URL.Host) {
		req.Header.Del("Authorization")
	}
	req.Header.Del("Referer")
	return nil
}

func (w *httpWire) authorize(req *http.Request) {
	if !strings.EqualFold(req.URL.Host, w.to.host) {
		return
	}
	c := w.to.credential(w.access)
	switch {
	case w.to.scheme != "https" && !c.Plain:
	case c.Token != "":
		req.Header.Set("Authorization", "Bearer "+c.Token)
	case c.Password != "":
		req.SetBasicAuth(c.User, c.Password)
	}
}

func (w *httpWire) advertise(ctx context.Context, service string) (*bufio.Reader, error) {
	at := *w.base
	at.Path, at.RawPath = at.Path+"/info/refs", ""
	query := at.Query()
	query.Set("service", service)
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("source: %w", ErrTransport)
	}
	in, final, err := w.do(req, "application/x-"+service+"-advertisement")
	if err != nil {
		return nil, err
	}
	// Later requests go to where a redirect has led.
	if base, ok := strings.CutSuffix(final.Path, "/info/refs"); ok {
		w.base = &url.URL{Scheme: final.Scheme, Host: final.Host, Path: base}
	}
	first, err := readPkt(in)
	if err == nil && !strings.HasPrefix(string(first), "# service=") {
		err = fmt.Errorf("the server doesn't speak git's smart protocol: %w", ErrTransport)
	}
	if err == nil {
		_, err = readPkt(in)
	}
	return in, err
}

// maxKnownBody bounds the bytes of a request that is kept to know its length.
const maxKnownBody = 4 << 20

func (w *httpWire) request(ctx context.Context, service string, body io.Reader) (*bufio.Reader, error) {
	at := *w.base
	at.Path, at.RawPath = path.Join(at.Path, service), ""
	// Not every server takes a body whose length it isn't told.
	first := make([]byte, maxKnownBody)
	n, err := io.ReadFull(body, first)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		body = bytes.NewReader(first[:n])
	case err != nil:
		return nil, err
	default:
		body = io.MultiReader(bytes.NewReader(first), body)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), body)
	if err != nil {
		return nil, fmt.Errorf("source: %w", ErrTransport)
	}
	req.Header.Set("Content-Type", "application/x-"+service+"-request")
	in, _, err := w.do(req, "application/x-"+service+"-result")
	return in, err
}

func (w *httpWire) do(req *http.Request, accept string) (*bufio.Reader, *url.URL, error) {
	w.authorize(req)
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "git/2.39.0 (belljar)")
	res, err := w.client.Do(req)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // whose text has the URL in it
		}
		return nil, nil, fmt.Errorf("%s: %w", w.to.host, err)
	}
	w.bodies = append(w.bodies, res.Body)
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return nil, nil, fmt.Errorf("%s: %s: %w", w.to.host, res.Status, ErrAuth)
	case res.StatusCode == http.StatusNotFound:
		return nil, nil, fmt.Errorf("%s: %s: %w", w.to.host, res.Status, ErrNotRepository)
	case res.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("%s: %s: %w", w.to.host, res.Status, ErrTransport)
	case !strings.HasPrefix(res.Header.Get("Content-Type"), accept):
		return nil, nil, fmt.Errorf("%s: the server doesn't speak git's smart protocol: %w", w.to.host, ErrTransport)
	}
	return bufio.NewReaderSize(res.Body, 64<<10), res.Request.URL, nil
}

func (w *httpWire) close() error {
	for _, b := range w.bodies {
		b.Close()
	}
	w.client.CloseIdleConnections()
	return nil
}
