package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

const maxBody = 256 << 20 // bytes of a request that is read before it is sent

// curlRun is one command line.
type curlRun struct {
	call *engine.Call

	silent, showError, location, remoteName, head, include, fail, failBody, get, verbose, compressed, createDirs bool
	method, format, user, agent, referer, cookie, dump, upload, rangeOf, maxTime, connectTimeout, retry, redirs  string
	headers, outputs, urls, forms                                                                                []string
	data                                                                                                         [][]byte
	hasData, json                                                                                                bool
}

func (r *curlRun) options() []option {
	data := func(encode, raw, binary bool) func(string) error {
		return func(v string) error { return r.addData(v, encode, raw, binary) }
	}
	return []option{
		flag('s', "silent", &r.silent), flag('S', "show-error", &r.showError), flag('L', "location", &r.location),
		flag('O', "remote-name", &r.remoteName), flag('I', "head", &r.head), flag('i', "include", &r.include), flag(0, "show-headers", &r.include),
		flag('f', "fail", &r.fail), flag(0, "fail-with-body", &r.failBody), flag('G', "get", &r.get), flag('v', "verbose", &r.verbose),
		flag(0, "compressed", &r.compressed), flag(0, "create-dirs", &r.createDirs),
		text('X', "request", &r.method), text('w', "write-out", &r.format), text('u', "user", &r.user), text('A', "user-agent", &r.agent),
		text('e', "referer", &r.referer), text('b', "cookie", &r.cookie), text('D', "dump-header", &r.dump), text('T', "upload-file", &r.upload),
		text('r', "range", &r.rangeOf), text('m', "max-time", &r.maxTime), text(0, "connect-timeout", &r.connectTimeout),
		text(0, "retry", &r.retry), text(0, "max-redirs", &r.redirs),
		list('H', "header", &r.headers), list('o', "output", &r.outputs), list(0, "url", &r.urls), list('F', "form", &r.forms),
		{'d', "data", true, data(false, false, false)}, {0, "data-ascii", true, data(false, false, false)},
		{0, "data-raw", true, data(false, true, false)}, {0, "data-binary", true, data(false, false, true)},
		{0, "data-urlencode", true, data(true, false, false)},
		{0, "json", true, func(v string) error { r.json = true; return r.addData(v, false, false, true) }},
		ignored('N', "no-buffer", false), ignored('#', "progress-bar", false), ignored(0, "no-progress-meter", false), ignored('q', "disable", false),
		ignored('4', "ipv4", false), ignored('6', "ipv6", false), ignored(0, "http1.1", false), ignored(0, "http2", false), ignored('g', "globoff", false),
		ignored(0, "tlsv1.2", false), ignored(0, "tlsv1.3", false), ignored('1', "tlsv1", false), ignored(0, "proto", true), ignored(0, "proto-redir", true),
		ignored(0, "retry-delay", true), ignored(0, "retry-connrefused", false), ignored(0, "retry-all-errors", false), ignored(0, "retry-max-time", true),
	}
}

// addData adds to what is posted: text, a file's after @ (without its line ends unless binary), or encoded for a URL.
func (r *curlRun) addData(v string, encode, raw, binary bool) error {
	r.hasData = true
	b := []byte(v)
	name := ""
	if encode {
		if i := strings.IndexAny(v, "=@"); i >= 0 && v[i] == '=' {
			name, b = v[:i], []byte(v[i+1:])
		} else if i >= 0 {
			name, v = v[:i], v[i:]
			b = nil
		}
	}
	if file, ok := strings.CutPrefix(v, "@"); ok && !raw && (!encode || b == nil) {
		var err error
		if b, err = readAll(r.call, file, maxBody); err != nil {
			return fmt.Errorf("%w", &statusError{26, "Failed to open " + file})
		}
		if !binary && !encode {
			b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r"), nil), []byte("\n"), nil)
		}
	}
	if encode {
		b = []byte(strings.ReplaceAll(url.QueryEscape(string(b)), "+", "%20"))
		if name != "" {
			b = append([]byte(name+"="), b...)
		}
	}
	r.data = append(r.data, b)
	return nil
}

// statusError is a failure with curl's number for it.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func curl(ctx context.Context, call *engine.Call) int {
	r := &curlRun{call: call, redirs: "50"}
	if len(call.Args) == 2 && (call.Args[1] == "-V" || call.Args[1] == "--version") {
		fmt.Fprintln(call.Stdout, "curl 8.0.0 (belljar)\nProtocols: http https\nFeatures: HTTP2 IPv6 Largefile SSL")
		return 0
	}
	urls, err := parse(call.Args[1:], r.options(), false)
	if err != nil {
		var s *statusError
		if errors.As(err, &s) {
			return r.complain(s.status, s.text)
		}
		fmt.Fprintf(call.Stderr, "curl: %v\ncurl: try 'curl --help' for more information\n", err)
		return 2
	}
	r.urls = append(r.urls, urls...)
	if len(r.urls) == 0 {
		fmt.Fprintln(call.Stderr, "curl: (2) no URL specified")
		return 2
	}
	status := 0
	for i, text := range r.urls {
		if s := r.one(ctx, text, i); s != 0 {
			status = s
		}
	}
	return status
}

