package gitops

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/belljar-dev/belljar/internal/hostkey"
)

// sshConn is a command's standard streams, and the connection that it runs over.
type sshConn struct {
	io.Reader
	io.Writer
	client *ssh.Client
}

func (c *sshConn) Close() error { return c.client.Close() }

const maxHandshake = 30 * time.Second // until a server has let us in

func (a Access) dialSSH(ctx context.Context, to address, service string) (io.ReadWriteCloser, error) {
	client, others, err := a.handshake(ctx, to, nil)
	if len(others) > 0 {
		client, _, err = a.handshake(ctx, to, others)
	}
	if err != nil {
		return nil, err
	}
	session, err := client.NewSession()
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	in, inErr := session.StdoutPipe()
	out, outErr := session.StdinPipe()
	err = errors.Join(inErr, outErr)
	if err == nil {
		err = session.Start(service + " '" + strings.ReplaceAll(to.path, "'", `'\''`) + "'")
	}
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &sshConn{in, out, client}, nil
}

// handshake makes a connection that the server has let us in by. algorithms are the kinds of host keys to ask the server
// for, nil being any. A server has keys of several kinds and shows one: if it is refused, but HostKeys knows the server by
// keys of other kinds only, these are others, to ask for at a second try.
func (a Access) handshake(ctx context.Context, to address, algorithms []string) (client *ssh.Client, others []string, err error) {
	cred := to.credential(a)
	config := &ssh.ClientConfig{User: cred.User, HostKeyAlgorithms: algorithms, HostKeyCallback: func(name string, at net.Addr, key ssh.PublicKey) error {
		err := a.HostKeys(name, at, key)
		others = otherKinds(err, key)
		return err
	}}
	if config.User == "" {
		config.User = "git"
	}
	if cred.Signers != nil {
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(cred.Signers))
	}
	if cred.Password != "" {
		config.Auth = append(config.Auth, ssh.Password(cred.Password))
	}
	within, cancel := context.WithTimeout(ctx, maxHandshake)
	defer cancel()
	conn, err := a.Dialer.DialContext(within, "tcp", to.dialAddress())
	if err != nil {
		return nil, nil, err
	}
	defer context.AfterFunc(within, func() { conn.Close() })() // ends with this call
	c, channels, requests, err := ssh.NewClientConn(conn, to.dialAddress(), config)
	if err != nil {
		return nil, others, errors.Join(cause(within, err), conn.Close())
	}
	return ssh.NewClient(c, channels, requests), nil, nil
}

// otherKinds answers the kinds of keys that a server is known by, if key was refused and is of none of these.
func otherKinds(refused error, key ssh.PublicKey) []string {
	var known *knownhosts.KeyError
	if !errors.As(refused, &known) {
		return nil
	}
	var keys []ssh.PublicKey
	for _, k := range known.Want {
		if k.Key.Type() == key.Type() {
			return nil
		}
		keys = append(keys, k.Key)
	}
	return hostkey.Algorithms(keys...)
}
