package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"go.etcd.io/bbolt"
)

// digest is the SHA-256 of content, which is kept once however often it occurs.
type digest = [sha256.Size]byte

// inlineMax is the most bytes that a row holds itself: a reference would not be much shorter.
const inlineMax = 64

// The forms of content, and flags of the rows that refer to it.
const (
	formRaw  = 0
	formZstd = 1

	flagCharged = 1
	flagInline  = 2
)

// maxContent bounds what a piece of content decompresses to: a chunk of a file, or a block of memory.
const maxContent = 64 << 10

// codec compresses content. It may be used by many goroutines.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxContent), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return nil, err
	}
	return &codec{enc, dec}, nil
}

func (c *codec) close() {
	_ = c.enc.Close()
	c.dec.Close()
}

// pack answers content in the form it is kept in.
func (c *codec) pack(data []byte) []byte {
	packed := c.enc.EncodeAll(data, []byte{formZstd})
	if len(packed) < len(data) {
		return packed
	}
	return append([]byte{formRaw}, data...)
}

// unpack is the inverse of pack. What it answers is the caller's.
func (c *codec) unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, errRow
	}
	switch body := packed[1:]; packed[0] {
	case formRaw:
		return bytes.Clone(body), nil
	case formZstd:
		return c.dec.DecodeAll(body, nil)
	}
	return nil, errRow
}

// content answers what a digest stands for, and that it does.
func (c *codec) content(tx *bbolt.Tx, d digest) ([]byte, error) {
	v := tx.Bucket(bucketContent).Get(d[:])
	if v == nil {
		return nil, fmt.Errorf("content %x: %w", d[:4], errMissing)
	}
	data, err := c.unpack(v)
	if err != nil {
		return nil, fmt.Errorf("content %x: %w", d[:4], err)
	}
	if sha256.Sum256(data) != d {
		return nil, fmt.Errorf("content %x: %w", d[:4], errDamaged)
	}
	return data, nil
}

var (
	errMissing = errors.New("is not there")
	errDamaged = errors.New("is not what its digest says")
)

// refer counts references to content, which has to be there, up or down. Content without any is left for sweep. The counts
// are apart from the content, whose pages are written anew with everything that changes in them.
func refer(tx *bbolt.Tx, d digest, delta int) error {
	refs, pending := tx.Bucket(bucketRefs), tx.Bucket(bucketPending)
	if delta > 0 && tx.Bucket(bucketContent).Get(d[:]) == nil {
		return fmt.Errorf("content %x: %w", d[:4], errMissing)
	}
	had, err := count(refs.Get(d[:]))
	if err != nil {
		return fmt.Errorf("references to content %x: %w", d[:4], err)
	}
	switch has := had + int64(delta); {
	case has <= 0:
		if err := refs.Delete(d[:]); err != nil {
			return err
		}
		return pending.Put(d[:], nil)
	case had == 0:
		if err := pending.Delete(d[:]); err != nil {
			return err
		}
		fallthrough
	default:
		return refs.Put(d[:], binary.BigEndian.AppendUint32(nil, uint32(has)))
	}
}

// count reads a row of references; none is zero.
func count(v []byte) (int64, error) {
	switch len(v) {
	case 0:
		return 0, nil
	case 4:
		return int64(binary.BigEndian.Uint32(v)), nil
	}
	return 0, errRow
}

// sweep deletes content that nothing refers to: what has lost its last reference, and what a crash between two
// transactions left behind.
func sweep(tx *bbolt.Tx) error {
	return eachRow(tx, bucketPending, nil, nil, func(d, _ []byte) error {
		if tx.Bucket(bucketRefs).Get(d) == nil {
			if err := tx.Bucket(bucketContent).Delete(d); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketPending).Delete(d)
	})
}

// reference is a row's value that stands for content.
type reference struct {
	charged bool
	inline  []byte // of at most inlineMax bytes; nil where there is a digest
	digest  digest
}

func newReference(data []byte, charged bool) reference {
	if len(data) <= inlineMax {
		return reference{charged: charged, inline: append([]byte{}, data...)}
	}
	return reference{charged: charged, digest: sha256.Sum256(data)}
}

func (r *reference) encode() []byte {
	flags := byte(0)
	if r.charged {
		flags |= flagCharged
	}
	if r.inline != nil {
		return append([]byte{flags | flagInline}, r.inline...)
	}
	return append([]byte{flags}, r.digest[:]...)
}

func decodeReference(v []byte) (reference, error) {
	if len(v) == 0 {
		return reference{}, errRow
	}
	r := reference{charged: v[0]&flagCharged != 0}
	switch {
	case v[0]&flagInline != 0:
		r.inline = append([]byte{}, v[1:]...)
	case len(v) == 1+len(r.digest):
		copy(r.digest[:], v[1:])
	default:
		return r, errRow
	}
	return r, nil
}

// data answers what the row stands for.
func (r *reference) data(c *codec, tx *bbolt.Tx) ([]byte, error) {
	if r.inline != nil {
		return r.inline, nil
	}
	return c.content(tx, r.digest)
}

// set writes a row that stands for content, and counts references: of the new content up, of what the row held before
// down. A nil r deletes the row.
func set(tx *bbolt.Tx, bucket, k []byte, r *reference) error {
	b := tx.Bucket(bucket)
	old := b.Get(k)
	var was reference
	if old != nil {
		var err error
		if was, err = decodeReference(old); err != nil {
			return err
		}
	}
	if r != nil && r.inline == nil {
		if err := refer(tx, r.digest, 1); err != nil { // first, in case that it is the same
			return err
		}
	}
	if old != nil && was.inline == nil {
		if err := refer(tx, was.digest, -1); err != nil {
			return err
		}
	}
	if r == nil {
		return b.Delete(k)
	}
	return b.Put(k, r.encode())
}
