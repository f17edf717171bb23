package archive

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

const million = 1_000_000

// endlessTar is a tar of a million empty files, made while it is read.
type endlessTar struct {
	next int
	left []byte
	read int64
}

func (e *endlessTar) Read(p []byte) (int, error) {
	if len(e.left) == 0 {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for range 100 {
			if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("d%d/f%d", e.next/1000, e.next), Mode: 0o644}); err != nil {
				return 0, err
			}
			e.next++
		}
		if e.next == million {
			if err := w.Close(); err != nil {
				return 0, err
			}
		}
		e.left = b.Bytes()
	}
	n := copy(p, e.left)
	e.left, e.read = e.left[n:], e.read+int64(n)
	return n, nil
}

// manyZip is a zip whose directory has a million entries, all of the same empty file.
func manyZip() []byte {
	le := binary.LittleEndian
	var b []byte
	b = append(b, "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00a"...)
	at := uint64(len(b))
	entry := append([]byte("PK\x01\x02\x14\x00\x14\x00"), make([]byte, 38)...)
	le.PutUint16(entry[28:], 1)
	entry = append(entry, 'a')
	b = append(b, bytes.Repeat(entry, million)...)
	size, end := uint64(len(b))-at, uint64(len(b))
	b = le.AppendUint64(append(b, "PK\x06\x06"...), 44)
	b = append(b, "\x2d\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	for _, v := range []uint64{million, million, size, at} {
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint64(append(b, "PK\x06\x07\x00\x00\x00\x00"...), end)
	b = le.AppendUint32(b, 1)
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	return append(append(b, bytes.Repeat([]byte{0xff}, 12)...), 0, 0)
}

// TestMillionEntries refuses what has too many of them, by the limits that hold where none are given, without reading on.
func TestMillionEntries(t *testing.T) {
	in := &endlessTar{}
	refused(t, func(tr *vfs.Tree) error { return ReadTar(tr, "/have", in, Config{}) }, ErrTooMany)
	if most := int64(110_000 * 512); in.read > most {
		t.Errorf("%d bytes were read of an archive whose entries are too many after %d", in.read, most)
	}
	z := manyZip()
	refused(t, func(tr *vfs.Tree) error {
		return ReadZip(tr, "/have", bytes.NewReader(z), int64(len(z)), Config{})
	}, ErrTooMany)
}
