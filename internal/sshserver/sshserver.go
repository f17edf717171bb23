// Package sshserver serves git repositories over SSH to tests, by the machine's git.
package sshserver

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Server is a server at a port of 127.0.0.1. It ends with its test.
type Server struct {
	Address, Port string
	// Hosts are its keys: ECDSA, RSA, Ed25519. It shows the one that the client likes best.
	Hosts []ssh.Signer
	// Protocol is GIT_PROTOCOL as last asked for, a string; empty before.
	Protocol atomic.Value
	dir      string
	config   ssh.ServerConfig
}

// New serves the repositories below dir to who has the key.
func New(t testing.TB, dir string, key ssh.PublicKey) *Server {
	t.Helper()
	s := &Server{Hosts: HostKeys(t), dir: dir}
	s.config.PublicKeyCallback = func(_ ssh.ConnMetadata, shown ssh.PublicKey) (*ssh.Permissions, error) {
		if bytes.Equal(shown.Marshal(), key.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("who are you?")
	}
	for _, h := range s.Hosts {
		s.config.AddHostKey(h)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.Address = l.Addr().String()
	_, s.Port, _ = net.SplitHostPort(s.Address)
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn) // ends with the connection
		}
	}()
	return s
}

// Key makes an Ed25519 key.
func Key(t testing.TB) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, signer(t, key)
}

// HostKeys makes an ECDSA, an RSA and an Ed25519 key.
func HostKeys(t testing.TB) []ssh.Signer {
	t.Helper()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	prime, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards := Key(t)
	return []ssh.Signer{signer(t, curve), signer(t, prime), edwards}
}

func signer(t testing.TB, key crypto.Signer) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Line is the server's line of known_hosts, with a key.
func (s *Server) Line(key ssh.PublicKey) string {
	return "[127.0.0.1]:" + s.Port + " " + string(ssh.MarshalAuthorizedKey(key))
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, &s.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests) // ends with the connection
	for c := range channels {
		channel, in, err := c.Accept()
		if err != nil {
			return
		}
		go s.session(channel, in) // ends with the channel
	}
}

func (s *Server) session(channel ssh.Channel, in <-chan *ssh.Request) {
	defer channel.Close()
	protocol := ""
	for r := range in {
		var env struct{ Key, Value string }
		var command struct{ Text string }
		if r.Type == "env" && ssh.Unmarshal(r.Payload, &env) == nil && env.Key == "GIT_PROTOCOL" {
			protocol = env.Value
		}
		_ = r.Reply(true, nil)
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &command) != nil {
			continue
		}
		s.Protocol.Store(protocol)
		service, path, _ := strings.Cut(command.Text, " ")
		status, ok := s.run(channel, strings.TrimPrefix(service, "git-"), strings.Trim(path, "'"), protocol)
		if ok {
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		}
		return
	}
}

func (s *Server) run(channel ssh.Channel, service, path, protocol string) (status uint32, ok bool) {
	cmd := exec.Command("git", "-c", "safe.directory=*", service, filepath.Join(s.dir, path))
	cmd.Env = append(os.Environ(), "GIT_PROTOCOL="+protocol, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return 0, false
	}
	go func() { // ends with the channel. Wait must not wait for it: clients leave their side open.
		buf := make([]byte, 32<<10)
		for {
			n, err := channel.Read(buf)
			if _, wrong := stdin.Write(buf[:n]); err != nil || wrong != nil {
				stdin.Close()
				return
			}
		}
	}()
	_ = cmd.Wait()
	return uint32(cmd.ProcessState.ExitCode()), true
}
