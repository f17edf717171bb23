package engine

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/klauspost/compress/zstd"
)

// WriteTo writes the snapshot, whole. It holds neither host paths nor the values of Spec.Secrets, which are blanked in
// the memory of sessions too, but not in files; nothing of it is encrypted.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) { return s.write(w, nil) }

// WriteDelta writes the snapshot without the content that it has in common with base, which ReadSnapshot then needs.
func (s *Snapshot) WriteDelta(w io.Writer, base *Snapshot) (int64, error) {
	have, err := base.contents()
	if err != nil {
		return 0, fmt.Errorf("write snapshot: %w", err)
	}
	return s.write(w, have)
}

func (s *Snapshot) write(w io.Writer, have contentSet) (int64, error) {
	count := &countWriter{w: w}
	if err := s.writeFile(count, have); err != nil {
		return count.n, fmt.Errorf("write snapshot: %w", err)
	}
	return count.n, nil
}

func (s *Snapshot) writeFile(w io.Writer, have contentSet) error {
	start := binary.LittleEndian.AppendUint16([]byte(snapshotMagic), snapshotVersion)
	if _, err := w.Write(start); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(snapshotWindow))
	if err != nil {
		return err
	}
	out := newSnapshotWriter(z, have)
	out.sum.Write(start)
	if err := s.tell(out); err != nil {
		_ = z.Close()
		return err
	}
	if err := out.end(); err != nil {
		_ = z.Close()
		return err
	}
	return z.Close()
}

// contents answers all content of the snapshot, by digest.
func (s *Snapshot) contents() (contentSet, error) {
	out := newSnapshotWriter(io.Discard, nil)
	out.keep = contentSet{}
	if err := s.tell(out); err != nil {
		return nil, err
	}
	return out.keep, nil
}

// tell gives the writer everything.
func (s *Snapshot) tell(out *snapshotWriter) error {
	sb := s.sandbox
	s.mu.Lock() // sessions stay as they are
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	base, err := sb.image.tree()
	if err != nil {
		return err
	}
	digest, err := sb.engine.BaseDigest(sb.image.Name)
	if err != nil {
		return err
	}
	sessions := sb.sessions.list()
	header := sb.snapshotHeader(len(sessions))
	header.Base, header.Delta = digest, out.have != nil
	if err := out.json(recordHeader, header); err != nil {
		return err
	}
	if err := sb.tree.Changes(base, out); err != nil {
		return err
	}
	for _, each := range sessions {
		if err := out.session(each); err != nil {
			return fmt.Errorf("session %q: %w", each.name, err)
		}
	}
	return nil
}

func (sb *Sandbox) snapshotHeader(sessions int) snapshotHeader {
	spec := sb.spec
	h := snapshotHeader{
		Image: sb.image.Name, Secrets: spec.Secrets, Limits: sb.limits, Labels: spec.Labels,
		Used: sb.Usage(), Sessions: sessions,
	}
	for _, kv := range spec.Env {
		if name, _, _ := strings.Cut(kv, "="); !slices.Contains(spec.Secrets, name) {
			h.Env = append(h.Env, kv)
		}
	}
	if len(spec.Network.Dial) > 0 {
		h.Network = &spec.Network
	}
	for _, m := range spec.Mounts {
		h.Mounts = append(h.Mounts, mountHeader{m.Path, m.ReadWrite})
	}
	if sb.clock != nil {
		h.Replay = &replayHeader{
			Seed: spec.Replay.Seed, Epoch: spec.Replay.Epoch, Ticks: sb.clock.ticks.Load(), Slept: sb.clock.slept.Load(),
			Random: sb.random.(*replayRandom).state(),
		}
		h.Used.Wall = 0 // the host's time, and so no part of what is the same each time
	}
	return h
}

// secretValues answers what is to be blanked. Short values would blank too much by chance.
func (sb *Sandbox) secretValues() [][]byte {
	const short = 4
	var out [][]byte
	for _, kv := range sb.spec.Env {
		name, value, _ := strings.Cut(kv, "=")
		if slices.Contains(sb.spec.Secrets, name) && len(value) >= short {
			out = append(out, []byte(value))
		}
	}
	return out
}

// contentSet is content by digest.
type contentSet map[[sha256.Size]byte][]byte

// snapshotWriter writes records. It is the vfs.Sink of a snapshot's tree.
type snapshotWriter struct {
	w       *bufio.Writer
	sum     hash.Hash // of all that was written
	numbers map[[sha256.Size]byte]uint64
	have    contentSet // that the base of a delta has; nil: there is none
	keep    contentSet // where content is kept; nil: it isn't
	body    []byte
	head    []byte
}

func newSnapshotWriter(w io.Writer, have contentSet) *snapshotWriter {
	return &snapshotWriter{
		w: bufio.NewWriterSize(w, 64<<10), sum: sha256.New(), numbers: map[[sha256.Size]byte]uint64{}, have: have,
	}
}

