package npm

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/belljar-dev/belljar/engine"
)

const (
	maxPackument = 64 << 20  // bytes of a registry's answer
	maxTarball   = 128 << 20 // bytes of a package, compressed
	fetchTimeout = 60 * time.Second
)

// packument is what a registry knows of a package.
type packument struct {
	Name     string               `json:"name"`
	Tags     stringMap            `json:"dist-tags"`
	Versions map[string]*manifest `json:"versions"`
}

// registry fetches from one for one run of npm.
type registry struct {
	url    string // ends in /
	cache  string
	client *http.Client
	call   *engine.Call

	mu    sync.Mutex
	known map[string]*packument
}

func newRegistry(cfg *Config, c *engine.Call, base string) *registry {
	if !strings.HasSuffix(base, "/") {
		base += "/"
	}
	transport := cfg.Transport
	if transport == nil {
		transport = &http.Transport{
			DialContext: c.Dialer().DialContext, ForceAttemptHTTP2: true, MaxConnsPerHost: 8, TLSHandshakeTimeout: 20 * time.Second,
		}
	}
	return &registry{
		url: base, cache: cfg.Cache, call: c, known: map[string]*packument{},
		client: &http.Client{Transport: transport, Timeout: fetchTimeout},
	}
}

func (r *registry) close() {
	if t, ok := r.client.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// get fetches a URL, at most max bytes.
func (r *registry) get(ctx context.Context, address, accept string, max int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fail("EUNSUPPORTEDPROTOCOL", "Unsupported URL Type: %s", address)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fail("EINVALIDURL", "%v", err)
	}
	req.Header.Set("Accept", accept)
	res, err := r.client.Do(req)
	if err != nil {
		if cerr := context.Cause(ctx); cerr != nil {
			return nil, cerr
		}
		return nil, fail(networkCode(err), "request to %s failed, reason: %v", address, reason(err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, fail("E404", "404 Not Found - GET %s - Not found", address)
	case res.StatusCode != http.StatusOK:
		return nil, fail(fmt.Sprintf("E%d", res.StatusCode), "%s - GET %s", res.Status, address)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, max+1))
	switch {
	case err != nil:
		return nil, fail("ECONNRESET", "reading %s: %v", address, err)
	case int64(len(b)) > max:
		return nil, fail("EFBIG", "%s is larger than %d bytes", address, max)
	}
	return b, r.call.Charge(int64(len(b)))
}

func networkCode(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, os.ErrPermission):
		return "EACCES"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "ETIMEDOUT"
	case strings.Contains(err.Error(), "no such host"):
		return "ENOTFOUND"
	}
	return "ECONNREFUSED"
}

func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// packument answers what the registry knows of a package.
func (r *registry) packument(ctx context.Context, name string) (*packument, error) {
	r.mu.Lock()
	p := r.known[name]
	r.mu.Unlock()
	if p != nil {
		return p, nil
	}
	if !validName(name) {
		return nil, fail("EINVALIDPACKAGENAME", "Invalid package name %q", name)
	}
	b, err := r.get(ctx, r.url+strings.ReplaceAll(name, "/", "%2f"), "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8", maxPackument)
	var f *failure
	if errors.As(err, &f) && f.code == "E404" {
		return nil, fail("E404", "404 Not Found - GET %s%s - Not found\n\n  The requested resource '%s@*' could not be found or you do not have permission to access it.\n\nNote that you can also install from a\ntarball, folder, http url, or git folder.", r.url, name, name)
	}
	if err != nil {
		return nil, err
	}
	p = &packument{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fail("EJSONPARSE", "Invalid response body while trying to fetch %s%s: %v", r.url, name, err)
	}
	for version, m := range p.Versions {
		if m == nil {
			delete(p.Versions, version)
			continue
		}
		m.Name, m.Version = name, version
	}
	r.mu.Lock()
	r.known[name] = p
	r.mu.Unlock()
	return p, nil
}

// prefetch asks for packuments ahead, a few at a time. Errors are for who needs them.
func (r *registry) prefetch(ctx context.Context, names []string) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, 6)
	for _, name := range names {
		wg.Add(1)
		turns <- struct{}{}
		go func() { // ends with its fetch, which ctx ends; waited for below
			defer func() { <-turns; wg.Done() }()
			_, _ = r.packument(ctx, name)
		}()
	}
	wg.Wait()
}

