// Package web brings curl and wget as an image for the engine: programs of the host's, with the options that scripts and
// agents use of the real ones, their messages and statuses. They go where the sandbox's Network allows, redirects
// included, and trust the authorities of the sandbox's /etc/ssl and the host's. What they don't know of the real ones'
// options they refuse, with status 2.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// Image is curl and wget under the name "web", to be composed with others: see engine.Compose.
func Image() engine.Image {
	return engine.Image{Name: "web", Programs: []engine.Program{
		{Path: "/usr/bin/curl", Links: []string{"/bin/curl"}, Func: curl},
		{Path: "/usr/bin/wget", Links: []string{"/bin/wget"}, Func: wget},
	}}
}

const rootsFile = "/etc/ssl/certs/ca-certificates.crt"

// newClient makes an HTTP client whose connections are the sandbox's.
func newClient(call *engine.Call, connect time.Duration) *http.Client {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if pem, err := readAll(call, rootsFile, 4<<20); err == nil {
		roots.AppendCertsFromPEM(pem)
	}
	dialer := call.Dialer()
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if connect > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, connect)
				defer cancel()
			}
			return dialer.DialContext(ctx, network, address)
		},
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
	}}
}

// readAll reads a file of the sandbox's, of at most limit bytes; "-" is standard input.
func readAll(call *engine.Call, name string, limit int64) ([]byte, error) {
	in := call.Stdin
	if name != "-" {
		f, err := call.Files.Open(call.Abs(name))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: larger than %d bytes", name, limit)
	}
	return b, err
}

// charged counts what is carried as work, and waits while the process is stopped.
type charged struct {
	io.Reader
	call *engine.Call
}

func (c charged) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if chargeErr := c.call.Charge(int64(n)); chargeErr != nil {
		return n, chargeErr
	}
	return n, err
}

// parseURL reads a URL as people type it: without a scheme it is http.
func parseURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(strings.ReplaceAll(text, " ", "%20"))
	if err != nil || u.Host == "" {
		return nil, errors.New("URL rejected: Malformed input to a URL function")
	}
	return u, nil
}

// fileName is what a URL's file is called.
func fileName(u *url.URL) string {
	if name := path.Base(u.Path); name != "/" && name != "." {
		return name
	}
	return ""
}

// create opens a file of the sandbox's to write to.
func create(call *engine.Call, name string) (io.WriteCloser, error) {
	return call.Files.OpenFile(call.Abs(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
}

// headerText is a response's head as it is shown.
func headerText(res *http.Response) string {
	var s strings.Builder
	if res.ProtoMajor == 2 {
		fmt.Fprintf(&s, "HTTP/2 %d \r\n", res.StatusCode)
	} else {
		fmt.Fprintf(&s, "%s %s\r\n", res.Proto, res.Status)
	}
	names := make([]string, 0, len(res.Header))
	for name := range res.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range res.Header[name] {
			shown := name
			if res.ProtoMajor == 2 {
				shown = strings.ToLower(name)
			}
			fmt.Fprintf(&s, "%s: %s\r\n", shown, v)
		}
	}
	s.WriteString("\r\n")
	return s.String()
}

// failure is what went wrong with a transfer, in the words and by the status of curl.
func failure(u *url.URL, err error) (status int, text string) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[u.Scheme]
		if port == "" {
			port = "80"
		}
	}
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.Is(err, engine.ErrDenied):
		return 7, fmt.Sprintf("Failed to connect to %s port %s: %s", u.Hostname(), port, denial(err))
	case errors.As(err, &dns) && dns.IsNotFound:
		return 6, "Could not resolve host: " + u.Hostname()
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid):
		return 60, "SSL certificate problem: " + err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return 28, "Operation timed out"
	case errors.Is(err, errRedirects):
		return 47, err.Error()
	case errors.Is(err, io.EOF):
		return 52, "Empty reply from server"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || strings.HasPrefix(err.Error(), "dial ") {
		return 7, fmt.Sprintf("Failed to connect to %s port %s: Couldn't connect to server", u.Hostname(), port)
	}
	return 56, err.Error()
}

func denial(err error) string {
	text := err.Error()
	if i := strings.Index(text, engine.ErrDenied.Error()); i >= 0 {
		return text[i:]
	}
	return text
}

//lint:ignore ST1005 curl's own words
var errRedirects = errors.New("Maximum redirects followed")
