package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

const (
	resolveTimeout = 10 * time.Second // of one name
	dialTimeout    = 15 * time.Second // of one address
	maxResolving   = 16               // names at one time; more wait
	maxLearned     = 4096             // addresses that names have led to; of more the oldest is forgotten
	maxLoggedFirst = 100              // refusals that are logged each; later ones at powers of two
)

// Dialer makes the connections of a sandbox: of its guests, and of what the host does in its name. It holds to the
// sandbox's Network. Its methods are safe for concurrent use; the sandbox's Close closes all its connections.
type Dialer struct {
	policy  policy
	own     *wasi.Network
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)
	log     *slog.Logger
	most    int // connections

	left      atomic.Int64 // bytes
	used      atomic.Int64 // bytes
	refusals  atomic.Int64
	resolving chan struct{}

	mu      sync.Mutex
	closed  bool
	count   int // connections, those under way included
	open    map[*dialedConn]struct{}
	learned map[netip.Addr][]string // the names that have led to an address
	order   []netip.Addr            // of learned, the oldest first
}

func newDialer(cfg Config, log *slog.Logger, n Network, own *wasi.Network) (*Dialer, error) {
	p, err := n.policy()
	if err != nil {
		return nil, err
	}
	d := &Dialer{
		policy: p, own: own, dial: cfg.Dial, resolve: cfg.Resolve, log: log, most: n.Connections,
		resolving: make(chan struct{}, maxResolving), open: map[*dialedConn]struct{}{}, learned: map[netip.Addr][]string{},
	}
	if d.dial == nil {
		d.dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	if d.resolve == nil {
		d.resolve = net.DefaultResolver.LookupNetIP
	}
	if d.most == 0 {
		d.most = defaultConnections
	}
	d.left.Store(n.Bytes)
	if n.Bytes == 0 {
		d.left.Store(defaultNetworkBytes)
	}
	return d, nil
}

// Dialer answers what makes the sandbox's connections, for code of the host that acts in its name: gitops, an HTTP
// client's Transport.DialContext.
func (sb *Sandbox) Dialer() *Dialer { return sb.dialer }

// DialContext connects to an address and a port by number, as net.Dialer's does; network is "tcp", "tcp4" or "tcp6".
// Names are resolved here, and of a name's addresses the first is taken that answers. localhost and loopback addresses
// are the sandbox's own as far as something listens there. Errors: ErrDenied, ErrClosed, the system's.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.connect(ctx, network, address)
	if err != nil {
		d.report(address, err)
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return conn, nil
}

func (d *Dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	family, ok := map[string]string{"tcp": "ip", "tcp4": "ip4", "tcp6": "ip6"}[network]
	if !ok {
		return nil, fmt.Errorf("network %q: %w", network, errors.ErrUnsupported)
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q is no number up to 65535", text)
	}
	name := canonicalName(host)
	ip, err := netip.ParseAddr(host)
	if near := ip.Unmap(); localName(name) || err == nil && near.IsLoopback() {
		if localName(name) {
			near = loopback4
		}
		conn, err := d.own.Dial(ctx, netip.AddrPortFrom(near, uint16(port)))
		if err == nil || !errors.Is(err, syscall.ECONNREFUSED) || !d.Allows(netip.AddrPortFrom(near, uint16(port))) {
			return conn, err
		}
		return d.tryEach(ctx, network, []netip.Addr{near}, uint16(port))
	}
	if err == nil {
		to := netip.AddrPortFrom(ip.Unmap(), uint16(port))
		if reason := d.refuses(to); reason != "" {
			return nil, denied(to.String(), reason)
		}
		return d.tryEach(ctx, network, []netip.Addr{to.Addr()}, uint16(port))
	}
	if reason := d.policy.refusesName(name, uint16(port)); reason != "" {
		return nil, denied(address, reason)
	}
	ips, err := d.lookup(ctx, family, name, uint16(port))
	if err != nil {
		return nil, err
	}
	return d.tryEach(ctx, network, ips, uint16(port))
}

// tryEach connects to the first of some addresses that answers. They have been checked, and are what is dialled: a
// name could lead elsewhere a second time.
func (d *Dialer) tryEach(ctx context.Context, network string, ips []netip.Addr, port uint16) (net.Conn, error) {
	if err := d.reserve(); err != nil {
		return nil, err
	}
	var errs []error
	for _, ip := range ips {
		within, cancel := context.WithTimeout(ctx, dialTimeout)
		conn, err := d.dial(within, network, netip.AddrPortFrom(ip, port).String())
		cancel()
		if err == nil {
			return d.adopt(conn)
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	d.release()
	return nil, errors.Join(errs...)
}

// Allows says whether a guest's connection to an address may be tried. See Network.Dial.
func (d *Dialer) Allows(to netip.AddrPort) bool {
	reason := d.refuses(to)
	if reason != "" && !to.Addr().IsLoopback() {
		d.report(to.String(), denied(to.String(), reason))
	}
	return reason == ""
}

func (d *Dialer) refuses(to netip.AddrPort) string {
	d.mu.Lock()
	names := d.learned[to.Addr().Unmap()]
	d.mu.Unlock()
	named := slices.ContainsFunc(names, func(name string) bool { return d.policy.refusesName(name, to.Port()) == "" })
	return d.policy.refusesAddress(to.Addr(), to.Port(), named)
}

// LookupNetIP resolves a name that an entry of Network.Dial covers, whatever its port, to addresses that may be reached.
// network is "ip", "ip4" or "ip6". Errors: ErrDenied, ErrClosed, the resolver's.
func (d *Dialer) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	name := canonicalName(host)
	ips, err := func() ([]netip.Addr, error) {
		if reason := d.policy.refusesName(name, 0); reason != "" {
			return nil, denied(host, reason)
		}
		return d.lookup(ctx, network, name, 0)
	}()
	if err != nil {
		d.report(host, err)
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	return ips, nil
}

// lookup resolves a name and answers those of its addresses that may be reached at a port; 0 is any that an entry has.
func (d *Dialer) lookup(ctx context.Context, network, name string, port uint16) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	select {
	case d.resolving <- struct{}{}:
		defer func() { <-d.resolving }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	all, err := d.resolve(ctx, network, name)
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	reason := "it has no address"
	for _, ip := range all {
		ip = ip.Unmap()
		if network == "ip4" && !ip.Is4() || network == "ip6" && !ip.Is6() {
			continue
		}
		if why := d.refusesResolved(ip, port); why != "" {
			reason = why
			continue
		}
		ips = append(ips, ip)
	}
	if len(ips) == 0 {
		return nil, denied(name, reason)
	}
	return ips, d.learn(name, ips)
}

func (d *Dialer) refusesResolved(ip netip.Addr, port uint16) string {
	if port != 0 {
		return d.policy.refusesAddress(ip, port, true)
	}
	reason := d.policy.refusesAddress(ip, 0, true)
	for _, r := range d.policy {
		if reason == "" {
			break
		}
		reason = d.policy.refusesAddress(ip, r.port, true)
	}
	return reason
}

// learn notes that a name has led to addresses.
func (d *Dialer) learn(name string, ips []netip.Addr) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ErrClosed
	}
	for _, ip := range ips {
		names, known := d.learned[ip]
		if slices.Contains(names, name) {
			continue
		}
		if !known {
			if len(d.order) >= maxLearned {
				delete(d.learned, d.order[0])
				d.order = d.order[1:]
			}
			d.order = append(d.order, ip)
		}
		const most = 16 // names of one address
		if len(names) >= most {
			names = names[1:]
		}
		d.learned[ip] = append(slices.Clip(names), name)
	}
	return nil
}

// report logs a refusal. A guest that is refused again and again doesn't fill the log.
func (d *Dialer) report(what string, err error) {
	if !errors.Is(err, ErrDenied) {
		return
	}
	if n := d.refusals.Add(1); n <= maxLoggedFirst || bits.OnesCount64(uint64(n)) == 1 {
		d.log.Warn("network refused", "to", what, "reason", err.Error(), "refusals", n)
	}
}

// reserve makes room for a connection, or says that there is none.
func (d *Dialer) reserve() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return ErrClosed
	case d.left.Load() <= 0:
		return errNetworkBytes
	case d.count >= d.most:
		return fmt.Errorf("%d connections are open, as many as Network.Connections allows: %w", d.count, syscall.EMFILE)
	}
	d.count++
	return nil
}

