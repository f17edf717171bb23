package engine

import (
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
)

// Network says what a sandbox may reach outside itself. It is plain data. The zero value is nothing: the sandbox has a
// loopback interface of its own, in memory, and that is all.
type Network struct {
	// Dial lists what TCP connections may be made to, each as HOST:PORT. The port is a number or * for all. The host is
	//
	//	example.com     a name
	//	*.example.com   all names below it, not itself
	//	192.0.2.7, [2001:db8::7]
	//	10.0.0.0/8, [2001:db8::/32]
	//	localhost       the host's loopback interface
	//	*               everything that lies on the public internet
	//
	// and "*" alone is *:*. A name is resolved on the host. What it leads to is checked again: addresses that aren't the public
	// internet's (loopback, link-local with the clouds' metadata services, private and shared ranges, multicast,
	// translated forms such as NAT64 and 6to4 …) are refused unless an entry names them, or a range within theirs, by
	// number; so neither * nor 0.0.0.0/0 opens them. A guest that connects to a number may do so if that is listed, or
	// if a listed name has led it there before: who shares an address with a listed name is reached too.
	//
	// 127.0.0.1 and localhost are the sandbox's own loopback interface where something in it listens on the port, and
	// the host's if not, and if listed.
	Dial []string
	// Connections bounds those that are open at one time; 0 means 64.
	Connections int
	// Bytes bounds what is sent and received over the sandbox's life; 0 means 4 GiB. A fork has a life of its own.
	Bytes int64
	// UnderReplay permits Dial beside Spec.Replay, which it otherwise can't be given with: what others answer is not
	// reproducible, and Replay's clock doesn't wait for them.
	UnderReplay bool
}

const (
	defaultConnections  = 64
	defaultNetworkBytes = 4 << 30
)

// Check says what is wrong with n, and how to put it right.
func (n Network) Check() error {
	_, err := n.policy()
	return err
}

func (n Network) policy() (policy, error) {
	var p policy
	if n.Connections < 0 || n.Bytes < 0 {
		return nil, fmt.Errorf("network: a limit is negative: use a positive value, or 0 for the default")
	}
	for _, entry := range n.Dial {
		rules, err := parseDialRule(entry)
		if err != nil {
			return nil, err
		}
		p = append(p, rules...)
	}
	return p, nil
}

// check is Check, under what else the Spec says.
func (n Network) check(replay *Replay) error {
	if replay != nil && len(n.Dial) > 0 && !n.UnderReplay {
		return fmt.Errorf("network under Replay: what others answer is not reproducible; set Network.UnderReplay to have it all the same")
	}
	return n.Check()
}

// dialRule is an entry of Network.Dial, taken apart. It has a name, a prefix or neither, which is everything.
type dialRule struct {
	name   string       // in lower case
	below  bool         // not name itself, but all below it
	prefix netip.Prefix // of addresses that are not IPv4-mapped
	port   uint16       // 0 is every port
}

func parseDialRule(entry string) ([]dialRule, error) {
	bad := func(reason string) ([]dialRule, error) {
		return nil, fmt.Errorf("network: %q: %s", entry, reason)
	}
	if entry == "*" {
		return []dialRule{{}}, nil
	}
	i := strings.LastIndex(entry, ":")
	if i < 0 || strings.HasSuffix(entry, "]") || strings.Contains(entry[:i], ":") && entry[0] != '[' {
		return bad("use HOST:PORT, such as example.com:443 or 10.0.0.0/8:5432, with IPv6 addresses in brackets, or HOST:* for every port")
	}
	host, text := entry[:i], entry[i+1:]
	var rule dialRule
	if text != "*" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return bad("the port is no number from 1 to 65535, nor *")
		}
		rule.port = uint16(port)
	}
	number, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		number = strings.TrimSuffix(number, "]")
	}
	if prefix, err := parsePrefix(number); err == nil {
		rule.prefix = prefix
		return []dialRule{rule}, nil
	} else if bracketed || strings.Contains(host, "/") {
		return bad(err.Error())
	}
	if host == "*" {
		return []dialRule{rule}, nil
	}
	rule.name = canonicalName(host)
	rule.name, rule.below = strings.CutPrefix(rule.name, "*.")
	if !validName(rule.name) {
		return bad("the host is neither a name, nor an address or a range of them")
	}
	if rule.name == "localhost" && !rule.below {
		v4, v6 := rule, rule
		v4.name, v4.prefix = "", netip.PrefixFrom(loopback4, 32)
		v6.name, v6.prefix = "", netip.PrefixFrom(netip.IPv6Loopback(), 128)
		return []dialRule{v4, v6, rule}, nil
	}
	return []dialRule{rule}, nil
}

