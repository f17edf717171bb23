package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/belljar-dev/belljar/runtimes/git"
	"github.com/spf13/pflag"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// sshFlags say what git in a sandbox has of this machine for SSH, which is nothing unless it is asked for.
type sshFlags struct {
	knownHosts string
	keys       []string
	agent      bool
}

func (f *sshFlags) bind(fl *pflag.FlagSet) {
	fl.StringVar(&f.knownHosts, "ssh-known-hosts", "", "`file` such as ~/.ssh/known_hosts: SSH servers that git may use --ssh-key and --ssh-agent with (they have to be in --allow-net too)")
	fl.StringArrayVar(&f.keys, "ssh-key", nil, "`file` of a private key that git uses with those servers; it stays outside the sandbox; repeatable")
	fl.BoolVar(&f.agent, "ssh-agent", false, "let git use the keys of this machine's SSH agent with those servers")
}

// access reads what the flags name.
func (f *sshFlags) access() (git.SSH, error) {
	var out git.SSH
	if f.knownHosts == "" {
		if len(f.keys) > 0 || f.agent {
			return out, errors.New("--ssh-key and --ssh-agent: say with --ssh-known-hosts FILE which servers they are for")
		}
		return out, nil
	}
	known, err := os.ReadFile(f.knownHosts)
	if err != nil {
		return out, fmt.Errorf("--ssh-known-hosts: %w", err)
	}
	out.KnownHosts = string(known)
	var signers []ssh.Signer
	for _, name := range f.keys {
		signer, err := readKey(name)
		if err != nil {
			return out, fmt.Errorf("--ssh-key %s: %w", name, err)
		}
		signers = append(signers, signer)
	}
	socket := ""
	if f.agent {
		if socket = os.Getenv("SSH_AUTH_SOCK"); socket == "" {
			return out, errors.New("--ssh-agent: no agent: SSH_AUTH_SOCK is not set")
		}
	}
	if len(signers) > 0 || f.agent {
		out.Auth = func(ctx context.Context, _, _ string) []ssh.AuthMethod {
			return []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
				if socket == "" {
					return signers, nil
				}
				held, err := agentSigners(ctx, socket)
				return append(signers[:len(signers):len(signers)], held...), err
			})}
		}
	}
	return out, nil
}

func readKey(name string) (ssh.Signer, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, errors.Unwrap(err) // the file is named already
	}
	signer, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, errors.New("it has a passphrase: add it to an agent, and use --ssh-agent")
	}
	return signer, err
}

// agentSigners answers an agent's keys, which can be used until ctx ends.
func agentSigners(ctx context.Context, socket string) ([]ssh.Signer, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("SSH agent: %w", err)
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, fmt.Errorf("SSH agent: %w", err)
	}
	return signers, nil
}