func (o *snapshotWriter) record(kind byte, body []byte) error {
	if len(body) > maxRecord {
		return fmt.Errorf("a record of %d bytes", len(body))
	}
	o.head = binary.AppendUvarint(append(o.head[:0], kind), uint64(len(body)))
	o.sum.Write(o.head)
	o.sum.Write(body)
	if _, err := o.w.Write(o.head); err != nil {
		return err
	}
	_, err := o.w.Write(body)
	return err
}

func (o *snapshotWriter) json(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return o.record(kind, b)
}

func (o *snapshotWriter) end() error {
	if err := o.record(recordEnd, o.sum.Sum(nil)); err != nil {
		return err
	}
	return o.w.Flush()
}

// content answers the number of b, which it writes unless it has, or the base does.
func (o *snapshotWriter) content(b []byte) (uint64, error) {
	digest := sha256.Sum256(b)
	if n, ok := o.numbers[digest]; ok {
		return n, nil
	}
	n := uint64(len(o.numbers))
	o.numbers[digest] = n
	if o.keep != nil {
		o.keep[digest] = slices.Clone(b)
	}
	if _, ok := o.have[digest]; ok {
		return n, o.record(recordDigest, digest[:])
	}
	return n, o.record(recordContent, b)
}

// fields writes a record of unsigned integers.
func (o *snapshotWriter) fields(kind byte, values ...uint64) error {
	o.body = o.body[:0]
	for _, v := range values {
		o.body = binary.AppendUvarint(o.body, v)
	}
	return o.record(kind, o.body)
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Tree implements vfs.Sink, as do the methods that follow.
func (o *snapshotWriter) Tree(r vfs.TreeRecord) error {
	return o.fields(recordTree, r.NextIno, r.FirstIno, bit(r.Fresh))
}

// Node implements vfs.Sink.
func (o *snapshotWriter) Node(r vfs.NodeRecord) error {
	b := binary.AppendUvarint(o.body[:0], r.Ino)
	b = binary.AppendUvarint(b, uint64(r.Mode))
	b = binary.AppendUvarint(b, uint64(r.UID))
	b = binary.AppendUvarint(b, uint64(r.GID))
	b = binary.AppendVarint(b, r.Btime)
	b = binary.AppendVarint(b, r.Atime-r.Btime)
	b = binary.AppendVarint(b, r.Mtime-r.Btime)
	b = binary.AppendVarint(b, r.Ctime-r.Btime)
	b = binary.AppendUvarint(b, uint64(r.Size))
	b = binary.AppendUvarint(b, uint64(r.Kept))
	b = binary.AppendUvarint(b, r.LastSeq)
	o.body = binary.AppendUvarint(b, bit(r.Orphan))
	return o.record(recordNode, o.body)
}

// Gone implements vfs.Sink.
func (o *snapshotWriter) Gone(ino uint64) error { return o.fields(recordGone, ino) }

// Attrs implements vfs.Sink.
func (o *snapshotWriter) Attrs(r vfs.AttrsRecord) error {
	b := binary.AppendUvarint(o.body[:0], r.Ino)
	b = binary.AppendUvarint(b, bit(r.Charged))
	b = binary.AppendUvarint(b, uint64(len(r.List)))
	for _, a := range r.List {
		b = appendText(b, a.Name)
		b = appendText(b, a.Value)
	}
	o.body = b
	return o.record(recordAttrs, b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Entry implements vfs.Sink.
func (o *snapshotWriter) Entry(r vfs.EntryRecord) error {
	b := binary.AppendUvarint(o.body[:0], r.Dir)
	b = binary.AppendUvarint(b, r.Seq)
	b = binary.AppendUvarint(b, r.Ino)
	b = binary.AppendUvarint(b, bit(r.Charged))
	o.body = appendText(b, r.Name)
	return o.record(recordEntry, o.body)
}

// Chunk implements vfs.Sink.
func (o *snapshotWriter) Chunk(r vfs.ChunkRecord) error {
	number := uint64(0)
	if len(r.Data) > 0 {
		n, err := o.content(r.Data)
		if err != nil {
			return err
		}
		number = n + 1
	}
	return o.fields(recordChunk, r.Ino, uint64(r.Index), bit(r.Charged), number)
}

// session writes a session.
func (o *snapshotWriter) session(s *Session) error {
	header, err := s.header()
	if err != nil {
		return err
	}
	if err := o.json(recordSession, header); err != nil || !header.Begun {
		return err
	}
	return s.life.frozen.memory.blocks(s.sandbox.secretValues(), func(number uint64, block []byte) error {
		n, err := o.content(block)
		if err != nil {
			return err
		}
		return o.fields(recordPages, number, n)
	})
}

// countWriter counts what is written.
type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
