package engine_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// outside is a fake of what lies outside: names, and what was dialled.
type outside struct {
	names map[string]string // comma-separated addresses
	mu    sync.Mutex
	asked []string
	sides []net.Conn
}

func (o *outside) dial(_ context.Context, _, address string) (net.Conn, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, address)
	if strings.HasPrefix(address, "93.184.216.99:") {
		return nil, syscall.ECONNREFUSED
	}
	near, far := net.Pipe()
	o.sides = append(o.sides, far)
	return near, nil
}

func (o *outside) resolve(_ context.Context, _, host string) ([]netip.Addr, error) {
	list, ok := o.names[host]
	if !ok {
		return nil, &net.DNSError{Name: host, IsNotFound: true}
	}
	var ips []netip.Addr
	for s := range strings.SplitSeq(list, ",") {
		ips = append(ips, netip.MustParseAddr(s))
	}
	return ips, nil
}

func (o *outside) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.asked) == 0 {
		return ""
	}
	return o.asked[len(o.asked)-1]
}

func networkEngine(t *testing.T, o *outside, log io.Writer) *engine.Engine {
	t.Helper()
	cfg := engine.Config{Images: []engine.Image{testImage()}, NoCache: true, Dial: o.dial, Resolve: o.resolve}
	if log != nil {
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	eng, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng
}

func TestNetworkPolicy(t *testing.T) {
	o := &outside{names: map[string]string{
		"example.com": "93.184.216.34", "api.example.com": "93.184.216.35", "evil.com": "93.184.216.36",
		"inside.example.com": "10.1.2.3", "meta.example.com": "169.254.169.254", "mapped.example.com": "::ffff:127.0.0.1",
		"mixed.example.com": "10.1.2.3,93.184.216.40", "fails.example.com": "93.184.216.99,93.184.216.41",
		"127.1": "127.0.0.1", "0x7f.0.0.1": "127.0.0.1", "nat.example.com": "64:ff9b::a00:1", "tunnel.example.com": "2002:7f00:1::1",
	}}
	eng := networkEngine(t, o, nil)
	for _, c := range []struct {
		allow string // space-separated
		to    string
		want  string // what is dialled; "" is denied, "none" another error
	}{
		{"", "example.com:443", ""},
		{"", "93.184.216.34:443", ""},
		{"example.com:443", "example.com:443", "93.184.216.34:443"},
		{"example.com:443", "EXAMPLE.com.:443", "93.184.216.34:443"},
		{"Example.COM:443", "example.com:443", "93.184.216.34:443"},
		{"example.com:443", "example.com:80", ""},
		{"example.com:443", "api.example.com:443", ""},
		{"example.com:443", "evil.com:443", ""},
		{"example.com:*", "example.com:8080", "93.184.216.34:8080"},
		{"*.example.com:443", "api.example.com:443", "93.184.216.35:443"},
		{"*.example.com:443", "example.com:443", ""},
		{"*.com:443", "api.example.com:443", "93.184.216.35:443"},
		{"*.example.com:443", "notexample.com:443", ""},
		{"*", "evil.com:1", "93.184.216.36:1"},
		{"*:443", "evil.com:443", "93.184.216.36:443"},
		{"*:443", "evil.com:80", ""},
		{"*", "93.184.216.34:80", "93.184.216.34:80"},
		{"*", "nowhere.example.com:80", "none"},
		// Names that lead inside.
		{"*", "inside.example.com:80", ""},
		{"*", "meta.example.com:80", ""},
		{"*", "mapped.example.com:80", ""},
		{"*", "nat.example.com:80", ""},
		{"*", "tunnel.example.com:80", ""},
		{"inside.example.com:*", "inside.example.com:80", ""},
		{"* 0.0.0.0/0:* [::/0]:*", "inside.example.com:80", ""},
		{"* 10.0.0.0/8:80", "inside.example.com:80", "10.1.2.3:80"},
		{"* 10.1.2.3:80", "inside.example.com:80", "10.1.2.3:80"},
		{"* 10.0.0.0/8:80", "inside.example.com:81", ""},
		{"10.0.0.0/8:80", "inside.example.com:80", ""}, // the name is not for it to ask
		{"* 169.254.169.254:80", "meta.example.com:80", "169.254.169.254:80"},
		{"*", "mixed.example.com:80", "93.184.216.40:80"},
		{"*", "fails.example.com:80", "93.184.216.41:80"},
		// Addresses, in all their forms.
		{"*", "10.1.2.3:80", ""}, {"*", "192.168.1.1:80", ""}, {"*", "172.31.0.1:80", ""}, {"*", "100.64.0.1:80", ""},
		{"*", "169.254.169.254:80", ""}, {"*", "0.0.0.0:80", ""}, {"*", "255.255.255.255:80", ""}, {"*", "224.0.0.1:80", ""},
		{"*", "198.18.0.1:80", ""}, {"*", "240.0.0.1:80", ""}, {"*", "192.0.0.170:80", ""},
		{"*", "[::]:80", ""}, {"*", "[fe80::1]:80", ""}, {"*", "[fe80::1%eth0]:80", ""}, {"*", "[fc00::1]:80", ""}, {"*", "[fd00:ec2::254]:80", ""},
		{"*", "[ff02::1]:80", ""}, {"*", "[::ffff:10.0.0.1]:80", ""}, {"*", "[::10.0.0.1]:80", ""}, {"*", "[64:ff9b::10.0.0.1]:80", ""},
		{"*", "[64:ff9b:1::1]:80", ""}, {"*", "[2002:a00:1::]:80", ""}, {"*", "[2001::1]:80", ""}, {"*", "[2001:db8::1]:80", ""},
		{"*", "[5f00::1]:80", ""}, {"*", "[9000::1]:80", ""},
		{"*", "[2606:2800:21f:cb07::1]:80", "[2606:2800:21f:cb07::1]:80"},
		{"[::/0]:*", "[::ffff:10.0.0.1]:80", ""},
		{"0.0.0.0/0:*", "10.0.0.1:80", ""},
		{"0.0.0.0/0:*", "93.184.216.34:80", "93.184.216.34:80"},
		{"10.0.0.0/8:5432", "10.9.9.9:5432", "10.9.9.9:5432"},
		{"10.0.0.0/8:5432", "[::ffff:10.9.9.9]:5432", "10.9.9.9:5432"},
		{"10.0.0.0/8:5432", "10.9.9.9:5433", ""},
		{"[fd00::/8]:22", "[fd12::1]:22", "[fd12::1]:22"},
		{"[64:ff9b::/96]:80", "[64:ff9b::10.0.0.1]:80", ""}, // what it leads to isn't listed
		{"[64:ff9b::/96]:80 10.0.0.0/8:80", "[64:ff9b::10.0.0.1]:80", "[64:ff9b::a00:1]:80"},
		// Spellings that only a resolver takes for addresses.
		{"*", "127.1:80", ""}, {"*", "0x7f.0.0.1:80", ""},
		// The host's loopback interface, where nothing in the sandbox listens.
		{"*", "localhost:80", "none"}, {"*", "127.0.0.1:80", "none"}, {"*", "[::1]:80", "none"},
		{"localhost:80", "localhost:80", "127.0.0.1:80"},
		{"localhost:80", "127.0.0.1:80", "127.0.0.1:80"},
		{"127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80"},
		{"localhost:80", "localhost:81", "none"},
	} {
		t.Run(c.allow+"→"+c.to, func(t *testing.T) {
			sb := create(t, eng, engine.Spec{Network: engine.Network{Dial: strings.Fields(c.allow)}})
			o.asked = nil
			conn, err := sb.Dialer().DialContext(t.Context(), "tcp", c.to)
			switch {
			case c.want == "" || c.want == "none":
				if err == nil || errors.Is(err, engine.ErrDenied) != (c.want == "") || o.last() != "" {
					t.Errorf("%v; dialled %q", err, o.last())
				}
				if c.want == "" && !errors.Is(err, fs.ErrPermission) {
					t.Errorf("%v is no fs.ErrPermission", err)
				}
			case err != nil:
				t.Error(err)
			case o.last() != c.want:
				t.Errorf("dialled %q, want %q", o.last(), c.want)
			default:
				conn.Close()
			}
		})
	}
}

// A guest connects to numbers: those that a listed name has led it to are allowed at that name's ports.
func TestNetworkLearnsAddresses(t *testing.T) {
	o := &outside{names: map[string]string{"example.com": "93.184.216.34"}}
	sb := create(t, networkEngine(t, o, nil), engine.Spec{Network: engine.Network{Dial: []string{"example.com:443"}}})
	d, at := sb.Dialer(), netip.MustParseAddr("93.184.216.34")
	if d.Allows(netip.AddrPortFrom(at, 443)) {
		t.Error("allowed before it is known")
	}
	if _, err := d.LookupNetIP(t.Context(), "ip", "evil.com"); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("a name that isn't listed: %v", err)
	}
	if ips, err := d.LookupNetIP(t.Context(), "ip", "example.com"); err != nil || len(ips) != 1 {
		t.Fatal(ips, err)
	}
	if !d.Allows(netip.AddrPortFrom(at, 443)) || d.Allows(netip.AddrPortFrom(at, 80)) {
		t.Error("known, it is not allowed at the name's port alone")
	}
	if ips, err := d.LookupNetIP(t.Context(), "ip6", "example.com"); err == nil {
		t.Errorf("it has no IPv6 address: %v", ips)
	}
}

