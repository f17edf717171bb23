package git

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/pem"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/sshserver"
)

// sshServer serves a server's repositories over SSH too, to who has a key.
type sshServer struct {
	*server
	*sshserver.Server
	port   string
	host   ssh.PublicKey
	key    ed25519.PrivateKey // that is let in
	signer ssh.Signer         // of key
}

func newSSHServer(t *testing.T) *sshServer {
	t.Helper()
	s := &sshServer{server: newServer(t, nil)}
	s.key, s.signer = sshserver.Key(t)
	s.Server = sshserver.New(t, s.root, s.signer.PublicKey())
	s.port, s.host = s.Port, s.Hosts[2].PublicKey()
	return s
}

// guest runs a script in a sandbox that may reach the server, with some files in ~/.ssh.
func (s *sshServer) guest(t *testing.T, cfg SSH, own map[string]string, script string) engine.Result {
	t.Helper()
	sb, err := newEngine(t, Config{SSH: cfg}).Create(t.Context(), engine.Spec{
		Network: engine.Network{Dial: []string{"127.0.0.1:" + s.port}}, Env: []string{"PORT=" + s.port, "URL=ssh://git@127.0.0.1:" + s.port + "/remote.git"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Files().MkdirAll(home+"/.ssh", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range own {
		if err := sb.Files().WriteFile(home+"/.ssh/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", testdata(t, "prelude.sh") + script}})
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Stderr)
	}
	t.Logf("%s\n--\n%s", r.Stdout, r.Stderr)
	return r
}

// auth answers a key, and counts how often it is asked for.
func (s *sshServer) auth(asked *atomic.Int32) func(context.Context, string, string) []ssh.AuthMethod {
	return func(_ context.Context, user, server string) []ssh.AuthMethod {
		asked.Add(1)
		if user != "git" || server != "127.0.0.1:"+s.port {
			return nil
		}
		return []ssh.AuthMethod{ssh.PublicKeys(s.signer)}
	}
}

func TestSSH(t *testing.T) {
	s := newSSHServer(t)
	main := s.git(t, "rev-parse", "main")
	var asked atomic.Int32
	cfg := SSH{KnownHosts: "# of the host\n" + s.Line(s.host), Auth: s.auth(&asked)}
	r := s.guest(t, cfg, nil, `
for v in 0 1 2; do git -c protocol.version=$v clone -q $URL c$v && git -C c$v rev-parse HEAD && git -C c$v fsck; done
cd c2
git -c core.sshCommand="ssh -p $PORT -o StrictHostKeyChecking=no" ls-remote --heads git@127.0.0.1:/remote.git | wc -l
GIT_SSH_COMMAND="ssh -oPort=$PORT" git clone -q git@127.0.0.1:/remote.git ../scp && git -C ../scp log --oneline | wc -l
git commit -q --allow-empty -m pushed
git push -q origin HEAD:refs/heads/new
git push origin origin/conflict:main 2>&1 | grep -c "! .rejected"
head -c 3000000 /dev/urandom >big; git add .; git commit -qm big; git push -q origin HEAD:refs/heads/big
git fetch -q --all && git log -1 --format=%s origin/big
git archive --remote=$URL HEAD src/b.c | tar x -O | wc -l
git clone -q ssh://git@127.0.0.1:$PORT/no.git
ls ~/.ssh; grep -r PRIVATE ~ /tmp`)
	heads := s.git(t, "for-each-ref", "refs/heads")
	before := strings.Count(heads, "\n") + 1 - 2
	log := s.git(t, "rev-list", "--count", "main")
	want := strings.Repeat(main+"\n", 3) + strconv.Itoa(before) + "\n" + log + "\n1\nbig\n4\n[128]\n[1]\n"
	if r.Stdout != want {
		t.Errorf("got %q, want %q", r.Stdout, want)
	}
	for branch, subject := range map[string]string{"new": "pushed", "big": "big"} {
		if got := s.git(t, "log", "-1", "--format=%s", branch); got != subject {
			t.Errorf("the server's branch %s is at %q", branch, got)
		}
	}
	s.git(t, "fsck", "--strict")
	if asked.Load() == 0 || s.Protocol.Load() != "version=2" {
		t.Errorf("asked for keys %d times, protocol %q", asked.Load(), s.Protocol.Load())
	}
}

// TestSSHIsBounded has what isn't a transfer of git's, servers that nobody knows, and a network that isn't allowed.
func TestSSHIsBounded(t *testing.T) {
	s := newSSHServer(t)
	_, other := sshserver.Key(t)
	var asked atomic.Int32
	for _, c := range []struct {
		name, known, script, says string
		own                       map[string]string
	}{
		{name: "a server that nobody knows", script: "git ls-remote $URL", says: "host key verification failed"},
		{name: "and whoever wants to know it", script: "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null' git ls-remote $URL", says: "host key verification failed"},
		{name: "another key", known: s.Line(other.PublicKey()), script: "git ls-remote $URL", says: "not the one that is known"},
		{name: "another key than the host knows, which the sandbox believes", known: s.Line(other.PublicKey()), own: map[string]string{"known_hosts": s.Line(s.host)}, script: "git ls-remote $URL", says: "not the one that is known"},
		{name: "a revoked key", known: s.Line(s.host) + "@revoked " + s.Line(s.host), script: "git ls-remote $URL", says: "is revoked"},
		{name: "a server of the sandbox's, without a key", own: map[string]string{"known_hosts": s.Line(s.host)}, script: "git ls-remote $URL", says: "unable to authenticate"},
		{name: "a shell", known: s.Line(s.host), script: "ssh -p $PORT git@127.0.0.1", says: "only git's own transfers"},
		{name: "a command", known: s.Line(s.host), script: "ssh -p $PORT git@127.0.0.1 id", says: "only git's own transfers"},
		{name: "a command behind git's", known: s.Line(s.host), script: `ssh -p $PORT git@127.0.0.1 "git-upload-pack 'remote.git'; id"`, says: "only git's own transfers"},
		{name: "a proxy", known: s.Line(s.host), script: `ssh -o ProxyCommand=id -p $PORT git@127.0.0.1 "git-upload-pack 'x'"`, says: "proxycommand is not supported"},
		{name: "a tunnel", known: s.Line(s.host), script: "ssh -L 80:10.0.0.1:80 git@127.0.0.1", says: "option -L is not supported"},
		{name: "a network that is not allowed", known: "10.0.0.1 " + string(ssh.MarshalAuthorizedKey(s.host)), script: "git ls-remote git@10.0.0.1:remote.git", says: "network policy does not allow"},
		{name: "a name that is an option", known: s.Line(s.host), script: "git clone ssh://-oProxyCommand=id/x", says: "strange hostname"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := asked.Load()
			r := s.guest(t, SSH{KnownHosts: c.known, Auth: s.auth(&asked)}, c.own, c.script+` && echo let in`)
			if strings.Contains(r.Stdout, "let in") || !strings.Contains(r.Stderr, c.says) {
				t.Errorf("got %q, said %q, want %q", r.Stdout, r.Stderr, c.says)
			}
			if c.known == "" && asked.Load() != before {
				t.Error("the host's keys were asked for with a server that the host does not know")
			}
		})
	}
}

