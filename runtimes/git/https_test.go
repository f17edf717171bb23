package git

import (
	"context"
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/localca"
)

// secure serves what s does over TLS too, with a certificate of ca's.
func (s *server) secure(t *testing.T, ca *localca.Authority, host string, until time.Time) *server {
	t.Helper()
	over := httptest.NewUnstartedServer(s.Config.Handler)
	over.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Server(t, host, until)}}
	over.StartTLS()
	t.Cleanup(over.Close)
	return &server{over, s.root}
}

const later = time.Hour

func TestHTTPS(t *testing.T) {
	plain, ca := newServer(t, nil), localca.New(t)
	s := plain.secure(t, ca, "127.0.0.1", time.Now().Add(later))
	main := s.git(t, "rev-parse", "main")
	script := `
git clone -q $URL c && cd c && git rev-parse HEAD && git fsck
git commit -q --allow-empty -m "$SUBJECT" && git push -q origin HEAD:refs/heads/$BRANCH
git -c protocol.version=0 fetch -q --all && git log -1 --format=%s origin/$BRANCH
git pull -q origin topic 2>/dev/null; git ls-remote --heads origin $BRANCH | wc -l`
	for _, c := range []struct {
		branch string
		cfg    Config
		before string // what the sandbox sets for itself
	}{
		{"config", Config{TLS: &tls.Config{RootCAs: ca.Pool}}, ""},
		{"cainfo", Config{}, `printf "%s" "$CA" >ca.pem; git config --global http.sslCAInfo "$PWD/ca.pem"`},
		{"environment", Config{}, `printf "%s" "$CA" >ca.pem; export GIT_SSL_CAINFO=$PWD/ca.pem`},
		{"url", Config{}, `printf "%s" "$CA" >ca.pem; git config --global "http.$HOST/.sslCAInfo" "$PWD/ca.pem"`},
		{"capath", Config{}, `mkdir ca; printf "%s" "$CA" >ca/one.pem; echo no >ca/two; export GIT_SSL_CAPATH=$PWD/ca`},
		{"unchecked", Config{}, `export GIT_SSL_NO_VERIFY=1`},
		{"roots", Config{TLS: &tls.Config{RootCAs: localca.New(t).Pool}}, ""}, // /etc/ssl/certs/ca-certificates.crt has it
	} {
		t.Run(c.branch, func(t *testing.T) {
			var roots []byte
			if c.branch == "roots" {
				roots = ca.PEM
			}
			r := guestWith(t, s, c.cfg, roots, "CA='"+string(ca.PEM)+"'\n"+c.before+"\nBRANCH="+c.branch+" SUBJECT='pushed by "+c.branch+"'"+script)
			if want := main + "\npushed by " + c.branch + "\n1\n"; r.Stdout != want {
				t.Errorf("got %q, want %q", r.Stdout, want)
			}
			if got := s.git(t, "log", "-1", "--format=%s", c.branch); got != "pushed by "+c.branch {
				t.Errorf("the server's branch is at %q", got)
			}
		})
	}
	s.git(t, "fsck", "--strict")
}

// secureGuest is guest with the authority's certificate in $CA.
func secureGuest(t *testing.T, s *server, ca *localca.Authority, cfg Config, script string) engine.Result {
	t.Helper()
	return guest(t, s, cfg, "CA='"+string(ca.PEM)+"'\n"+script)
}

// TestUntrusted has servers that must not be believed; git says what the machine's git, with Debian's curl, says.
func TestUntrusted(t *testing.T) {
	plain, ca := newServer(t, nil), localca.New(t)
	good := plain.secure(t, ca, "127.0.0.1", time.Now().Add(later))
	var asked atomic.Int32
	held := Config{TLS: &tls.Config{RootCAs: ca.Pool}, Credentials: func(context.Context, string, string) (string, string, bool) {
		asked.Add(1)
		return "me", "s3cret", true
	}}
	const failed = "server certificate verification failed. CAfile: /etc/ssl/certs/ca-certificates.crt CRLfile: none"
	for _, c := range []struct {
		name   string
		s      *server
		cfg    Config
		before string
		says   string
	}{
		{"nobody knows the authority", good, Config{}, "", failed},
		{"another authority", good, Config{TLS: &tls.Config{RootCAs: localca.New(t).Pool}}, "", failed},
		{"expired", plain.secure(t, ca, "127.0.0.1", time.Now().Add(-later)), held, "", failed},
		{"another name", plain.secure(t, ca, "example.com", time.Now().Add(later)), held, "",
			"SSL: certificate subject name (example.com) does not match target host name '127.0.0.1'"},
		{"a file of others", good, held, "export GIT_SSL_CAINFO=/etc/ssl/certs/ca-certificates.crt", failed},
		{"a file that is missing", good, held, "export GIT_SSL_CAINFO=/no/ca.pem", "Problem with the SSL CA cert (path? access rights?)"},
		{"an empty folder", good, held, "mkdir none; export GIT_SSL_CAPATH=$PWD/none", failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := secureGuest(t, c.s, ca, c.cfg, c.before+"\ngit clone $URL c; ls; git init -q p; cd p; git commit -q --allow-empty -m x; git fetch $URL; git push $URL HEAD:x")
			if want := "[128]\n"; !strings.HasPrefix(r.Stdout, want) || strings.Contains(r.Stdout, "c\n") {
				t.Errorf("got %q", r.Stdout)
			}
			want := "fatal: unable to access '" + c.s.URL + "/remote.git/': " + c.says + "\n"
			if n := strings.Count(r.Stderr, want); n != 3 {
				t.Errorf("said %d times, want 3: %q", n, want)
			}
		})
	}
	if asked.Load() > 0 {
		t.Error("the host's credentials were asked for")
	}
}
