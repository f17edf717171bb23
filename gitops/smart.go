package gitops

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
)

// remoteRef is a reference as a server tells it.
type remoteRef struct {
	name plumbing.ReferenceName
	hash plumbing.Hash
}

// advert is what a server begins with.
type advert struct {
	refs    []remoteRef // by name; no peeled ones
	head    plumbing.ReferenceName
	headAt  plumbing.Hash
	can     map[string]bool // capabilities
	shallow bool            // the server's repository is a shallow one
}

func (a *advert) find(name plumbing.ReferenceName) (plumbing.Hash, bool) {
	i, ok := slices.BinarySearchFunc(a.refs, name, func(r remoteRef, name plumbing.ReferenceName) int {
		return strings.Compare(string(r.name), string(name))
	})
	if !ok {
		return plumbing.ZeroHash, false
	}
	return a.refs[i].hash, true
}

// fetchRequest is what is asked of a server.
type fetchRequest struct {
	want, have, shallow []plumbing.Hash
	depth               int
	progress            func(Progress)
}

// peer is the other side of a transfer.
type peer interface {
	advert() *advert
	// fetch stores what is wanted in r.
	fetch(ctx context.Context, r *Repository, req fetchRequest) error
	// push updates references, from what r has, and answers for each that was refused why.
	push(ctx context.Context, r *Repository, updates []refUpdate) (map[plumbing.ReferenceName]string, error)
	close() error
}

// smartPeer is a server that speaks git's protocol, version 0.
type smartPeer struct {
	wire    wire
	service string
	told    *advert
	access  Access
}

func (a Access) connect(ctx context.Context, to address, service string) (*smartPeer, error) {
	w, err := a.wireTo(to)
	if err != nil {
		return nil, err
	}
	p := &smartPeer{wire: w, service: service, access: a}
	in, err := w.advertise(ctx, service)
	if err == nil {
		p.told, err = readAdvert(in, a.maxRefs())
	}
	if err != nil {
		return nil, errors.Join(cause(ctx, err), w.close())
	}
	return p, nil
}

// cause is why a call ended: what has ended its context, before what came of that.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (p *smartPeer) advert() *advert { return p.told }
func (p *smartPeer) close() error    { return p.wire.close() }

// maxPkt is the longest packet, its length included (https://git-scm.com/docs/gitprotocol-common#_pkt_line_format).
const maxPkt = 65520

func pkt(s string) []byte { return fmt.Appendf(nil, "%04x%s", len(s)+4, s) }

// readPkt reads a packet; nil is a flush.
func readPkt(in *bufio.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, unexpected(err)
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 32)
	switch {
	case err != nil || n > maxPkt || n > 0 && n < 4:
		return nil, fmt.Errorf("packet of %q bytes: %w", head[:], ErrCorrupt)
	case n == 0:
		return nil, nil
	}
	b := make([]byte, n-4)
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, unexpected(err)
	}
	if text, ok := bytes.CutPrefix(b, []byte("ERR ")); ok {
		return nil, fmt.Errorf("%q: %w", printable(string(text)), ErrRemote)
	}
	return b, nil
}

func newReader(r io.Reader) *bufio.Reader {
	if b, ok := r.(*bufio.Reader); ok {
		return b
	}
	return bufio.NewReader(r)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// printable makes a server's text one that can't write to a terminal more than letters.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, " "))
	s = strings.TrimSpace(s)
	return s[:min(len(s), 500)]
}

// readAdvert reads references: lines of a hash and a name, the first with capabilities after a NUL.
func readAdvert(in *bufio.Reader, most int64) (*advert, error) {
	a := &advert{can: map[string]bool{}}
	for first := true; ; first = false {
		b, err := readPkt(in)
		if err != nil {
			return nil, fmt.Errorf("references of the server: %w", err)
		}
		if b == nil {
			break
		}
		line, caps, _ := strings.Cut(strings.TrimSuffix(string(b), "\n"), "\x00")
		if first {
			if strings.HasPrefix(line, "version ") {
				first = true
				continue
			}
			for c := range strings.FieldsSeq(caps) {
				if head, ok := strings.CutPrefix(c, "symref=HEAD:"); ok {
					a.head = plumbing.ReferenceName(head)
				}
				a.can[c] = true
			}
		}
		if strings.HasPrefix(line, "shallow ") {
			a.shallow = true
			continue
		}
		hex, name, ok := strings.Cut(line, " ")
		if !ok || !plumbing.IsHash(hex) {
			return nil, fmt.Errorf("references of the server: %w", ErrCorrupt)
		}
		hash, ref := plumbing.NewHash(hex), plumbing.ReferenceName(name)
		switch {
		case name == "HEAD":
			a.headAt = hash
		case strings.HasSuffix(name, "^{}"), checkRef(ref) != nil:
			// Peeled tags, .have, capabilities^{}, and names that have no place here.
		case int64(len(a.refs)) >= most:
			return nil, fmt.Errorf("more than %d references: %w", most, ErrTooMany)
		default:
			a.refs = append(a.refs, remoteRef{ref, hash})
		}
	}
	slices.SortFunc(a.refs, func(a, b remoteRef) int { return strings.Compare(string(a.name), string(b.name)) })
	if a.head == "" || checkRef(a.head) != nil {
		a.head = a.guessHead()
	}
	return a, nil
}

