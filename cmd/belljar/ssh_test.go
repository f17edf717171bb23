package main

import (
	"bytes"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/internal/sshserver"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// TestSSHAccess has git in a sandbox reach a server with what the flags give it of this machine, and no further.
func TestSSHAccess(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no user cache folder to keep compiled code in:", err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", "--bare", filepath.Join(dir, "x.git")).CombinedOutput(); err != nil {
		t.Skipf("no git to serve with: %v\n%s", err, out)
	}
	key, signer := sshserver.Key(t)
	server := sshserver.New(t, dir, signer.PublicKey())
	write := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	keyFile := func(name string, block *pem.Block, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return write(name, pem.EncodeToMemory(block))
	}
	known := "--ssh-known-hosts=" + write("known_hosts", []byte(server.Line(server.Hosts[2].PublicKey())))
	plain, err := ssh.MarshalPrivateKey(key, "")
	keyFlag := "--ssh-key=" + keyFile("key", plain, err)
	sealed, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("secret"))
	lockedFlag := "--ssh-key=" + keyFile("locked", sealed, err)
	serveAgent(t, agent.AddedKey{PrivateKey: key})
	allow := "--allow-net=127.0.0.1:" + server.Port
	for _, c := range []struct {
		name   string
		flags  []string
		status int
		says   string
	}{
		{"a key", []string{allow, known, keyFlag}, 0, ""},
		{"an agent", []string{allow, known, "--ssh-agent"}, 0, ""},
		{"no key", []string{allow, known}, 128, "unable to authenticate"},
		{"nothing", []string{allow}, 128, "no host key is known for it"},
		{"no network", []string{known, keyFlag}, 128, "connection refused"},
		{"a passphrase", []string{allow, known, lockedFlag}, 125, "add it to an agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			a := &app{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
			args := append([]string{"--state", filepath.Join(cache, "belljar"), "run", "--lang", "sh"}, c.flags...)
			status := a.run(t.Context(), append(args, "-c", "git ls-remote ssh://git@127.0.0.1:"+server.Port+"/x.git || exit; ls -A ~/.ssh /tmp; env"))
			if status != c.status || !strings.Contains(stderr.String(), c.says) {
				t.Errorf("status %d, want %d: %s", status, c.status, stderr.String())
			}
			if strings.Contains(stdout.String(), "SSH_AUTH_SOCK") || strings.Contains(stdout.String(), "id_") {
				t.Errorf("the sandbox has got something: %s", stdout.String())
			}
		})
	}
}

// serveAgent is an SSH agent with one key, which SSH_AUTH_SOCK names until the test ends.
func serveAgent(t *testing.T, key agent.AddedKey) {
	t.Helper()
	ring := agent.NewKeyring()
	if err := ring.Add(key); err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "agent") // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := net.Listen("unix", filepath.Join(folder, "s"))
	if err != nil {
		t.Skip("no socket for an agent:", err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn) // ends with the connection
		}
	}()
}
