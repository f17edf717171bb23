//go:build linux && !belljar_plaincopy

package engine

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// backing holds an image's content in a sealed memfd, so that instances map it privately: pages are shared
// until they are written.
type backing struct {
	fd      int
	pagemap int    // /proc/self/pagemap, or -1
	view    []byte // the content, read-only
}

func newBacking(im *memoryImage) (backing, error) {
	fd, err := unix.MemfdCreate("belljar-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return backing{}, fmt.Errorf("memfd_create: %w", err)
	}
	pagemap, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		pagemap = -1
	}
	b := backing{fd: fd, pagemap: pagemap}
	if err := b.fill(im); err != nil {
		b.close()
		return backing{}, err
	}
	return b, nil
}

// look maps the content, to which the image's extents then point instead of to memory of their own.
func (b *backing) look(im *memoryImage) (err error) {
	if im.size == 0 {
		return nil
	}
	if b.view, err = unix.Mmap(b.fd, 0, int(im.size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map memfd: %w", err)
	}
	for i, x := range im.extents {
		im.extents[i].data = b.view[x.off:][:len(x.data):len(x.data)]
	}
	return nil
}

func (b *backing) fill(im *memoryImage) error {
	if err := unix.Ftruncate(b.fd, int64(im.size)); err != nil {
		return fmt.Errorf("size memfd: %w", err)
	}
	for _, x := range im.extents {
		for off, data := int64(x.off), x.data; len(data) > 0; {
			n, err := unix.Pwrite(b.fd, data, off)
			if err != nil {
				return fmt.Errorf("write memfd: %w", err)
			}
			off, data = off+int64(n), data[n:]
		}
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(b.fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal memfd: %w", err)
	}
	return b.look(im)
}

func (b backing) close() {
	if b.view != nil {
		_ = unix.Munmap(b.view)
	}
	_ = unix.Close(b.fd)
	if b.pagemap >= 0 {
		_ = unix.Close(b.pagemap)
	}
}

// memoryMoves says whether a memory may be somewhere else after it has grown.
const memoryMoves = false

// mapping is address space for the largest size the memory can have; what lies beyond the current size is
// inaccessible, and the address never changes.
type mapping struct {
	base unsafe.Pointer
	max  uintptr

	share  bool      // see keep
	growth *pageFile // what the memory has grown by since then; nil for nothing
}

func (mp *mapping) open(m *linearMemory) error {
	max := max(uintptr(m.max), imagePage)
	base, err := unix.MmapPtr(-1, 0, nil, max, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("reserve %d bytes of address space: %w", max, err)
	}
	mp.base, mp.max = base, max
	if m.size == 0 {
		return nil
	}
	_, err = unix.MmapPtr(m.image.backing.fd, 0, base, uintptr(m.size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		mp.close()
		return fmt.Errorf("map image of %d bytes: %w", m.size, err)
	}
	return nil
}

func (mp *mapping) bytes(size uint64) []byte {
	return unsafe.Slice((*byte)(mp.base), mp.max)[:size:size]
}

func (mp *mapping) grow(from, to uint64) error {
	if mp.share {
		return mp.growShared(from, to)
	}
	return unix.Mprotect(unsafe.Slice((*byte)(mp.base), mp.max)[from:to], unix.PROT_READ|unix.PROT_WRITE)
}

func (mp *mapping) close() {
	if mp.base != nil {
		_ = unix.MunmapPtr(mp.base, mp.max)
		mp.base = nil
	}
	mp.forget()
}

// forget gives the file up that the memory grows in.
func (mp *mapping) forget() {
	if mp.growth != nil {
		mp.growth.release()
		mp.growth = nil
	}
	mp.share = false
}

// copyBackMax bounds the pages that reset copies back one by one. Beyond it the written pages are dropped, which
// costs a page fault for each that is touched again but gives their memory back.
const copyBackMax = 1024

// reset makes the memory equal to its image again, and of its size.
func (m *linearMemory) reset() error {
	files := m.mapping.growth != nil || len(m.layers) > 0
	if err := m.uncover(); err != nil {
		return fmt.Errorf("reset memory: %w", err)
	}
	if m.size > m.image.size && !files && m.clearGrowth() {
		m.size = m.image.size
	}
	if m.size > m.image.size {
		tail := unsafe.Add(m.mapping.base, uintptr(m.image.size))
		_, err := unix.MmapPtr(-1, 0, tail, uintptr(m.size-m.image.size), unix.PROT_NONE,
			unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED)
		if err != nil {
			return fmt.Errorf("reset memory: drop growth: %w", err)
		}
		m.size = m.image.size
	}
	if m.size == 0 {
		return nil
	}
	memory := m.mapping.bytes(m.size)
	if m.image.copyBack(memory) {
		return nil
	}
	// Dropping every private page is slower but needs no bookkeeping.
	if err := unix.Madvise(memory, unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("reset memory: %w", err)
	}
	return nil
}

// uncover shows the image again where layers lie over it. What the memory has written there is gone with them; what it has
// grown by is the caller's to drop.
func (m *linearMemory) uncover() error {
	for _, f := range m.layers {
		for _, s := range f.has {
			if s.end = min(s.end, m.image.size); s.start >= s.end {
				continue
			}
			if err := m.mapping.mapFD(m.image.backing.fd, s, unix.MAP_PRIVATE); err != nil {
				return err
			}
		}
	}
	releaseAll(m.layers)
	m.layers = nil
	m.mapping.forget()
	return nil
}

// maxKeptGrowth bounds the growth that reset leaves mapped.
const maxKeptGrowth = 4 << 20

// clearGrowth zeroes what was written beyond the image, so that growing there again finds zeroes, without page faults.
// It reports false, with that memory in any state, where dropping it is better.
func (m *linearMemory) clearGrowth() bool {
	if m.size-m.image.size > maxKeptGrowth {
		return false
	}
	memory := m.mapping.bytes(m.size)
	regions := make([]pageRegion, 64) // on the heap: the kernel gets its address as an integer
	for from, pages := m.image.size, uint64(0); from < m.size; {
		n, next, err := scanWritten(m.image.backing.pagemap, memory, from, regions)
		if err != nil {
			return false
		}
		for _, r := range regions[:n] {
			if pages += (r.end - r.start) / imagePage; pages > copyBackMax {
				return false
			}
			clear(memory[r.start:r.end])
		}
		from = next
	}
	return true
}

// copyBack finds the written pages and restores them. It reports false, with memory in any state, where the
// kernel can't tell them or they are too many.
func (im *memoryImage) copyBack(memory []byte) bool {
	regions := make([]pageRegion, 64) // on the heap: the kernel gets its address as an integer
	for from, pages := uint64(0), uint64(0); from < im.size; {
		n, next, err := scanWritten(im.backing.pagemap, memory, from, regions)
		if err != nil {
			return false
		}
		for _, r := range regions[:n] {
			if pages += (r.end - r.start) / imagePage; pages > copyBackMax {
				return false
			}
			im.copyRange(memory, r.start, r.end)
		}
		from = next
	}
	return true
}

// pageRegion is the kernel's struct page_region.
// See https://docs.kernel.org/admin-guide/mm/pagemap.html
type pageRegion struct {
	start, end uint64 // offsets into the memory, once scanWritten has translated them; multiples of imagePage
	categories uint64
}

// pmScanArg is the kernel's struct pm_scan_arg.
type pmScanArg struct {
	size, flags                     uint64
	start, end, walkEnd             uint64
	vec, vecLen, maxPages           uint64
	categoryInverted, categoryMask  uint64
	categoryAnyofMask, returnedMask uint64
}

const (
	pagemapScan   = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
)

// scanWritten finds ranges of memory[from:] that are private to this process: present or swapped, and not the
// image file's. It answers how many it put into out and where to go on. It needs Linux 6.7.
func scanWritten(pagemap int, memory []byte, from uint64, out []pageRegion) (n int, next uint64, err error) {
	base := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
	arg := pmScanArg{
		start: base + from, end: base + uint64(len(memory)),
		vec: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(out)))), vecLen: uint64(len(out)),
		categoryInverted: pageIsFile, categoryMask: pageIsFile, categoryAnyofMask: pageIsPresent | pageIsSwapped,
		returnedMask: pageIsPresent | pageIsSwapped,
	}
	arg.size = uint64(unsafe.Sizeof(arg))
	found, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(pagemap), pagemapScan, uintptr(unsafe.Pointer(&arg)))
	runtime.KeepAlive(out)
	if errno != 0 {
		return 0, 0, fmt.Errorf("pagemap scan: %w", errno)
	}
	for i := range out[:found] {
		out[i].start -= base
		out[i].end -= base
	}
	return int(found), arg.walkEnd - base, nil
}