// pick answers the version that npm would take for a specification: a tag, a version or a range.
func (r *registry) pick(ctx context.Context, name, spec string) (*manifest, error) {
	p, err := r.packument(ctx, name)
	if err != nil {
		return nil, err
	}
	if m := p.pick(spec); m != nil {
		return m, nil
	}
	return nil, fail("ETARGET", "No matching version found for %s@%s.\nIn most cases you or one of your dependencies are requesting\na package version that doesn't exist.", name, spec)
}

func (p *packument) pick(spec string) *manifest {
	spec = strings.TrimSpace(spec)
	latest := p.Versions[p.Tags["latest"]]
	if spec == "" || spec == "latest" {
		if latest != nil {
			return latest
		}
		spec = "*"
	}
	if tagged, ok := p.Tags[spec]; ok {
		return p.Versions[tagged]
	}
	want, err := parseRange(spec)
	if err != nil {
		return nil
	}
	if latest != nil && satisfies(latest.Version, spec) {
		return latest
	}
	var best *manifest
	var bestVersion *semver.Version
	for _, m := range p.sorted() {
		v, err := semver.StrictNewVersion(m.Version)
		if err != nil || !want.allows(v) {
			continue
		}
		better := best == nil || len(best.Deprecated) > 0 && len(m.Deprecated) == 0 ||
			(len(best.Deprecated) > 0) == (len(m.Deprecated) > 0) && v.GreaterThan(bestVersion)
		if better {
			best, bestVersion = m, v
		}
	}
	return best
}

func (p *packument) sorted() []*manifest {
	var out []*manifest
	for _, m := range p.Versions {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *manifest) int { return strings.Compare(a.Version, b.Version) })
	return out
}

// tarball answers a package's content, checked: from the cache if that has it.
func (r *registry) tarball(ctx context.Context, address, integrity string) ([]byte, string, error) {
	if b := cached(r.cache, integrity); b != nil {
		return b, integrity, nil
	}
	b, err := r.get(ctx, address, "application/octet-stream, */*", maxTarball)
	if err != nil {
		return nil, "", err
	}
	integrity, err = verify(b, integrity, address)
	return b, integrity, err
}

// verify checks content against an integrity, of which the strongest algorithm counts, and answers one of its own if
// that is empty. See https://w3c.github.io/webappsec-subresource-integrity/
func verify(b []byte, integrity, what string) (string, error) {
	sum := sha512.Sum512(b)
	own := "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	var weak bool
	for word := range strings.FieldsSeq(integrity) {
		word, _, _ = strings.Cut(word, "?")
		switch {
		case word == own:
			return integrity, nil
		case strings.HasPrefix(word, "sha512-"):
			return "", fail("EINTEGRITY", "%s integrity checksum failed when using sha512: wanted %s but got %s. (%d bytes)", what, word, own, len(b))
		case strings.HasPrefix(word, "sha1-"):
			old := sha1.Sum(b)
			if got := "sha1-" + base64.StdEncoding.EncodeToString(old[:]); got != word {
				return "", fail("EINTEGRITY", "%s integrity checksum failed when using sha1: wanted %s but got %s. (%d bytes)", what, word, got, len(b))
			}
			weak = true
		}
	}
	if integrity != "" && !weak {
		return "", fail("EINTEGRITY", "%s has no integrity that can be checked: %s", what, integrity)
	}
	if integrity == "" {
		return own, nil
	}
	return integrity, nil
}

// cacheName is the name in a cache of what has an integrity, or "".
func cacheName(integrity string) string {
	for word := range strings.FieldsSeq(integrity) {
		if rest, ok := strings.CutPrefix(word, "sha512-"); ok {
			if sum, err := base64.StdEncoding.DecodeString(rest); err == nil && len(sum) == sha512.Size {
				return hex.EncodeToString(sum) + ".tgz"
			}
		}
	}
	return ""
}

// cached answers what a cache has, checked, or nil.
func cached(dir, integrity string) []byte {
	name := cacheName(integrity)
	if dir == "" || name == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil
	}
	if _, err := verify(b, integrity, name); err != nil {
		return nil
	}
	return b
}

// FillCache puts a package, as a registry serves it, into a Config.Cache folder. It may be called while sandboxes use it.
func FillCache(dir string, tarball []byte) error {
	sum := sha512.Sum512(tarball)
	name := filepath.Join(dir, hex.EncodeToString(sum[:])+".tgz")
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, tarball) {
		return nil
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return fmt.Errorf("fill cache: %w", err)
	}
	_, err = f.Write(tarball)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("fill cache: %w", err)
	}
	return nil
}
