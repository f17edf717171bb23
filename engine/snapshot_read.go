package engine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/klauspost/compress/zstd"
)

// ReadOptions says what a snapshot is read into. Whatever gives a sandbox power over its host comes from here, not from
// the file. The zero value works.
type ReadOptions struct {
	// Limits of the sandbox. A zero field means what the snapshot says, but no more than the default, see Limits.
	Limits Limits
	// Mounts are the sandbox's host folders. Where the snapshot had others, an empty folder is left; see
	// Snapshot.Missing.
	Mounts []Mount
	// Network is what the sandbox may reach. What the snapshot's could, Snapshot.Network tells, and gives no power.
	Network Network
	// Env is laid over the snapshot's environment: the values of secret variables are not in the file. Sessions that
	// have begun don't see it in os.environ, but processes do that they start.
	Env []string
	// Base is what the snapshot is a delta of, or one that has the same content; nil for a whole one.
	Base *Snapshot
	// MaxBytes bounds what the file holds, decompressed; 0 means 2 GiB.
	MaxBytes int64
}

const (
	defaultSnapshotBytes = 2 << 30
	// snapshotWindow bounds the memory of a decoder.
	snapshotWindow = 8 << 20
)

// ReadSnapshot reads what Snapshot.WriteTo or WriteDelta wrote, on any machine with the same image. It loads the
// programs that the snapshot's sessions run, as Warm does.
//
// The file may come from anyone: a damaged or hostile one gives an error that wraps ErrSnapshot, at a cost that
// MaxBytes and the limits bound. One that needs more than the limits allow gives a *LimitError, or an error that wraps
// vfs.ErrQuota or vfs.ErrTooManyFiles.
func (e *Engine) ReadSnapshot(ctx context.Context, r io.Reader, opt ReadOptions) (*Snapshot, error) {
	s, err := e.readSnapshot(ctx, r, opt)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

func (e *Engine) readSnapshot(ctx context.Context, r io.Reader, opt ReadOptions) (*Snapshot, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	in, err := newSnapshotReader(r, opt)
	if err != nil {
		return nil, err
	}
	defer in.z.Close()
	if opt.Base != nil {
		if in.have, err = opt.Base.contents(); err != nil {
			return nil, err
		}
	}
	h, spec, err := in.header(e, opt)
	if err != nil {
		return nil, err
	}
	sb, err := e.newSandbox(spec, func(to vfs.Sink) error { return in.tree(ctx, to) })
	if err != nil {
		return nil, asBadFiles(err)
	}
	s := &Snapshot{sandbox: sb}
	if err := in.rest(ctx, sb, h); err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	if h.Network != nil {
		s.asked = *h.Network
	}
	for _, m := range h.Mounts {
		if !slices.ContainsFunc(spec.Mounts, func(have Mount) bool { return path.Clean(have.Path) == path.Clean(m.Path) }) {
			s.missing = append(s.missing, m.Path)
		}
	}
	return s, nil
}

// rest reads what follows the files.
func (in *snapshotReader) rest(ctx context.Context, sb *Sandbox, h *snapshotHeader) error {
	if err := sb.goOn(h); err != nil {
		return err
	}
	for range h.Sessions {
		if err := in.session(ctx, sb); err != nil {
			return err
		}
	}
	sb.tree.Reap()
	return in.end()
}

// asBadFiles gives records of files that make no sense their place among errors.
func asBadFiles(err error) error {
	if errors.Is(err, fs.ErrInvalid) && !errors.Is(err, ErrSnapshot) {
		return badSnapshot("files: %w", err)
	}
	return err
}

// goOn takes a sandbox to where the snapshot's was in time and randomness, and in what it has used.
func (sb *Sandbox) goOn(h *snapshotHeader) error {
	u := h.Used
	if min(int64(u.Wall), u.Ticks, u.Memory, u.Output) < 0 {
		return badSnapshot("negative usage")
	}
	sb.wall.Store(int64(u.Wall))
	sb.ticks.Store(u.Ticks)
	sb.output.Store(u.Output)
	sb.memory.peak.Store(u.Memory)
	if r := h.Replay; r != nil && sb.clock != nil {
		if r.Ticks < 0 || r.Slept < 0 || r.Slept > maxSlept || r.Ticks > maxSlept {
			return badSnapshot("replay: time out of range")
		}
		sb.clock.ticks.Store(r.Ticks)
		sb.clock.slept.Store(r.Slept)
		if err := sb.random.(*replayRandom).setState(r.Random); err != nil {
			return badSnapshot("replay: %w", err)
		}
	}
	return nil
}

// snapshotReader reads records.
type snapshotReader struct {
	z       *zstd.Decoder
	r       *bufio.Reader
	left    int64 // bytes that may still come
	sum     hash.Hash
	have    contentSet // of a delta's base
	content [][]byte
	files   int64 // nodes and entries that may still come

	kind byte // of the record that was read last
	body []byte
	back bool // it is to be read again
}

func newSnapshotReader(r io.Reader, opt ReadOptions) (*snapshotReader, error) {
	start := make([]byte, len(snapshotMagic)+2)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, badSnapshot("the file is too short: %w", err)
	}
	if string(start[:len(snapshotMagic)]) != snapshotMagic {
		return nil, badSnapshot("not a snapshot")
	}
	if v := binary.LittleEndian.Uint16(start[len(snapshotMagic):]); v != snapshotVersion {
		return nil, badSnapshot("version %d, not %d", v, snapshotVersion)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(snapshotWindow))
	if err != nil {
		return nil, err
	}
	in := &snapshotReader{z: z, r: bufio.NewReaderSize(z, 64<<10), left: opt.MaxBytes, sum: sha256.New()}
	if in.left == 0 {
		in.left = defaultSnapshotBytes
	}
	in.sum.Write(start)
	return in, nil
}