var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// parsePrefix reads an address or a range of them.
func parsePrefix(s string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		ip, ipErr := netip.ParseAddr(s)
		if ipErr != nil || ip.Zone() != "" {
			return prefix, err
		}
		prefix = netip.PrefixFrom(ip, ip.BitLen())
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return prefix, fmt.Errorf("%s mixes IPv4 with IPv6", s)
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

func canonicalName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func validName(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(name) <= 253
}

// localName says whether a name is the machine's own, whatever a resolver thinks.
func localName(name string) bool {
	return name == "localhost" || name == "localhost.localdomain" || strings.HasSuffix(name, ".localhost")
}

// policy is a Network's rules. It answers why something is refused; "" is that it isn't.
type policy []dialRule

func (r dialRule) hasPort(port uint16) bool { return r.port == 0 || r.port == port }

// covers says whether a rule is for a name. port 0 is any.
func (r dialRule) covers(name string, port uint16) bool {
	switch {
	case r.prefix.IsValid() || port != 0 && !r.hasPort(port):
		return false
	case r.name == "":
		return true
	case r.below:
		return strings.HasSuffix(name, "."+r.name)
	}
	return name == r.name
}

// refusesName says why a name may not be resolved, or connected to at a port that is not 0.
func (p policy) refusesName(name string, port uint16) string {
	for _, r := range p {
		if r.covers(name, port) {
			return ""
		}
	}
	return "no entry of Network.Dial allows it"
}

// refusesAddress says why an address may not be connected to. named says that a name which may be led there.
func (p policy) refusesAddress(ip netip.Addr, port uint16, named bool) string {
	ip = ip.Unmap()
	if ip.Zone() != "" {
		return "addresses with a zone are the host's own"
	}
	block := specialBlock(ip)
	allowed := named && block == nil
	for _, r := range p {
		switch {
		case !r.hasPort(port):
		case r.prefix.IsValid():
			allowed = allowed || r.prefix.Contains(ip) && (block == nil || r.prefix.Bits() >= block.prefix.Bits())
		case r.name == "":
			allowed = allowed || block == nil
		}
	}
	switch {
	case !allowed && block != nil:
		return fmt.Sprintf("%s is %s, and no entry of Network.Dial names it by number", ip, block.what)
	case !allowed:
		return "no entry of Network.Dial allows it"
	case block != nil && block.embeds > 0:
		b := ip.As16()
		inner := netip.AddrFrom4([4]byte(b[block.embeds:]))
		return p.refusesAddress(inner, port, false)
	}
	return ""
}

// block is a range of addresses that isn't public.
type block struct {
	prefix netip.Prefix
	what   string
	embeds int // where the bytes of an IPv4 address are in it that it leads to; 0 for none
}

func newBlock(prefix, what string, embeds int) block {
	return block{netip.MustParsePrefix(prefix), what, embeds}
}

// specialBlocks are the ranges that aren't public, those within others first.
// https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
var specialBlocks = [...]block{
	newBlock("0.0.0.0/8", "an address of this network", 0),
	newBlock("10.0.0.0/8", "a private address", 0),
	newBlock("100.64.0.0/10", "a shared address", 0),
	newBlock("127.0.0.0/8", "a loopback address", 0),
	newBlock("169.254.0.0/16", "a link-local address", 0),
	newBlock("172.16.0.0/12", "a private address", 0),
	newBlock("192.0.0.0/24", "an address for protocols", 0),
	newBlock("192.0.2.0/24", "an address for documentation", 0),
	newBlock("192.31.196.0/24", "an address for protocols", 0),
	newBlock("192.52.193.0/24", "an address for protocols", 0),
	newBlock("192.88.99.0/24", "a 6to4 relay", 0),
	newBlock("192.168.0.0/16", "a private address", 0),
	newBlock("192.175.48.0/24", "an address for protocols", 0),
	newBlock("198.18.0.0/15", "an address for benchmarks", 0),
	newBlock("198.51.100.0/24", "an address for documentation", 0),
	newBlock("203.0.113.0/24", "an address for documentation", 0),
	newBlock("224.0.0.0/4", "a multicast address", 0),
	newBlock("240.0.0.0/4", "a reserved address", 0),
	newBlock("::/128", "the unspecified address", 0),
	newBlock("::1/128", "a loopback address", 0),
	newBlock("::/96", "an IPv4-compatible address", 12),
	newBlock("64:ff9b::/96", "a NAT64 address", 12),
	newBlock("64:ff9b:1::/48", "a NAT64 address", 12),
	newBlock("::/3", "a reserved address", 0),
	newBlock("2001::/23", "an address for protocols", 0),
	newBlock("2001:db8::/32", "an address for documentation", 0),
	newBlock("2002::/16", "a 6to4 address", 2),
	newBlock("3fff::/20", "an address for documentation", 0),
	newBlock("fc00::/7", "a private address", 0),
	newBlock("fe80::/10", "a link-local address", 0),
	newBlock("fec0::/10", "a site-local address", 0),
	newBlock("ff00::/8", "a multicast address", 0),
	newBlock("4000::/2", "a reserved address", 0),
	newBlock("8000::/1", "a reserved address", 0),
}

func specialBlock(ip netip.Addr) *block {
	for i := range specialBlocks {
		if specialBlocks[i].prefix.Contains(ip) {
			return &specialBlocks[i]
		}
	}
	return nil
}

// ErrDenied is what errors wrap that say that a sandbox's network policy refuses something. They are fs.ErrPermission too.
var ErrDenied error = deniedError{}

type deniedError struct{}

func (deniedError) Error() string        { return "the sandbox's network policy denies it" }
func (deniedError) Is(target error) bool { return target == fs.ErrPermission }

// denied makes an error of a reason that isn't "".
func denied(what, reason string) error { return fmt.Errorf("%s: %w: %s", what, ErrDenied, reason) }