func (d *Dialer) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count--
}

func (d *Dialer) adopt(conn net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		d.count--
		return nil, errors.Join(ErrClosed, conn.Close())
	}
	c := &dialedConn{Conn: conn, dialer: d}
	d.open[c] = struct{}{}
	return c, nil
}

// close closes every connection, and lets no more be made.
func (d *Dialer) close() {
	d.mu.Lock()
	d.closed = true
	var open []*dialedConn
	for c := range d.open {
		open = append(open, c)
	}
	d.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

var errNetworkBytes = fmt.Errorf("%w: it has sent and received as many bytes as Network.Bytes allows", ErrDenied)

// dialedConn is a connection that counts.
type dialedConn struct {
	net.Conn
	dialer *Dialer
	once   sync.Once
	err    error
}

func (c *dialedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.pay(n, err)
}

func (c *dialedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.pay(n, err)
}

// pay takes n bytes from what is left, and ends the connection when nothing is.
func (c *dialedConn) pay(n int, err error) error {
	c.dialer.used.Add(int64(n))
	if c.dialer.left.Add(-int64(n)) > 0 || n == 0 {
		return err
	}
	c.dialer.report(c.RemoteAddr().String(), errNetworkBytes)
	c.Close()
	return errNetworkBytes
}

// CloseWrite ends what the other side reads, as net.TCPConn's.
func (c *dialedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

func (c *dialedConn) Close() error {
	c.once.Do(func() {
		c.err = c.Conn.Close()
		c.dialer.mu.Lock()
		defer c.dialer.mu.Unlock()
		delete(c.dialer.open, c)
		c.dialer.count--
	})
	return c.err
}