func (r *curlRun) complain(status int, text string) int {
	if !r.silent || r.showError {
		fmt.Fprintf(r.call.Stderr, "curl: (%d) %s\n", status, text)
	}
	return status
}

// seconds reads a time limit; 0 is none.
func seconds(s string) time.Duration {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v <= 0 || v > 1e6 {
		return 0
	}
	return time.Duration(v * float64(time.Second))
}

// one transfers one URL.
func (r *curlRun) one(ctx context.Context, text string, i int) int {
	u, err := parseURL(text)
	if err != nil {
		return r.complain(3, err.Error())
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return r.complain(1, fmt.Sprintf("Protocol %q not supported", u.Scheme))
	}
	if d := seconds(r.maxTime); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	client := newClient(r.call, seconds(r.connectTimeout))
	defer client.CloseIdleConnections()
	var hops strings.Builder
	most, _ := strconv.Atoi(r.redirs)
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch {
		case !r.location:
			return http.ErrUseLastResponse
		case most >= 0 && len(via) > most:
			return fmt.Errorf("%w (%d)", errRedirects, most)
		}
		hops.WriteString(headerText(req.Response))
		return nil
	}
	start := time.Now()
	var res *http.Response
	retries, _ := strconv.Atoi(r.retry)
	for try := 0; ; try++ {
		req, status := r.request(ctx, u)
		if status != 0 {
			return status
		}
		res, err = client.Do(req)
		transient := err == nil && (res.StatusCode == 429 || res.StatusCode >= 500) || err != nil && ctx.Err() == nil && !errors.Is(err, engine.ErrDenied)
		if !transient || try >= min(retries, 10) {
			break
		}
		if err == nil {
			res.Body.Close()
		}
		select {
		case <-time.After(time.Second << min(try, 5)):
		case <-ctx.Done():
		}
	}
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			if at, parseErr := url.Parse(told.URL); parseErr == nil {
				u = at
			}
			err = told.Err
		}
		status, text := failure(u, err)
		return r.complain(status, text)
	}
	defer res.Body.Close()
	return r.answer(res, hops.String(), i, start)
}

// request makes the request.
func (r *curlRun) request(ctx context.Context, u *url.URL) (*http.Request, int) {
	method, body, kind := "GET", []byte(nil), ""
	at := *u
	joined := bytes.Join(r.data, []byte("&"))
	switch {
	case r.head:
		method = "HEAD"
	case len(r.forms) > 0:
		method = "POST"
		var status int
		if body, kind, status = r.form(); status != 0 {
			return nil, status
		}
	case r.hasData && r.get:
		at.RawQuery = strings.Trim(at.RawQuery+"&"+string(joined), "&")
	case r.hasData:
		method, kind = "POST", "application/x-www-form-urlencoded"
		if body = joined; r.json {
			body, kind = bytes.Join(r.data, nil), "application/json"
		}
	case r.upload != "":
		method = "PUT"
		var err error
		if body, err = readAll(r.call, r.upload, maxBody); err != nil {
			return nil, r.complain(26, "Can't open '"+r.upload+"'!")
		}
		if strings.HasSuffix(at.Path, "/") && r.upload != "-" {
			at.Path += path.Base(r.upload)
		}
	}
	if r.method != "" {
		method = r.method
	}
	at.User = nil
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, r.complain(3, "URL rejected: Malformed input to a URL function")
	}
	if body == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	set := func(name, value string) {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	set("User-Agent", "curl/8.0.0")
	set("Accept", "*/*")
	set("Content-Type", kind)
	if r.json {
		set("Accept", "application/json")
	}
	set("User-Agent", r.agent)
	set("Referer", r.referer)
	set("Cookie", r.cookie)
	if r.rangeOf != "" {
		set("Range", "bytes="+r.rangeOf)
	}
	if r.compressed {
		set("Accept-Encoding", "gzip")
	}
	if user, password, ok := strings.Cut(r.user, ":"); ok || r.user != "" {
		req.SetBasicAuth(user, password)
	} else if u.User != nil {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	for _, h := range r.headers {
		name, value, ok := strings.Cut(h, ":")
		switch {
		case !ok:
			req.Header.Set(strings.TrimSuffix(name, ";"), "")
		case strings.EqualFold(name, "Host"):
			req.Host = strings.TrimSpace(value)
		case strings.TrimSpace(value) == "":
			req.Header.Del(name)
		default:
			req.Header.Set(name, strings.TrimSpace(value))
		}
	}
	if r.verbose {
		fmt.Fprintf(r.call.Stderr, "> %s %s HTTP/1.1\n> Host: %s\n", req.Method, req.URL.RequestURI(), req.URL.Host)
	}
	return req, 0
}

// form makes a multipart body of name=value and name=@file.
func (r *curlRun) form() (body []byte, kind string, status int) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range r.forms {
		name, value, ok := strings.Cut(f, "=")
		if !ok {
			return nil, "", r.complain(2, "Illegally formatted input field")
		}
		file, isFile := strings.CutPrefix(value, "@")
		if !isFile {
			w.WriteField(name, value) //nolint:errcheck // to a buffer
			continue
		}
		file, _, _ = strings.Cut(file, ";")
		content, err := readAll(r.call, file, maxBody)
		if err != nil {
			return nil, "", r.complain(26, "Failed to open/read local data from file/application")
		}
		part, err := w.CreateFormFile(name, path.Base(file))
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			return nil, "", r.complain(26, err.Error())
		}
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType(), 0
}

