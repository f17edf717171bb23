package git

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

const (
	maxRedirects = 20      // as git's
	maxBuffered  = 1 << 20 // bytes of a request that is sent with its length; a longer one goes in chunks
	minGzip      = 1 << 10
)

// client is the HTTP of one remote.
type client struct {
	call     *engine.Call
	config   Config
	http     http.Client
	settings map[string]string // http.* of git's configuration, for this URL; keys in lower case, without "http."
	protocol string            // Git-Protocol that is asked for
	base     *url.URL          // ends with a slash; without user and password
	moved    bool              // the server has sent us to another base

	user, password string
	known          bool // user and password are for base
	asked          bool // they came from git's credential helpers
	ours           bool // they are the host's
	ownRoots       bool // the sandbox has changed its file of authorities
}

func (c Config) newClient(ctx context.Context, call *engine.Call, base *url.URL) (*client, error) {
	cl := &client{call: call, config: c, base: base, settings: map[string]string{}}
	if base.User != nil {
		cl.user = base.User.Username()
		cl.password, cl.known = base.User.Password()
		plain := *base
		plain.User = nil
		cl.base = &plain
	}
	for _, entry := range strings.Split(cl.git(ctx, "", "config", "-z", "--get-urlmatch", "http", cl.base.String()), "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		cl.settings[strings.TrimPrefix(strings.ToLower(key), "http.")] = value
	}
	switch strings.TrimSpace(cl.git(ctx, "", "config", "protocol.version")) {
	case "0":
	case "1":
		cl.protocol = "version=1"
	default:
		cl.protocol = "version=2"
	}
	trust, err := cl.trust()
	if err != nil {
		return nil, err
	}
	cl.http = http.Client{
		Transport: &http.Transport{
			DialContext: call.Dialer().DialContext, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 30 * time.Second, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 1 << 20,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return cl, nil
}

func (cl *client) close() { cl.http.CloseIdleConnections() }

// git answers what a git command writes, or "".
func (cl *client) git(ctx context.Context, input string, args ...string) string {
	var out bytes.Buffer
	status, err := cl.call.Run(ctx, engine.Command{Args: append([]string{"/usr/bin/git"}, args...), Stdin: strings.NewReader(input), Stdout: &out})
	if err != nil || status != 0 {
		return ""
	}
	return out.String()
}

// name is the remote's URL as messages show it.
func (cl *client) name() string { return cl.base.String() }

// advertisement asks for a service, follows where the server sends us, and makes that the base.
func (cl *client) advertisement(ctx context.Context, service, header string) (kind string, body []byte, err error) {
	at := cl.base.JoinPath("info/refs")
	at.RawQuery = url.Values{"service": {service}}.Encode()
	start := *at
	for range maxRedirects {
		res, err := cl.authorized(ctx, func() (*http.Request, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
			if err == nil {
				req.Header.Set("Pragma", "no-cache")
				cl.dress(req, header)
			}
			return req, err
		})
		if err != nil {
			return "", nil, err
		}
		if next := res.Header.Get("Location"); next != "" && res.StatusCode/100 == 3 {
			res.Body.Close()
			if at, err = cl.follow(at, next); err != nil {
				return "", nil, err
			}
			continue
		}
		defer res.Body.Close()
		if err := cl.refused(res); err != nil {
			return "", nil, err
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAdvertisement+1))
		if err != nil {
			return "", nil, cl.failed(err)
		}
		if len(body) > maxAdvertisement {
			return "", nil, fatalf("unable to access '%s': the list of refs has more than %d MiB", cl.name(), maxAdvertisement>>20)
		}
		return res.Header.Get("Content-Type"), body, cl.rebase(&start, at)
	}
	return "", nil, fatalf("unable to access '%s': Maximum (%d) redirects followed", cl.name(), maxRedirects)
}

// follow answers where a redirection leads. Credentials stay with the host that they are for.
func (cl *client) follow(from *url.URL, to string) (*url.URL, error) {
	next, err := from.Parse(to)
	switch {
	case cl.settings["followredirects"] == "false":
		return nil, fatalf("unable to access '%s': The requested URL returned error: 301", cl.name())
	case err != nil || next.Scheme != "http" && next.Scheme != "https":
		return nil, fatalf("unable to access '%s': Unsupported protocol in a redirection", cl.name())
	case from.Scheme == "https" && next.Scheme == "http":
		return nil, fatalf("unable to access '%s': refusing a redirection from https to http", cl.name())
	}
	next.User = nil
	if next.Host != from.Host || next.Scheme != from.Scheme {
		cl.user, cl.password, cl.known, cl.ours, cl.asked = "", "", false, false, false
	}
	return next, nil
}

// rebase makes the base of where the advertisement has been found.
func (cl *client) rebase(asked, found *url.URL) error {
	if *asked == *found {
		return nil
	}
	base := *found
	suffix := "/info/refs"
	if !strings.HasSuffix(base.Path, suffix) || base.RawQuery != asked.RawQuery {
		return fatalf("unable to update url base from redirection:\n  asked for: %s\n   redirect: %s", asked, found)
	}
	base.Path, base.RawQuery = strings.TrimSuffix(base.Path, "info/refs"), ""
	cl.base, cl.moved = &base, true
	return nil
}

// post sends a request to a service and copies its answer.
func (cl *client) post(ctx context.Context, service, header string, body io.Reader, to io.Writer) error {
	first, err := io.ReadAll(io.LimitReader(body, maxBuffered+1))
	if err != nil {
		return fatalf("%v", err)
	}
	at := cl.base.JoinPath(service).String()
	make := func(content func() (io.Reader, string)) func() (*http.Request, error) {
		return func() (*http.Request, error) {
			r, encoding := content()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, r)
			if err != nil {
				return nil, err
			}
			req.Header.Set("Content-Type", "application/x-"+service+"-request")
			req.Header.Set("Accept", "application/x-"+service+"-result")
			if encoding != "" {
				req.Header.Set("Content-Encoding", encoding)
			}
			cl.dress(req, header)
			return req, nil
		}
	}
	var res *http.Response
	if len(first) <= maxBuffered {
		res, err = cl.authorized(ctx, make(func() (io.Reader, string) { return compressed(first, service) }))
	} else {
		// What is read as it is sent can't be sent twice: the server is asked before whether it takes anything from us.
		probe, err := cl.authorized(ctx, make(func() (io.Reader, string) { return strings.NewReader("0000"), "" }))
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(probe.Body, maxBuffered))
		probe.Body.Close()
		if err := cl.refused(probe); err != nil {
			return err
		}
		req, err := make(func() (io.Reader, string) { return io.MultiReader(bytes.NewReader(first), body), "" })()
		if err != nil {
			return cl.failed(err)
		}
		if res, err = cl.do(req); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := cl.refusedRPC(res); err != nil {
		return err
	}
	return cl.copy(to, res.Body)
}

