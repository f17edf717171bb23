package git

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/belljar-dev/belljar/internal/hostkey"
)

// knownHosts is the text of a known_hosts file (https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT). Lines of
// authorities (@cert-authority), and such as can't be read, say nothing.
type knownHosts string

var (
	errUnknownHost = errors.New("no host key is known for it")
	errChangedHost = errors.New("its host key is not the one that is known")
	errRevokedHost = errors.New("its host key is revoked")
)

// keys answers the keys that a server may have, and those that it may not.
func (k knownHosts) keys(host, port string) (known, revoked []ssh.PublicKey) {
	name := strings.ToLower(host)
	if port != "22" {
		name = "[" + name + "]:" + port
	}
	for line := range strings.Lines(string(k)) {
		marker, hosts, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
		switch {
		case err != nil || !namedBy(hosts, name):
		case marker == "revoked":
			revoked = append(revoked, key)
		case marker == "":
			known = append(known, key)
		}
	}
	return known, revoked
}

// check judges a server's key. The algorithms are those to ask the server for: of several keys of a server's, one that is
// known has to be shown.
func (k knownHosts) check(host, port string) (algorithms []string, judge ssh.HostKeyCallback) {
	known, revoked := k.keys(host, port)
	return hostkey.Algorithms(known...), func(_ string, _ net.Addr, key ssh.PublicKey) error {
		same := func(other ssh.PublicKey) bool { return bytes.Equal(other.Marshal(), key.Marshal()) }
		switch {
		case slices.ContainsFunc(revoked, same):
			return errRevokedHost
		case len(known) == 0:
			return errUnknownHost
		case !slices.ContainsFunc(known, same):
			return errChangedHost
		}
		return nil
	}
}

// namedBy reports whether a line's patterns mean a name.
func namedBy(patterns []string, name string) bool {
	found := false
	for _, p := range patterns {
		bare, not := strings.CutPrefix(p, "!")
		if !hashedName(bare, name) && !wildcard(strings.ToLower(bare), name) {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}

// hashedName compares a name with "|1|salt|HMAC-SHA1 of the name".
func hashedName(hashed, name string) bool {
	rest, ok := strings.CutPrefix(hashed, "|1|")
	salt, want, _ := strings.Cut(rest, "|")
	key, err := base64.StdEncoding.DecodeString(salt)
	if !ok || err != nil {
		return false
	}
	mac := hmac.New(sha1.New, key)
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil)) == want
}

// wildcard matches a name with a pattern in which * is anything and ? one character.
func wildcard(pattern, name string) bool {
	star, back := -1, 0 // where the last * is, and from where of the name the rest was tried
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case star >= 0:
			back++
			p, n = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
