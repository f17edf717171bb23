package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// cacheFormat names what the engine's own cache entries mean. Raise it when the rewriter, the warm-up or an
// encoding changes: entries of other formats are not found.
const cacheFormat = 6

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
	path := filepath.Join(c.dir, name)
	b, err := os.ReadFile(path)
	if err != nil || len(b) < 4 {
		return nil, false
	}
	touch(path, time.Now())
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

// unusedFor is how long an entry of the cache stays that nobody needs.
const unusedFor = 90 * 24 * time.Hour

// touch notes that an entry is in use, about once a day.
func touch(path string, now time.Time) {
	if info, err := os.Stat(path); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
		_ = os.Chtimes(path, now, now) // a folder that can't be written to isn't swept either
	}
}

// sweepCache removes from an engine's cache folder what nobody will miss: entries unused for long, be they of this version
// or another, and what processes have left that were killed while they compiled. Of compiled code, which wazero reads, is
// known only when it was made, so it is compiled anew now and then. Other files of the folder are not the engine's.
func sweepCache(dir string, now time.Time) {
	for _, of := range []struct {
		pattern string
		age     time.Duration
	}{
		{filepath.Join("code", compiling+"*"), 24 * time.Hour},
		{filepath.Join("code", "wazero-*", "*"), unusedFor},
		{filepath.Join("images-*", "*"), unusedFor},
	} {
		found, err := filepath.Glob(filepath.Join(dir, of.pattern))
		if err != nil {
			continue // the folder's own name is no pattern
		}
		for _, path := range found {
			if info, err := os.Lstat(path); err == nil && now.Sub(info.ModTime()) > of.age {
				_ = os.RemoveAll(path) // another process may have been faster
			}
		}
	}
}
