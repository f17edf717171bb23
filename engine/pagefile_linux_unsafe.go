//go:build linux && !belljar_plaincopy

package engine

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pageFile holds pages of a memory in a memfd, each at the offset that is its address, so that any number of memories
// map them privately. It is written while it is the growing part of one memory, and never after that.
type pageFile struct {
	file *os.File
	refs atomic.Int32 // of memories and states
	has  []span
}

func newPageFile(size uint64) (*pageFile, error) {
	fd, err := unix.MemfdCreate("belljar-pages", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := &pageFile{file: os.NewFile(uintptr(fd), "belljar-pages")}
	f.refs.Store(1)
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		f.release()
		return nil, fmt.Errorf("size memfd: %w", err)
	}
	return f, nil
}

func (f *pageFile) retain() { f.refs.Add(1) }

// release gives up a reference. Without the last one, the collector closes the file.
func (f *pageFile) release() {
	if f.refs.Add(-1) == 0 {
		_ = f.file.Close()
	}
}

func (f *pageFile) spans() []span { return f.has }

// viewAll maps layers for reading, until done is called. Only what their spans tell is content.
func viewAll(layers []*pageFile) (views [][]byte, done func(), err error) {
	done = func() {
		for _, v := range views {
			_ = unix.Munmap(v)
		}
	}
	for _, f := range layers {
		end := f.has[len(f.has)-1].end
		v, err := unix.Mmap(int(f.file.Fd()), 0, int(end), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("map pages: %w", err)
		}
		views = append(views, v)
	}
	return views, done, nil
}

// layerOf answers a layer over an image that has all pages, or nil where they are as good as they are.
func layerOf(image *memoryImage, size uint64, pages []extent) (*pageFile, error) {
	var spans []span
	var total uint64
	for _, x := range pages {
		spans = append(spans, span{x.off, x.off + uint64(len(x.data))})
		total += uint64(len(x.data)) / imagePage
	}
	if total < worthFile {
		return nil, nil
	}
	f, err := newPageFile(size)
	if err != nil {
		return nil, err
	}
	for _, x := range pages {
		if err := f.write(x.data, int64(x.off)); err != nil {
			f.release()
			return nil, err
		}
	}
	spans = mergeSpans(spans)
	f.has = few(slices.Clone(spans))
	if err := f.fillGaps(image, spans); err != nil {
		f.release()
		return nil, err
	}
	return f, nil
}

// fillGaps writes what the image has between spans, where the file is to have it too. Beyond the image is nothing but zeroes.
func (f *pageFile) fillGaps(image *memoryImage, spans []span) error {
	var page [imagePage]byte
	for i := 1; i < len(spans); i++ {
		from, to := spans[i-1].end, min(spans[i].start, image.size)
		if !f.hasPage(from) {
			continue
		}
		for at := from; at < to; at += imagePage {
			image.pageAt(at, &page)
			if err := f.write(page[:], int64(at)); err != nil {
				return err
			}
		}
	}
	return nil
}

// written answers what of the memory is private to it: what differs from the image and the layers, and sometimes more.
func (m *linearMemory) written() ([]span, error) {
	if m.size == 0 {
		return nil, nil
	}
	memory := m.mapping.bytes(m.size)
	regions := make([]pageRegion, 256) // on the heap: the kernel gets its address as an integer
	var out []span
	for from := uint64(0); from < m.size; {
		n, next, err := scanWritten(m.image.backing.pagemap, memory, from, regions)
		if err != nil {
			return m.differing(memory)
		}
		for _, r := range regions[:n] {
			if k := len(out); k > 0 && out[k-1].end == r.start {
				out[k-1].end = r.end
			} else {
				out = append(out, span{r.start, r.end})
			}
		}
		from = next
	}
	return out, nil
}

// differing is written for kernels that can't tell.
func (m *linearMemory) differing(memory []byte) ([]span, error) {
	views, done, err := viewAll(m.layers)
	if err != nil {
		return nil, err
	}
	defer done()
	return m.image.differing(memory, func(off uint64) []byte {
		for i, f := range slices.Backward(m.layers) {
			if f.hasPage(off) {
				return views[i][off : off+imagePage]
			}
		}
		return nil
	}), nil
}

// hasPage says whether the page at off is in the file.
func (f *pageFile) hasPage(off uint64) bool {
	i, _ := slices.BinarySearchFunc(f.has, off, func(s span, off uint64) int { return cmp.Compare(s.end, off+1) })
	return i < len(f.has) && f.has[i].start <= off
}

// shareGrowth says that what the memory grows by from now on, until it is reset, lies in a file, so that freezing it copies
// nothing: written does not tell of that, so it is not for memories that copyTo copies.
func (m *linearMemory) shareGrowth() { m.mapping.share = true }