// guessHead is the branch that HEAD is at, where the server doesn't say.
func (a *advert) guessHead() plumbing.ReferenceName {
	for _, name := range []plumbing.ReferenceName{"refs/heads/main", "refs/heads/master"} {
		if h, ok := a.find(name); ok && h == a.headAt {
			return name
		}
	}
	for _, r := range a.refs {
		if r.name.IsBranch() && r.hash == a.headAt {
			return r.name
		}
	}
	return ""
}

// hasCap says whether a capability is there, with any value.
func (a *advert) hasCap(name string) bool {
	if a.can[name] {
		return true
	}
	for c := range a.can {
		if strings.HasPrefix(c, name+"=") {
			return true
		}
	}
	return false
}

func (p *smartPeer) fetch(ctx context.Context, r *Repository, req fetchRequest) error {
	caps := []string{}
	for _, c := range []string{"ofs-delta", "side-band-64k", "include-tag", "no-progress"} {
		if p.told.can[c] && (c != "no-progress" || req.progress == nil) {
			caps = append(caps, c)
		}
	}
	if p.told.hasCap("agent") {
		caps = append(caps, "agent=belljar")
	}
	if req.depth > 0 || len(req.shallow) > 0 {
		if !p.told.can["shallow"] {
			return fmt.Errorf("the server has no shallow copies: %w", ErrRemote)
		}
		caps = append(caps, "shallow")
	}
	var body bytes.Buffer
	for i, h := range req.want {
		line := "want " + h.String()
		if i == 0 {
			line += " " + strings.Join(caps, " ")
		}
		body.Write(pkt(line + "\n"))
	}
	for _, h := range req.shallow {
		body.Write(pkt("shallow " + h.String() + "\n"))
	}
	if req.depth > 0 {
		body.Write(pkt(fmt.Sprintf("deepen %d\n", req.depth)))
	}
	body.WriteString("0000")
	for _, h := range req.have {
		body.Write(pkt("have " + h.String() + "\n"))
	}
	body.Write(pkt("done\n"))
	in, err := p.wire.request(ctx, uploadPack, &body)
	if err != nil {
		return cause(ctx, err)
	}
	err = p.receive(ctx, r, in, req)
	return cause(ctx, err)
}

// receive reads the answer to a fetch: changes of what is shallow, an acknowledgement, a pack.
func (p *smartPeer) receive(ctx context.Context, r *Repository, in *bufio.Reader, req fetchRequest) error {
	shallow := map[plumbing.Hash]bool{}
	for _, h := range req.shallow {
		shallow[h] = true
	}
	if req.depth > 0 {
		for {
			b, err := readPkt(in)
			if err != nil {
				return err
			}
			if b == nil {
				break
			}
			word, hex, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
			switch {
			case !plumbing.IsHash(hex) || int64(len(shallow)) > p.access.maxRefs():
				return fmt.Errorf("shallow commits of the server: %w", ErrCorrupt)
			case word == "shallow":
				shallow[plumbing.NewHash(hex)] = true
			case word == "unshallow":
				delete(shallow, plumbing.NewHash(hex))
			}
		}
	}
	b, err := readPkt(in)
	if err != nil {
		return err
	}
	if line := string(b); !strings.HasPrefix(line, "NAK") && !strings.HasPrefix(line, "ACK ") {
		return fmt.Errorf("acknowledgement of the server: %w", ErrCorrupt)
	}
	var pack io.Reader = in
	if p.told.can["side-band-64k"] {
		pack = &sideband{in: in, report: req.progress}
	}
	if err := r.receivePack(ctx, bufio.NewReaderSize(pack, 128<<10), p.access); err != nil {
		return err
	}
	if req.depth == 0 {
		return nil
	}
	var list []plumbing.Hash
	for h := range shallow {
		if r.st.HasEncodedObject(h) == nil {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) })
	r.grafts = nil
	return r.st.SetShallow(list)
}

// sideband reads what comes on the first of a stream's three channels; the second tells progress, the third an error.
type sideband struct {
	in     *bufio.Reader
	report func(Progress)
	rest   []byte
	text   []byte // of the second channel, an unfinished line
}

func (s *sideband) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		p, err := readPkt(s.in)
		switch {
		case err != nil:
			return 0, err
		case p == nil:
			return 0, io.EOF
		case len(p) == 0:
			continue
		}
		switch p[0] {
		case 1:
			s.rest = p[1:]
		case 2:
			s.tell(p[1:])
		case 3:
			return 0, fmt.Errorf("%q: %w", printable(string(p[1:])), ErrRemote)
		default:
			return 0, fmt.Errorf("channel %d: %w", p[0], ErrCorrupt)
		}
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *sideband) tell(text []byte) {
	if s.report == nil {
		return
	}
	s.text = append(s.text, text...)
	for {
		i := bytes.IndexAny(s.text, "\r\n")
		if i < 0 {
			break
		}
		if line := printable(string(s.text[:i])); line != "" {
			s.report(Progress{Phase: "remote", Text: line})
		}
		s.text = s.text[i+1:]
	}
	if len(s.text) > 1000 {
		s.text = nil
	}
}
