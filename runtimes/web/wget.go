package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// wgetRun is one command line.
type wgetRun struct {
	call *engine.Call

	quiet, brief, showHead, spider              bool
	output, prefix, post, user, password, agent string
	timeout, connect                            string
	headers                                     []string
}

func wget(ctx context.Context, call *engine.Call) int {
	r := &wgetRun{call: call}
	urls, err := parse(call.Args[1:], []option{
		flag('q', "quiet", &r.quiet), flag(0, "no-verbose", &r.brief), flag('S', "server-response", &r.showHead), flag(0, "spider", &r.spider),
		text('O', "output-document", &r.output), text('P', "directory-prefix", &r.prefix), text(0, "post-data", &r.post), text(0, "user", &r.user),
		text(0, "password", &r.password), text('U', "user-agent", &r.agent), text('T', "timeout", &r.timeout), text(0, "connect-timeout", &r.connect),
		list(0, "header", &r.headers),
		{'n', "", true, func(v string) error { // -nv, -nc, -nd
			if r.brief = v == "v"; r.brief || v == "d" {
				return nil
			}
			return fmt.Errorf("option -n%s: is unknown, or not supported here", v)
		}},
		ignored('t', "tries", true), ignored(0, "show-progress", false), ignored(0, "progress", true), ignored('4', "inet4-only", false),
	}, true)
	if err != nil {
		fmt.Fprintf(call.Stderr, "wget: %v\nUsage: wget [OPTION]... [URL]...\n", err)
		return 2
	}
	if len(urls) == 0 {
		fmt.Fprintln(call.Stderr, "wget: missing URL\nUsage: wget [OPTION]... [URL]...")
		return 1
	}
	status := 0
	for _, text := range urls {
		if s := r.one(ctx, text); s != 0 {
			status = s
		}
	}
	return status
}

func (r *wgetRun) say(format string, args ...any) {
	if !r.quiet {
		fmt.Fprintf(r.call.Stderr, format, args...)
	}
}

func (r *wgetRun) one(ctx context.Context, text string) int {
	u, err := parseURL(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		r.say("%s: Unsupported scheme or invalid URL.\n", text)
		return 1
	}
	client := newClient(r.call, seconds(r.connect))
	defer client.CloseIdleConnections()
	client.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if len(via) > 20 {
			return errRedirects
		}
		return nil
	}
	if d := seconds(r.timeout); d > 0 {
		client.Timeout = d
	}
	method, body := "GET", io.Reader(nil)
	switch {
	case r.post != "":
		method, body = "POST", strings.NewReader(r.post)
	case r.spider:
		method = "HEAD"
	}
	at := *u
	at.User = nil
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		r.say("%s: Invalid URL.\n", text)
		return 1
	}
	req.Header.Set("User-Agent", "Wget/1.21.3")
	if r.agent != "" {
		req.Header.Set("User-Agent", r.agent)
	}
	if r.post != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.user != "" {
		req.SetBasicAuth(r.user, r.password)
	} else if u.User != nil {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	for _, h := range r.headers {
		if name, value, ok := strings.Cut(h, ":"); ok {
			req.Header.Set(name, strings.TrimSpace(value))
		}
	}
	res, err := client.Do(req)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err
		}
		code, text := failure(u, err)
		r.say("wget: %s\n", text)
		if code == 60 {
			return 5
		}
		return 4
	}
	defer res.Body.Close()
	if r.showHead && !r.quiet {
		fmt.Fprint(r.call.Stderr, headerText(res))
	}
	if res.StatusCode >= 400 {
		r.say("ERROR %d: %s.\n", res.StatusCode, http.StatusText(res.StatusCode))
		if res.StatusCode == http.StatusUnauthorized {
			return 6
		}
		return 8
	}
	if r.spider {
		r.say("Remote file exists.\n")
		return 0
	}
	return r.save(res, u)
}

func (r *wgetRun) save(res *http.Response, u *url.URL) int {
	body := charged{res.Body, r.call}
	if r.output == "-" {
		if _, err := io.Copy(r.call.Stdout, body); err != nil {
			return 3
		}
		return 0
	}
	name := r.output
	if name == "" {
		if name = fileName(u); name == "" {
			name = "index.html"
		}
		free := name
		for i := 1; i < 1000; i++ { // what is there is kept, as wget does
			if _, err := r.call.Files.Lstat(r.call.Abs(path.Join(r.prefix, free))); err != nil {
				break
			}
			free = fmt.Sprintf("%s.%d", name, i)
		}
		name = path.Join(r.prefix, free)
		if r.prefix != "" {
			r.call.Files.MkdirAll(r.call.Abs(r.prefix), 0o777) //nolint:errcheck // opening the file tells
		}
	}
	f, err := create(r.call, name)
	if err != nil {
		r.say("%s: %v\n", name, err)
		return 3
	}
	n, err := io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err != nil {
		r.say("%s: %v\n", name, err)
		return 3
	}
	r.say("‘%s’ saved [%d]\n", name, n)
	return 0
}