// growShared is mapping.grow in a memory that shares its growth.
func (mp *mapping) growShared(from, to uint64) error {
	if mp.growth == nil {
		f, err := newPageFile(to)
		if err != nil {
			return err
		}
		mp.growth = f
	} else if err := unix.Ftruncate(int(mp.growth.file.Fd()), int64(to)); err != nil {
		return fmt.Errorf("size memfd: %w", err)
	}
	if err := mp.mapFile(mp.growth, span{from, to}, unix.MAP_SHARED); err != nil {
		return err
	}
	mp.growth.has = mergeSpans(append(mp.growth.has, span{from, to}))
	return nil
}

func (mp *mapping) mapFile(f *pageFile, s span, how int) error {
	return mp.mapFD(int(f.file.Fd()), s, how)
}

func (mp *mapping) mapFD(fd int, s span, how int) error {
	at := unsafe.Add(mp.base, uintptr(s.start))
	_, err := unix.MmapPtr(fd, int64(s.start), at, uintptr(s.end-s.start), unix.PROT_READ|unix.PROT_WRITE,
		how|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map pages: %w", err)
	}
	return nil
}

// freezeGrowth makes the growing part a layer: from now on the memory writes to copies of its pages.
func (m *linearMemory) freezeGrowth() error {
	f := m.mapping.growth
	if f == nil {
		return nil
	}
	for _, s := range f.has {
		if err := m.mapping.mapFile(f, s, unix.MAP_PRIVATE); err != nil {
			return err
		}
	}
	m.layers = append(m.layers, f)
	m.mapping.growth = nil
	return nil
}

// Runs shorter than longRun pages cost less to copy into each memory than to map. A file for less than worthFile pages
// isn't worth it.
const (
	longRun   = 16
	worthFile = 64
	bridgeGap = 64 // see bridge
	maxSpans  = 32 // of one layer: each takes a mapping or two in each memory, of which the kernel gives a process 65,530
)

// longRuns answers which of spans go to a layer, and which are copied.
func longRuns(spans []span, all bool) (long, short []span) {
	if all {
		return few(bridge(spans, bridgeGap)), nil
	}
	var pages uint64
	for _, s := range spans {
		if s.pages() >= longRun {
			long = append(long, s)
			pages += s.pages()
		} else {
			short = append(short, s)
		}
	}
	if pages < worthFile {
		return nil, spans
	}
	return few(long), short
}

// few joins spans until they are at most maxSpans. It answers spans, changed; they are sorted.
func few(spans []span) []span {
	for gap := uint64(bridgeGap); len(spans) > maxSpans; gap *= 2 {
		spans = bridge(spans, gap)
	}
	return spans
}

// bridge joins spans that lie closer to each other than gap pages: to have these in the file too costs less than another
// mapping in each memory. It answers spans, changed; they are sorted.
func bridge(spans []span, gap uint64) []span {
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.start-out[n-1].end < gap*imagePage {
			out[n-1].end = s.end
		} else {
			out = append(out, s)
		}
	}
	return out
}

// moveOut copies spans of the memory into a new layer, through which the memory then sees them. Unless keep is nil,
// they cover all layers but that one, which are dropped.
func (m *linearMemory) moveOut(spans []span, keep *pageFile) error {
	f, err := newPageFile(m.size)
	if err != nil {
		return err
	}
	if err := f.fill(m.mapping.bytes(m.size), spans); err != nil {
		f.release()
		return err
	}
	f.has = slices.Clone(spans)
	// The layer counts from here on, even if a span of it can't be mapped: the same bytes are then in both places.
	if keep != nil {
		keep.retain()
		releaseAll(m.layers)
		m.layers = []*pageFile{keep}
	}
	m.layers = append(m.layers, f)
	for _, s := range spans {
		if err := m.mapping.mapFile(f, s, unix.MAP_PRIVATE); err != nil {
			return err
		}
	}
	return nil
}

// fillPart is what one of several goroutines copies at a time.
const fillPart = 4 << 20

// fill writes spans of memory to the file, the kernel's work for large ones divided between processors.
func (f *pageFile) fill(memory []byte, spans []span) error {
	var parts []span
	var total uint64
	for _, s := range spans {
		total += s.end - s.start
		for s.end-s.start > fillPart {
			parts = append(parts, span{s.start, s.start + fillPart})
			s.start += fillPart
		}
		parts = append(parts, s)
	}
	workers := int(min(total/fillPart+1, 4))
	errs := make([]error, workers)
	var next atomic.Int64
	work := func(worker int) {
		for i := next.Add(1) - 1; i < int64(len(parts)) && errs[worker] == nil; i = next.Add(1) - 1 {
			errs[worker] = f.write(memory[parts[i].start:parts[i].end], int64(parts[i].start))
		}
	}
	var others sync.WaitGroup
	for w := 1; w < workers; w++ {
		others.Go(func() { work(w) }) // ends when no part is left
	}
	work(0)
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *pageFile) write(b []byte, off int64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(int(f.file.Fd()), b, off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("write memfd: %w", err)
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}

// lay puts layers over a memory that has none.
func (m *linearMemory) lay(layers []*pageFile) error {
	m.layers = retainAll(layers)
	for _, f := range layers {
		for _, s := range f.has {
			if err := m.mapping.mapFile(f, s, unix.MAP_PRIVATE); err != nil {
				return err
			}
		}
	}
	return nil
}
