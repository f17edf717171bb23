package git

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// authorized sends a request, and once more with a user and a password if the server asks for them: those of the URL, the
// host's own, or what git's credential helpers and GIT_ASKPASS answer.
func (cl *client) authorized(ctx context.Context, request func() (*http.Request, error)) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		req, err := request()
		if err != nil {
			return nil, cl.failed(err)
		}
		res, err := cl.do(req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusUnauthorized {
			if cl.asked && res.StatusCode/100 == 2 {
				cl.git(ctx, cl.description(), "credential", "approve")
				cl.asked = false
			}
			return res, nil
		}
		found, err := cl.credentials(ctx)
		if err != nil || !found || attempt == 2 {
			if err != nil {
				res.Body.Close()
			}
			return res, err
		}
		res.Body.Close()
	}
}

func (cl *client) do(req *http.Request) (*http.Response, error) {
	if cl.known {
		req.SetBasicAuth(cl.user, cl.password)
	}
	res, err := cl.http.Do(req)
	if err != nil {
		return nil, cl.failed(err)
	}
	return res, nil
}

// credentials finds some that have not been refused, and reports whether there are any. Where git can't ask it has said so.
func (cl *client) credentials(ctx context.Context) (bool, error) {
	if cl.known && cl.asked {
		cl.git(ctx, cl.description(), "credential", "reject")
		return false, nil
	}
	refused := cl.known
	if refused && !cl.ours {
		return false, nil
	}
	if !refused && cl.config.Credentials != nil && !cl.ownTrust() {
		if user, password, ok := cl.config.Credentials(ctx, cl.base.Scheme, cl.base.Host); ok {
			cl.user, cl.password, cl.known, cl.ours = user, password, true, true
			return true, nil
		}
	}
	if refused {
		cl.user, cl.password = "", ""
	}
	cl.known, cl.ours = false, false
	answer := cl.git(ctx, cl.description(), "credential", "fill")
	if answer == "" {
		return false, silent{statusFatal}
	}
	for line := range strings.Lines(answer) {
		switch key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "="); key {
		case "username":
			cl.user = value
		case "password":
			cl.password, cl.known = value, true
		}
	}
	cl.asked = cl.known
	return cl.known, nil
}

// description is the remote, and what is known of it, in the form of git credential. What is the host's is not in it.
func (cl *client) description() string {
	out := fmt.Sprintf("protocol=%s\nhost=%s\n", cl.base.Scheme, cl.base.Host)
	if cl.ours {
		return out
	}
	if cl.user != "" {
		out += "username=" + cl.user + "\n"
	}
	if cl.known {
		out += "password=" + cl.password + "\n"
	}
	return out
}