func TestNetworkRules(t *testing.T) {
	for _, entry := range []string{
		"example.com", "example.com:", "example.com:0", "example.com:65536", "example.com:http", ":443", "10.0.0.0/33:1",
		"::1:80", "[::1]", "[example.com]:80", "exa mple.com:80", "*.*.com:80", "a..b:80", "http://example.com:80", "10.0.0.0/8",
		"[::ffff:0.0.0.0/90]:80", "*.:80", "",
	} {
		if err := (engine.Network{Dial: []string{entry}}).Check(); err == nil {
			t.Errorf("%q is taken", entry)
		}
	}
	if _, err := networkEngine(t, &outside{}, nil).Create(t.Context(), engine.Spec{Network: engine.Network{Dial: []string{"x"}}}); err == nil {
		t.Error("Create takes a rule that is none")
	}
	if err := (engine.Network{Connections: -1}).Check(); err == nil {
		t.Error("a negative limit is taken")
	}
}

func TestNetworkLimits(t *testing.T) {
	o := &outside{}
	sb := create(t, networkEngine(t, o, nil), engine.Spec{Network: engine.Network{Dial: []string{"*"}, Connections: 2, Bytes: 10}})
	dial := func() (net.Conn, error) { return sb.Dialer().DialContext(t.Context(), "tcp", "93.184.216.34:80") }
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	second, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("a third connection of two: %v", err)
	}
	second.Close()
	second.Close() // counts once
	third, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("a third connection of two: %v", err)
	}
	go func() { io.Copy(io.Discard, o.sides[0]) }() // ends with the connection
	if n, err := first.Write([]byte("0123456789abc")); n != 13 || err == nil {
		t.Errorf("wrote %d bytes of 10 that are allowed: %v", n, err)
	}
	if sb.Usage().Net != 13 {
		t.Errorf("Usage.Net is %d", sb.Usage().Net)
	}
	third.Close()
	if _, err := dial(); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("a connection with no bytes left: %v", err)
	}
}

