package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/belljar-dev/belljar/engine"
)

// SSH is what git has of the host for ssh:// and user@host:path. The zero value has neither keys nor servers of the host's.
type SSH struct {
	// KnownHosts has the keys of servers that the host answers for, as a known_hosts file has them
	// (https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT; @cert-authority is not supported). A server that isn't in it has to
	// be in the sandbox's own ~/.ssh/known_hosts; if it isn't there either it is refused, always.
	KnownHosts string
	// Auth says who the host is to a server, "host:port": keys, an agent's, a password. It is asked only for servers in
	// KnownHosts, and nothing is sent before these have shown their key; what it answers stays in the host, and is used for git's transfers
	// alone, no other command. Where it answers none, and for all other servers, there are the sandbox's own keys in ~/.ssh. nil
	// has none. It must be safe for concurrent use.
	Auth func(ctx context.Context, user, server string) []ssh.AuthMethod
}

const (
	statusSSH    = 255              // where ssh itself gives up
	maxHandshake = 30 * time.Second // until a server has let us in
	maxSSHFile   = 1 << 20          // bytes of a file of keys
)

// serveSSH is the program ssh, as far as git needs one: https://git-scm.com/docs/git#Documentation/git.txt-GITSSH. It goes where
// the sandbox's Network allows, and reads no configuration.
func (c Config) serveSSH(ctx context.Context, call *engine.Call) int {
	command, err := parseSSH(call.Args[1:])
	if err == nil {
		var status int
		if status, err = c.ssh(ctx, call, command); err == nil {
			return status
		}
	}
	fmt.Fprintf(call.Stderr, "ssh: %s\n", printable(err.Error()))
	return statusSSH
}

func (c Config) ssh(ctx context.Context, call *engine.Call, command sshCommand) (status int, err error) {
	client, err := c.connectSSH(ctx, call, command)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, func() { client.Close() })() // ends with this call
	session, err := client.NewSession()
	if err != nil {
		return 0, err
	}
	if v := call.Getenv("GIT_PROTOCOL"); v != "" && command.protocol {
		_ = session.Setenv("GIT_PROTOCOL", v) // servers may not take it; then it is version 0
	}
	in, err := session.StdinPipe()
	if err != nil {
		return 0, err
	}
	session.Stdout, session.Stderr = charged{call, call.Stdout}, charged{call, call.Stderr}
	if err := session.Start(command.service + " " + quoteShell(command.path)); err != nil {
		return 0, err
	}
	go func() { // ends with the process, whose descriptors it reads, or with the connection
		_, _ = io.Copy(in, call.Stdin)
		_ = in.Close()
	}()
	err = session.Wait()
	var exit *ssh.ExitError
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case errors.As(err, &exit):
		return exit.ExitStatus(), nil
	case err != nil:
		return 0, fmt.Errorf("connection to %s closed: %w", command.host, err)
	}
	return 0, nil
}

// printable keeps what a server says from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// charged counts what is written as work.
type charged struct {
	call *engine.Call
	to   io.Writer
}

func (c charged) Write(b []byte) (int, error) {
	if err := c.call.Charge(int64(len(b))); err != nil {
		return 0, err
	}
	return c.to.Write(b)
}

// connectSSH makes a connection that the server has let us in by.
func (c Config) connectSSH(ctx context.Context, call *engine.Call, command sshCommand) (*ssh.Client, error) {
	user := command.user
	if user == "" {
		user = firstOf(call.Getenv("LOGNAME"), call.Getenv("USER"), "user")
	}
	server := net.JoinHostPort(command.host, command.port)
	config := &ssh.ClientConfig{User: user, ClientVersion: "SSH-2.0-belljar"}
	known := knownHosts(c.SSH.KnownHosts)
	if keys, revoked := known.keys(command.host, command.port); len(keys)+len(revoked) == 0 {
		known = knownHosts(readOwn(call, firstOf(command.known, "~/.ssh/known_hosts")))
	} else if c.SSH.Auth != nil {
		config.Auth = c.SSH.Auth(ctx, user, server)
	}
	if len(config.Auth) == 0 {
		config.Auth = ownKeys(call, command.identities)
	}
	config.HostKeyAlgorithms, config.HostKeyCallback = known.check(command.host, command.port)

	within, cancel := context.WithTimeout(ctx, maxHandshake)
	defer cancel()
	conn, err := call.Dialer().DialContext(within, "tcp", server)
	if errors.Is(err, engine.ErrDenied) {
		return nil, fmt.Errorf("connect to host %s port %s: the sandbox's network policy does not allow it: %w", command.host, command.port, err)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to host %s port %s: %w", command.host, command.port, err)
	}
	defer context.AfterFunc(within, func() { conn.Close() })() // ends with this call
	inner, channels, requests, err := ssh.NewClientConn(conn, server, config)
	if err == nil {
		return ssh.NewClient(inner, channels, requests), nil
	}
	_ = conn.Close()
	switch {
	case within.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("connect to host %s port %s: timed out", command.host, command.port)
	case errors.Is(err, errUnknownHost), errors.Is(err, errChangedHost), errors.Is(err, errRevokedHost):
		return nil, fmt.Errorf("host key verification failed: %w: known are those that the sandbox's host lists, and those in ~/.ssh/known_hosts", err)
	}
	return nil, fmt.Errorf("%s@%s: %w", user, command.host, err)
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// ownKeys are the sandbox's, in files.
func ownKeys(call *engine.Call, files []string) []ssh.AuthMethod {
	if len(files) == 0 {
		files = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
	}
	var signers []ssh.Signer
	for _, name := range files {
		if signer, err := ssh.ParsePrivateKey(readOwn(call, name)); err == nil {
			signers = append(signers, signer)
		}
	}
	return []ssh.AuthMethod{ssh.PublicKeys(signers...)}
}

// readOwn reads a file of the sandbox's, or nothing.
func readOwn(call *engine.Call, name string) []byte {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		name = path.Join(call.Getenv("HOME"), rest)
	}
	f, err := call.Files.Open(call.Abs(name))
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSSHFile))
	if err != nil {
		return nil
	}
	return b
}
