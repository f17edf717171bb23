package gitops

import (
	"context"
	"crypto/x509"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// Dialer makes connections: engine's Sandbox.Dialer holds to a sandbox's network policy. network is "tcp", address a
// name or an IP address, and a port.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Access is how repositories elsewhere are reached. The zero value reaches none: only those in the same tree are.
type Access struct {
	// Dialer makes every connection; nil denies them all. Names are resolved by it, redirects lead through it.
	Dialer Dialer
	// Credentials are the host's, by the server's name in lower case, with a port where it isn't the scheme's own:
	// "example.com", "example.com:8443". They go to that server alone, and into no file and no error.
	Credentials map[string]Credential
	// HostKeys judges the keys of SSH servers, such as golang.org/x/crypto/ssh/knownhosts makes one; nil refuses all.
	HostKeys ssh.HostKeyCallback
	// Roots are the authorities that HTTPS trusts; nil means the host's.
	Roots *x509.CertPool
	// Progress hears how far a transfer is; nil hears nothing. It is called by the call's goroutine.
	Progress func(Progress)

	MaxPack    int64         // bytes of what one fetch receives; 0 means 1 GiB
	MaxObjects int           // objects in that; 0 means 4 million
	MaxRefs    int           // references that a server tells; 0 means 100,000
	Timeout    time.Duration // of one call from start to end; 0 means 10 minutes
}

// Credential is who the host is to a server.
type Credential struct {
	User, Password string // a token is a password of most servers
	Token          string // sent as a bearer of HTTP, instead
	// Plain sends them by http:// and not only https:// too.
	Plain bool
	// Signers are the keys for SSH: of a key file, or of an agent (golang.org/x/crypto/ssh/agent, ExtendedAgent.Signers).
	Signers func() ([]ssh.Signer, error)
}

// Progress is how far a transfer is.
type Progress struct {
	Phase string // "receive", "resolve", "check out", "send", or "remote": Text is what the server says
	Done  int64  // objects or files
	Total int64  // 0 where it isn't known
	Text  string // one line, printable
}

func (a Access) maxPack() int64 { return orDefault(a.MaxPack, 1<<30) }

func (a Access) maxObjects() int64 { return orDefault(int64(a.MaxObjects), 4_000_000) }

func (a Access) maxRefs() int64 { return orDefault(int64(a.MaxRefs), 100_000) }

func orDefault(v, otherwise int64) int64 {
	if v <= 0 {
		return otherwise
	}
	return v
}

// within bounds the time of a call.
func (a Access) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(orDefault(int64(a.Timeout), int64(10*time.Minute))))
}

func (a Access) report(p Progress) {
	if a.Progress != nil {
		a.Progress(p)
	}
}
