package gitops

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// address is where a repository is: in the tree, or on a server.
type address struct {
	scheme   string // "" is in the tree; else https, http, ssh, git
	host     string // and the port, if one was given
	path     string
	user     string
	password string // of a URL that has one; never told
	hasPass  bool
}

// parseAddress takes apart what git takes for a repository: a URL, host:path, which is SSH, or a path in the tree.
func parseAddress(from string) (address, error) {
	if strings.ContainsFunc(from, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return address{}, fmt.Errorf("source: %w", ErrName)
	}
	if !strings.Contains(from, "://") {
		host, rest, ok := strings.Cut(from, ":")
		if !ok || strings.Contains(host, "/") || host == "" {
			return address{path: from}, nil
		}
		a := address{scheme: "ssh", host: host, path: rest}
		if user, host, ok := strings.Cut(host, "@"); ok {
			a.user, a.host = user, host
		}
		return a, a.check()
	}
	u, err := url.Parse(from)
	if err != nil {
		return address{}, fmt.Errorf("source: %w", ErrTransport) // its text may hold a password
	}
	a := address{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Host), path: u.Path}
	if u.User != nil {
		a.user = u.User.Username()
		a.password, a.hasPass = u.User.Password()
	}
	switch a.scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return address{}, fmt.Errorf("source: %w", ErrTransport)
		}
		return address{path: u.Path}, nil
	case "git+ssh", "ssh+git":
		a.scheme = "ssh"
	case "https", "http":
		a.path = u.EscapedPath()
		if u.RawQuery != "" {
			a.path += "?" + u.RawQuery
		}
	case "ssh", "git":
	default:
		return address{}, fmt.Errorf("source: %w", ErrTransport)
	}
	if a.scheme == "ssh" || a.scheme == "git" {
		if strings.HasPrefix(a.path, "/~") {
			a.path = a.path[1:]
		}
	}
	return a, a.check()
}

// check refuses what a server could take for an option, as git does.
func (a address) check() error {
	if a.host == "" || a.path == "" || strings.HasPrefix(a.host, "-") || strings.HasPrefix(a.path, "-") ||
		strings.HasPrefix(a.user, "-") || strings.ContainsAny(a.host, " \\'\"") {
		return fmt.Errorf("source: %w", ErrTransport)
	}
	return nil
}

var schemePorts = map[string]string{"https": "443", "http": "80", "ssh": "22", "git": "9418"}

// dialAddress is the host with a port.
func (a address) dialAddress() string {
	if _, _, err := net.SplitHostPort(a.host); err == nil {
		return a.host
	}
	return net.JoinHostPort(strings.Trim(a.host, "[]"), schemePorts[a.scheme])
}

// public is the address as it may be told and kept: without a password.
func (a address) public() string {
	if a.scheme == "" {
		return "/" + strings.TrimPrefix(path.Clean("/"+a.path), "/")
	}
	user := a.user
	if user != "" {
		user = url.User(user).String() + "@"
	}
	p := a.path
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return a.scheme + "://" + user + a.host + p
}

// credential is who the host is to the server: what the address itself says, then what Access has.
func (a address) credential(access Access) Credential {
	name, port, err := net.SplitHostPort(a.host)
	if err != nil {
		name, port = strings.Trim(a.host, "[]"), ""
	}
	c, ok := access.Credentials[a.host]
	if !ok && (port == "" || port == schemePorts[a.scheme]) {
		c = access.Credentials[name]
	}
	if a.hasPass {
		return Credential{User: a.user, Password: a.password, Plain: true}
	}
	if a.user != "" {
		c.User = a.user
	}
	return c
}
