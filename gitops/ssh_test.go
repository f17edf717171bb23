package gitops

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/belljar-dev/belljar/internal/sshserver"
	"github.com/belljar-dev/belljar/vfs"
)

func TestCloneOverSSH(t *testing.T) {
	f := newForge(t, false)
	f.seed(4)
	_, signer := sshserver.Key(t)
	server := sshserver.New(t, f.dir, signer.PublicKey())
	at, hosts := server.Address, server.Hosts
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	url := "ssh://git@" + at + "/x.git"
	c := f.config()
	if _, err := Clone(ctx, tr, url, "copy", c, CloneOptions{}); !errors.Is(err, ErrTransport) {
		t.Errorf("with no host keys: %v", err)
	}
	_, stranger := sshserver.Key(t)
	c.Access.HostKeys = ssh.FixedHostKey(stranger.PublicKey())
	if _, err := Clone(ctx, tr, url, "copy", c, CloneOptions{}); err == nil {
		t.Error("a server with another key is believed")
	}
	c.Access.HostKeys = ssh.FixedHostKey(hosts[0].PublicKey())
	if _, err := Clone(ctx, tr, url, "copy", c, CloneOptions{}); err == nil {
		t.Error("cloned without a key")
	}
	c.Access.Credentials = map[string]Credential{at: {Signers: func() ([]ssh.Signer, error) { return []ssh.Signer{signer}, nil }}}
	r, err := Clone(ctx, tr, url, "copy", c, CloneOptions{})
	must(t, err)
	write(t, tr, "copy/new", "x\n")
	h := commitAll(t, r, "over ssh")
	if _, err := r.Push(ctx, PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(f.git("-C", "x.git", "rev-parse", "main")); got != h {
		t.Errorf("the server has %s", got)
	}
	within, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Clone(within, tr, url, "other", c, CloneOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestKnownKeys has a server with keys of several kinds, of which a known_hosts file has some.
func TestKnownKeys(t *testing.T) {
	f := newForge(t, false)
	f.seed(3)
	_, signer := sshserver.Key(t)
	server := sshserver.New(t, f.dir, signer.PublicKey())
	at, hosts := server.Address, server.Hosts
	strangers := sshserver.HostKeys(t)
	const ecdsaKey, rsaKey, edKey = 0, 1, 2
	for _, c := range []struct {
		name  string
		known []ssh.Signer
		dials int
		ok    bool
	}{
		{"all", hosts, 1, true},
		{"Ed25519 alone", hosts[edKey:], 2, true},
		{"RSA alone", hosts[rsaKey:edKey], 2, true},
		{"ECDSA alone", hosts[:rsaKey], 1, true},
		{"another of the kind it shows", []ssh.Signer{strangers[ecdsaKey], hosts[edKey]}, 1, false},
		{"another of a kind it is asked for", strangers[edKey:], 2, false},
		{"none", nil, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "known_hosts")
			var lines strings.Builder
			for _, k := range c.known {
				lines.WriteString(server.Line(k.PublicKey()))
			}
			must(t, os.WriteFile(name, []byte(lines.String()), 0o600))
			cfg := f.config()
			var err error
			cfg.Access.HostKeys, err = knownhosts.New(name)
			must(t, err)
			cfg.Access.Credentials = map[string]Credential{at: {Signers: func() ([]ssh.Signer, error) { return []ssh.Signer{signer}, nil }}}
			tr := vfs.New(vfs.Config{})
			defer tr.Close()
			before := len(f.dials)
			_, err = Clone(ctx, tr, "ssh://git@"+at+"/x.git", "copy", cfg, CloneOptions{})
			if (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
			var known *knownhosts.KeyError
			if err != nil && !errors.As(err, &known) {
				t.Errorf("not said to be the key: %v", err)
			}
			if n := len(f.dials) - before; n != c.dials {
				t.Errorf("dialled %d times, want %d", n, c.dials)
			}
		})
	}
}