// answer writes a response where it is to go.
func (r *curlRun) answer(res *http.Response, hops string, i int, start time.Time) int {
	head := hops + headerText(res)
	if r.verbose {
		for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n"), "\r\n") {
			fmt.Fprintln(r.call.Stderr, "<", line)
		}
	}
	out, done, status := r.output(res.Request.URL, i)
	if status != 0 {
		return status
	}
	if r.dump != "" && r.dump != "-" {
		if f, err := create(r.call, r.dump); err == nil {
			io.WriteString(f, head)
			f.Close()
		}
	}
	var n int64
	var err error
	failed := (r.fail || r.failBody) && res.StatusCode >= 400
	if !failed || r.failBody {
		if r.include || r.head || r.dump == "-" {
			_, err = io.WriteString(out, head)
		}
		if err == nil && !r.head {
			body := io.Reader(charged{res.Body, r.call})
			if r.compressed && res.Header.Get("Content-Encoding") == "gzip" {
				if body, err = gzip.NewReader(body); err != nil {
					err = fmt.Errorf("%w", &statusError{61, "Error while processing content unencoding"})
				}
			}
			if err == nil {
				n, err = io.Copy(out, body)
			}
		}
	}
	if closeErr := done(); err == nil && closeErr != nil {
		err = fmt.Errorf("%w", &statusError{23, "Failure writing output to destination"})
	}
	r.writeOut(res, n, start)
	var s *statusError
	switch {
	case errors.As(err, &s):
		return r.complain(s.status, s.text)
	case errors.Is(err, io.ErrClosedPipe):
		return 23
	case err != nil && errors.Is(err, context.DeadlineExceeded):
		return r.complain(28, "Operation timed out")
	case err != nil && errors.Is(err, io.ErrUnexpectedEOF):
		return r.complain(18, "transfer closed with outstanding read data remaining")
	case err != nil:
		return r.complain(23, "Failure writing output to destination")
	case failed:
		return r.complain(22, fmt.Sprintf("The requested URL returned error: %d", res.StatusCode))
	}
	return 0
}

// output opens what a transfer is written to.
func (r *curlRun) output(u *url.URL, i int) (io.Writer, func() error, int) {
	name := ""
	switch {
	case i < len(r.outputs):
		name = r.outputs[i]
	case r.remoteName:
		if name = fileName(u); name == "" {
			return nil, nil, r.complain(23, "Remote file name has no length")
		}
	}
	if name == "" || name == "-" {
		return r.call.Stdout, func() error { return nil }, 0
	}
	if r.createDirs {
		r.call.Files.MkdirAll(path.Dir(r.call.Abs(name)), 0o750) //nolint:errcheck // opening the file tells
	}
	f, err := create(r.call, name)
	if err != nil {
		return nil, nil, r.complain(23, "Failure writing output to destination")
	}
	return f, f.Close, 0
}

// writeOut prints -w's text.
func (r *curlRun) writeOut(res *http.Response, n int64, start time.Time) {
	if r.format == "" {
		return
	}
	values := []string{
		`\n`, "\n", `\t`, "\t", `\r`, "\r", "%%", "%",
		"%{http_code}", fmt.Sprintf("%03d", res.StatusCode), "%{response_code}", fmt.Sprintf("%03d", res.StatusCode),
		"%{url_effective}", res.Request.URL.String(), "%{content_type}", res.Header.Get("Content-Type"),
		"%{size_download}", strconv.FormatInt(n, 10), "%{time_total}", fmt.Sprintf("%.6f", time.Since(start).Seconds()),
		"%{http_version}", fmt.Sprintf("%d.%d", res.ProtoMajor, res.ProtoMinor), "%{method}", res.Request.Method,
		"%{redirect_url}", res.Header.Get("Location"), "%{scheme}", strings.ToUpper(res.Request.URL.Scheme),
	}
	fmt.Fprint(r.call.Stdout, strings.NewReplacer(values...).Replace(r.format))
}
