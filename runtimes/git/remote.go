package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// statusFatal is git's exit status where it gives up.
const statusFatal = 128

// remote is one run of git-remote-http: what git's remote-curl does, by the host's HTTP and the sandbox's network policy.
// See https://git-scm.com/docs/gitremote-helpers.
type remote struct {
	ctx    context.Context
	call   *engine.Call
	in     *bufio.Reader
	client *client
	opts   options
	found  *discovery
}

// fatal is what ends the helper, in git's words.
type fatal struct{ message string }

func (f fatal) Error() string { return f.message }

func fatalf(format string, args ...any) error { return fatal{fmt.Sprintf(format, args...)} }

// serveRemote is the program git-remote-http.
func (c Config) serveRemote(ctx context.Context, call *engine.Call) int {
	err := c.remote(ctx, call)
	var said silent
	switch {
	case err == nil:
		return 0
	case errors.As(err, &said):
		return said.status
	}
	fmt.Fprintf(call.Stderr, "fatal: %s\n", strings.TrimSpace(err.Error()))
	return statusFatal
}

// silent is an end whose reason others have told.
type silent struct{ status int }

func (s silent) Error() string { return fmt.Sprintf("status %d", s.status) }

func (c Config) remote(ctx context.Context, call *engine.Call) error {
	if len(call.Args) < 3 {
		fmt.Fprintln(call.Stderr, "error: remote-curl: usage: git remote-curl <remote> [<url>]")
		return silent{1}
	}
	base, err := url.Parse(call.Args[2])
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return fatalf("unable to access '%s': URL rejected", call.Args[2])
	}
	if !strings.HasSuffix(base.Path, "/") {
		base = base.JoinPath("/")
	}
	client, err := c.newClient(ctx, call, base)
	if err != nil {
		return err
	}
	defer client.close()
	r := &remote{ctx: ctx, call: call, in: bufio.NewReaderSize(call.Stdin, packetMax), client: client}
	r.opts.verbosity = 1
	_, _, r.opts.progress = call.Terminal(2)
	for {
		line, err := r.line()
		if err != nil || line == "" {
			return nil // git has closed the pipe, or said that it is done
		}
		if done, err := r.command(line); done || err != nil {
			return err
		}
	}
}

// maxLine bounds a line of git's: a ref's name is bounded by the paths of files.
const maxLine = 64 << 10

func (r *remote) line() (string, error) {
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return string(line[:len(line)-1]), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine {
			return "", io.ErrUnexpectedEOF
		}
	}
}

func (r *remote) command(line string) (done bool, err error) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "capabilities":
		return false, r.say("stateless-connect\nfetch\noption\npush\ncheck-connectivity\nobject-format\n\n")
	case "option":
		name, value, ok := strings.Cut(rest, " ")
		if !ok {
			value = "true"
		}
		return false, r.say(r.opts.set(name, value) + "\n")
	case "list":
		return false, r.list(rest == "for-push")
	case "fetch":
		return false, r.fetch(line)
	case "push":
		return false, r.push(line)
	case "stateless-connect":
		return r.connect(rest)
	}
	fmt.Fprintf(r.call.Stderr, "error: remote-curl: unknown command '%s' from git\n", line)
	return true, silent{1}
}

func (r *remote) say(text string) error {
	_, err := io.WriteString(r.call.Stdout, text)
	return err
}

// connect lends git a connection of protocol version 2, on which every request ends with a flush.
func (r *remote) connect(service string) (done bool, err error) {
	d, err := r.discover(service)
	if err != nil {
		return true, err
	}
	if d.version != 2 {
		return false, r.say("fallback\n")
	}
	if err := r.say("\n" + string(d.rest)); err != nil {
		return true, err
	}
	d.rest = nil
	for {
		q := &request{from: r.in, framed: true}
		if more, err := q.begin(); !more || err != nil {
			return true, err
		}
		if err := r.post(service, q, r.call.Stdout); err != nil {
			return true, err
		}
		if err := r.say("0002"); err != nil {
			return true, err
		}
	}
}

func (r *remote) post(service string, q io.Reader, to io.Writer) error {
	return r.client.post(r.ctx, service, r.found.header, q, to)
}