func TestNetworkEndsWithSandbox(t *testing.T) {
	o := &outside{}
	sb := create(t, networkEngine(t, o, nil), engine.Spec{Network: engine.Network{Dial: []string{"*"}}})
	conn, err := sb.Dialer().DialContext(t.Context(), "tcp", "93.184.216.34:80")
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	if _, err := sb.Dialer().DialContext(t.Context(), "tcp", "93.184.216.34:80"); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("dial on a closed sandbox: %v", err)
	}
}

// Refusals are logged, but a guest can't fill the log.
func TestNetworkLogs(t *testing.T) {
	var log lockedBuffer
	sb := create(t, networkEngine(t, &outside{}, &log), engine.Spec{})
	for range 5000 {
		sb.Dialer().DialContext(t.Context(), "tcp", "93.184.216.34:80") //nolint:errcheck // it is denied
	}
	if n := strings.Count(log.String(), "network refused"); n < 100 || n > 120 {
		t.Errorf("%d lines of log", n)
	}
	if !strings.Contains(log.String(), "93.184.216.34:80") {
		t.Error("the log doesn't say to where")
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestNetworkUnderReplay(t *testing.T) {
	eng := networkEngine(t, &outside{}, nil)
	spec := engine.Spec{Network: engine.Network{Dial: []string{"*"}}, Replay: &engine.Replay{}}
	if _, err := eng.Create(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "UnderReplay") {
		t.Errorf("Create: %v", err)
	}
	spec.Network.UnderReplay = true
	create(t, eng, spec)
}

// A snapshot's file gives no power over the network: who reads it does.
func TestSnapshotCarriesNoNetwork(t *testing.T) {
	o := &outside{}
	eng := networkEngine(t, o, nil)
	sb := create(t, eng, engine.Spec{Network: engine.Network{Dial: []string{"*"}}})
	s, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var file strings.Builder
	if _, err := s.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dial []string
		want bool
	}{{nil, false}, {[]string{"93.184.216.34:80"}, true}} {
		read, err := eng.ReadSnapshot(t.Context(), strings.NewReader(file.String()), engine.ReadOptions{Network: engine.Network{Dial: c.dial}})
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		if got := read.Network().Dial; len(got) != 1 || got[0] != "*" {
			t.Errorf("the snapshot's network was %q", got)
		}
		again, err := read.Sandbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if _, err := again.Dialer().DialContext(t.Context(), "tcp", "93.184.216.34:80"); (err == nil) != c.want {
			t.Errorf("read with %q: %v", c.dial, err)
		}
	}
	fork, err := sb.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close()
	if _, err := fork.Dialer().DialContext(t.Context(), "tcp", "93.184.216.34:80"); err != nil {
		t.Errorf("a fork: %v", err)
	}
}

// With nothing injected, it is the system's network.
func TestNetworkOfTheSystem(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprint(conn, strings.ToUpper(line))
			conn.Close()
		}
	}()
	sb := newSandbox(t, engine.Spec{Network: engine.Network{Dial: []string{l.Addr().String()}}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := sb.Dialer().DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, "hello")
	if got, err := io.ReadAll(conn); string(got) != "HELLO\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