// next reads a record. Its body is good until the next one, but for content.
func (in *snapshotReader) next() error {
	if in.back {
		in.back = false
		return nil
	}
	err := in.record()
	if err != nil && !errors.Is(err, ErrSnapshot) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		err = badSnapshot("%w", err)
	}
	return err
}

func (in *snapshotReader) record() (err error) {
	if in.kind, err = in.r.ReadByte(); err != nil {
		return err
	}
	n, err := binary.ReadUvarint(in.r)
	if err != nil {
		return err
	}
	if n > maxRecord {
		return badSnapshot("a record of %d bytes", n)
	}
	if in.left -= int64(n) + 2; in.left < 0 {
		return badSnapshot("more content than ReadOptions.MaxBytes allows")
	}
	if in.body, err = readBody(in.r, in.body, int(n)); err != nil {
		return err
	}
	if in.kind != recordEnd {
		in.sum.Write(binary.AppendUvarint([]byte{in.kind}, n))
		in.sum.Write(in.body)
	}
	return nil
}

// readBody reads n bytes into buf, or a larger one, which grows with what is really there.
func readBody(r io.Reader, buf []byte, n int) ([]byte, error) {
	const part = 64 << 10
	buf = buf[:0]
	for len(buf) < n {
		m := min(n-len(buf), part)
		buf = slices.Grow(buf, m)
		k, err := io.ReadFull(r, buf[len(buf):len(buf)+m])
		buf = buf[:len(buf)+k]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// expect reads a record of a kind.
func (in *snapshotReader) expect(kind byte) error {
	if err := in.next(); err != nil {
		return err
	}
	if in.kind != kind {
		return badSnapshot("a record of kind %q where %q should be", in.kind, kind)
	}
	return nil
}

func decodeJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badSnapshot("header: %w", err)
	}
	return nil
}

// header reads the header, and makes the Spec of the sandbox.
func (in *snapshotReader) header(e *Engine, opt ReadOptions) (*snapshotHeader, Spec, error) {
	var h snapshotHeader
	if err := in.expect(recordHeader); err != nil {
		return nil, Spec{}, err
	}
	if err := decodeJSON(in.body, &h); err != nil {
		return nil, Spec{}, err
	}
	digest, err := e.BaseDigest(h.Image)
	switch {
	case errors.Is(err, ErrUnknownImage):
		return nil, Spec{}, badSnapshot("%w", err)
	case err != nil:
		return nil, Spec{}, err
	case digest != h.Base:
		return nil, Spec{}, badSnapshot("it was made with another build of image %q", h.Image)
	case h.Delta && in.have == nil:
		return nil, Spec{}, badSnapshot("it is a delta, and ReadOptions.Base is missing")
	case h.Sessions < 0 || h.Sessions > maxSessions:
		return nil, Spec{}, badSnapshot("%d sessions", h.Sessions)
	}
	if err := errors.Join(checkEnv(h.Env), checkNames(h.Secrets)); err != nil {
		return nil, Spec{}, badSnapshot("%w", err)
	}
	if err := checkEnv(opt.Env); err != nil {
		return nil, Spec{}, err
	}
	spec := Spec{
		Image: h.Image, Env: slices.Concat(h.Env, opt.Env), Secrets: h.Secrets, Limits: opt.Limits.orAtMost(h.Limits),
		Network: opt.Network, Mounts: opt.Mounts, Labels: h.Labels,
	}
	if r := h.Replay; r != nil {
		spec.Replay = &Replay{Seed: r.Seed, Epoch: r.Epoch}
	}
	if err := spec.Network.check(spec.Replay); err != nil {
		return nil, Spec{}, err
	}
	limits, err := spec.Limits.withDefaults()
	if err != nil {
		return nil, Spec{}, err
	}
	in.files = 4 * (limits.Files + 1<<16)
	return &h, spec, nil
}

// end reads the end, after which nothing may come.
func (in *snapshotReader) end() error {
	want := in.sum.Sum(nil)
	if err := in.expect(recordEnd); err != nil {
		return err
	}
	if !bytes.Equal(in.body, want) {
		return badSnapshot("its digest is wrong")
	}
	if _, err := in.r.ReadByte(); !errors.Is(err, io.EOF) {
		return badSnapshot("something follows its end")
	}
	return nil
}

// take keeps content, or finds it in the base, and reports whether the record was one of content.
func (in *snapshotReader) take() (bool, error) {
	switch in.kind {
	case recordContent:
		if len(in.body) == 0 || len(in.body) > max(vfs.ChunkSize, BlockSize) {
			return true, badSnapshot("content of %d bytes", len(in.body))
		}
		in.content = append(in.content, bytes.Clone(in.body))
	case recordDigest:
		if len(in.body) != sha256.Size {
			return true, badSnapshot("a digest of %d bytes", len(in.body))
		}
		b, ok := in.have[[sha256.Size]byte(in.body)]
		if !ok {
			return true, badSnapshot("ReadOptions.Base is not what it is a delta of: it lacks content %x", in.body[:8])
		}
		in.content = append(in.content, b)
	default:
		return false, nil
	}
	return true, nil
}

// numbered answers content by its number.
func (in *snapshotReader) numbered(n uint64) ([]byte, error) {
	if n >= uint64(len(in.content)) {
		return nil, badSnapshot("content %d of %d", n, len(in.content))
	}
	return in.content[n], nil
}