// copy passes on what the server sends, and counts it as work.
func (cl *client) copy(to io.Writer, from io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if err := cl.call.Charge(int64(n)); err != nil {
				return err
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return silent{statusFatal} // who reads has given up, and said why
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			fmt.Fprintf(cl.call.Stderr, "error: RPC failed; %v\n", err)
			return silent{statusFatal}
		}
	}
}

func compressed(b []byte, service string) (io.Reader, string) {
	if len(b) <= minGzip || service != "git-upload-pack" {
		return bytes.NewReader(b), ""
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(b)
	_ = w.Close()
	return &z, "gzip"
}

// dress adds what every request has.
func (cl *client) dress(req *http.Request, protocol string) {
	agent := cl.settings["useragent"]
	if env := cl.call.Getenv("GIT_HTTP_USER_AGENT"); env != "" {
		agent = env
	}
	if agent == "" {
		agent = "git/" + Version
	}
	req.Header.Set("User-Agent", agent)
	if protocol != "" {
		req.Header.Set("Git-Protocol", protocol)
	}
	if key, value, ok := strings.Cut(cl.settings["extraheader"], ":"); ok {
		req.Header.Set(strings.TrimSpace(key), strings.TrimSpace(value))
	}
}

// failed says in curl's words why there was no answer.
func (cl *client) failed(err error) error {
	why := err.Error()
	var at *url.Error
	if errors.As(err, &at) {
		why = at.Err.Error()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		why = fmt.Sprintf("Failed to connect to %s: Couldn't connect to server", cl.base.Host)
	}
	if told := cl.untrusted(err); told != "" {
		why = told
	}
	if errors.Is(err, engine.ErrDenied) {
		why = "the sandbox's network policy does not allow it: " + why
	}
	return fatalf("unable to access '%s': %s", cl.name(), why)
}

// refused makes an error of an answer that is none.
func (cl *client) refused(res *http.Response) error {
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusUnauthorized:
		return fatalf("Authentication failed for '%s'", cl.name())
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		return fatalf("repository '%s' not found", cl.name())
	}
	return fatalf("unable to access '%s': The requested URL returned error: %d", cl.name(), res.StatusCode)
}

func (cl *client) refusedRPC(res *http.Response) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	fmt.Fprintf(cl.call.Stderr, "error: RPC failed; HTTP %d curl 22 The requested URL returned error: %d\n", res.StatusCode, res.StatusCode)
	return silent{statusFatal}
}