// list tells git the remote's refs.
func (r *remote) list(forPush bool) error {
	service := "git-upload-pack"
	if forPush {
		service = "git-receive-pack"
	}
	d, err := r.discover(service)
	if err != nil {
		return err
	}
	refs, err := d.refs()
	if err != nil {
		return err
	}
	var out strings.Builder
	if r.opts.objectFormat {
		fmt.Fprintf(&out, ":object-format %s\n", d.format)
	}
	for _, ref := range refs {
		if ref.target != "" {
			fmt.Fprintf(&out, "@%s %s\n", ref.target, ref.name)
		} else {
			fmt.Fprintf(&out, "%s %s\n", ref.hash, ref.name)
		}
	}
	return r.say(out.String() + "\n")
}

// batch reads the lines that begin with a verb, up to an empty one.
func (r *remote) batch(verb, first string) ([]string, error) {
	var lines []string
	for line := first; line != ""; {
		rest, ok := strings.CutPrefix(line, verb+" ")
		if !ok {
			return nil, fatalf("http transport does not support %s", line)
		}
		lines = append(lines, rest)
		var err error
		if line, err = r.line(); err != nil {
			return nil, silent{0} // git is gone
		}
	}
	return lines, nil
}

func (r *remote) fetch(first string) error {
	wanted, err := r.batch("fetch", first)
	if err != nil {
		return err
	}
	var preamble strings.Builder
	for _, line := range wanted {
		if hash, name, _ := strings.Cut(line, " "); hash == "" || name == "" {
			return fatalf("cannot fetch by sha1 over smart http")
		}
		preamble.WriteString(packet(line + "\n"))
	}
	args := append([]string{"fetch-pack", "--stateless-rpc", "--stdin", "--lock-pack"}, r.opts.fetchArgs()...)
	if err := r.exchange("git-upload-pack", append(args, r.client.base.String()), preamble.String()+"0000"); err != nil {
		return err
	}
	return r.say("\n")
}

func (r *remote) push(first string) error {
	specs, err := r.batch("push", first)
	if err != nil {
		return err
	}
	var preamble strings.Builder
	for _, spec := range specs {
		preamble.WriteString(packet(spec + "\n"))
	}
	args := append([]string{"send-pack", "--stateless-rpc", "--helper-status"}, r.opts.pushArgs()...)
	args = append(args, r.client.base.String())
	if r.opts.forceIfIncludes {
		args = append(args, "--force-if-includes")
	}
	err = r.exchange("git-receive-pack", append(args, "--stdin"), preamble.String()+"0000")
	if told := r.say("\n"); err == nil {
		err = told
	}
	return err
}

// exchange lets a git command talk to a service: each of its requests is posted, and it is given the answer. What it
// writes after its last request is for git.
func (r *remote) exchange(service string, args []string, preamble string) error {
	d, err := r.discover(service)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	to, from := newConduit(), newConduit()
	ended := make(chan error, 1)
	go func() { // ends with the command, which cancel ends
		status, err := r.call.Run(ctx, engine.Command{Args: append([]string{"/usr/bin/git"}, args...), Stdin: to, Stdout: from})
		if err == nil && status != 0 {
			err = silent{statusFatal}
		}
		from.end()
		to.close()
		ended <- err
	}()
	err = r.converse(service, io.MultiReader(strings.NewReader(preamble), strings.NewReader(string(d.rest))), to, from)
	to.end()
	if err != nil {
		cancel()
		from.close()
		<-ended
		return err
	}
	return <-ended
}

func (r *remote) converse(service string, opening io.Reader, to, from *conduit) error {
	in := bufio.NewReaderSize(from, packetMax)
	if _, err := io.Copy(to, opening); err != nil {
		return silent{statusFatal} // the command has said why
	}
	for {
		q := &request{from: in}
		more, err := q.begin()
		if errors.Is(err, io.EOF) {
			return silent{statusFatal}
		}
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := r.post(service, q, to); err != nil {
			return err
		}
	}
	to.end()
	_, err := io.Copy(r.call.Stdout, in)
	return err
}