// TestSSHOfTheSandbox has a sandbox with keys and servers of its own, and a host without.
func TestSSHOfTheSandbox(t *testing.T) {
	s := newSSHServer(t)
	block, err := ssh.MarshalPrivateKey(s.key, "")
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(block))
	var asked atomic.Int32
	r := s.guest(t, SSH{KnownHosts: "example.com " + string(ssh.MarshalAuthorizedKey(s.host)), Auth: s.auth(&asked)},
		map[string]string{"known_hosts": s.Line(s.host), "id_ed25519": key, "other": "nonsense"}, `
git ls-remote -q $URL HEAD | wc -l
GIT_SSH_COMMAND='ssh -i ~/.ssh/other' git ls-remote -q $URL HEAD 2>/dev/null
cd ~/.ssh; mv id_ed25519 k; GIT_SSH_COMMAND="ssh -i $PWD/k -o IdentitiesOnly=yes" git ls-remote -q $URL HEAD | wc -l`)
	if want := "1\n[128]\n1\n"; r.Stdout != want || asked.Load() != 0 {
		t.Errorf("got %q, want %q; the host was asked %d times", r.Stdout, want, asked.Load())
	}
}

func TestKnownHosts(t *testing.T) {
	_, signer := sshserver.Key(t)
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	for _, c := range []struct {
		hosts, host, port string
		known             bool
	}{
		{"example.com", "example.com", "22", true},
		{"example.com", "Example.COM", "22", true},
		{"example.com", "example.com", "2222", false},
		{"[example.com]:2222", "example.com", "2222", true},
		{"a.com,example.com", "example.com", "22", true},
		{"*.example.com", "git.example.com", "22", true},
		{"*.example.com", "example.com", "22", false},
		{"*.example.com,!bad.example.com", "bad.example.com", "22", false},
		{"!example.com", "example.com", "22", false},
		{"ex?mple.*", "example.com", "22", true},
		{"*", "::1", "22", true},
		{"|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|AAAA", "example.com", "22", false},
		{"|1|!!|", "example.com", "22", false},
		{hashed("example.com"), "example.com", "22", true},
		{hashed("[example.com]:2222"), "example.com", "2222", true},
		{"@cert-authority *", "example.com", "22", false},
	} {
		k := knownHosts("# remark\n\nrubbish\nexample.com ssh-rsa AAAA\n" + c.hosts + " " + key)
		algorithms, judge := k.check(c.host, c.port)
		if err := judge("", nil, signer.PublicKey()); (err == nil) != c.known || (len(algorithms) > 0) != c.known {
			t.Errorf("%s for %s:%s: %v, %v", c.hosts, c.host, c.port, err, algorithms)
		}
	}
}

func TestQuotesOfAShell(t *testing.T) {
	for quoted, want := range map[string]string{`'a b'`: "a b", `'it'\''s'`: "it's", `'no'\!''`: "no!", `''`: ""} {
		if got, ok := unquoteShell(quoted); !ok || got != want {
			t.Errorf("%s: %q %v", quoted, got, ok)
		}
	}
	for _, s := range []string{"", "a", "'a", "'a' b", "'a';id", `'a'\x`, "'a'`id`", "'a'$(id)", "'a'\n", `'a'"b"`, `'a'\`} {
		if got, ok := unquoteShell(s); ok {
			t.Errorf("%q: %q", s, got)
		}
	}
	for _, s := range []string{"", "it's", "no!", "'\\'", "a\nb"} {
		if got, ok := unquoteShell(quoteShell(s)); !ok || got != s {
			t.Errorf("%q: %q %v", s, got, ok)
		}
	}
}

// hashed is a name as HashKnownHosts writes it.
func hashed(name string) string {
	salt := []byte("12345678901234567890")
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
