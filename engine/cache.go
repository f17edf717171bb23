package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// cacheFormat names what the engine's own cache entries mean. Raise it when the rewriter, the warm-up or an
// encoding changes: entries of other formats are not found.
const cacheFormat = 5

// diskCache keeps what is costly to make again: rewritten modules and memory images. Entries are checked when
// they are read and made again when they are damaged. The folder is the user's own: its content is trusted as
// much as the program that uses it.
type diskCache struct{ dir string } // "" keeps nothing

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// load answers an entry's bytes, or false where there is no whole one.
func (c diskCache) load(name string) ([]byte, bool) {
	if c.dir == "" {
		return nil, false
	}
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil || len(b) < 4 {
		return nil, false
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	return body, crc32.Checksum(body, castagnoli) == sum
}

// store writes an entry so that readers see all of it or nothing.
func (c diskCache) store(name string, body []byte) error {
	if c.dir == "" {
		return nil
	}
	f, err := os.CreateTemp(c.dir, name+".*.tmp")
	if err != nil {
		return fmt.Errorf("write cache: %w", err)
	}
	defer os.Remove(f.Name()) // nothing is left to remove once it is renamed
	_, err = f.Write(body)
	if err == nil {
		_, err = f.Write(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli)))
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.dir, name))
	}
	if err != nil {
		return fmt.Errorf("write cache: %w", err)
	}
	return nil
}
