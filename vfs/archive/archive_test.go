package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/belljar-dev/belljar/vfs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newTree returns a tree with one of everything, at a fixed time.
func newTree(t testing.TB) *vfs.Tree {
	tr := vfs.New(vfs.Config{Now: func() time.Time { return time.Unix(1e9, 5) }})
	t.Cleanup(func() { tr.Close() })
	root := tr.Root()
	must(t, tr.MkdirAll("/have/dir/deep", 0o755))
	must(t, tr.WriteFile("/have/file", []byte("old"), 0o640))
	must(t, tr.WriteFile("/have/dir/inner", []byte("inner"), 0o644))
	must(t, tr.Symlink("/secret", "/have/abs"))
	must(t, tr.Symlink("../secretdir", "/have/out"))
	must(t, tr.Symlink("dir", "/have/ld"))
	must(t, tr.WriteFile("/secret", []byte("secret"), 0o600))
	must(t, tr.MkdirAll("/secretdir", 0o700))
	must(t, root.Chmod("have/dir", true, 0o2750))
	must(t, root.Chown("have/dir", true, 7, 8))
	return tr
}

// dump tells all of a tree but change times and access times.
func dump(t testing.TB, tr *vfs.Tree, name string) string {
	var b strings.Builder
	root := tr.Root().AsRoot()
	var walk func(at string)
	walk = func(at string) {
		i, err := root.Stat(at, false)
		must(t, err)
		fmt.Fprintf(&b, "%s %v %d:%d n%d %d", strings.TrimPrefix(at, name), i.Mode(), i.UID(), i.GID(), i.Nlink(),
			i.ModTime().UnixNano())
		names, _ := root.Listxattr(at, false)
		for _, n := range names {
			v, _ := root.Getxattr(at, false, n)
			fmt.Fprintf(&b, " %s=%q", n, v)
		}
		switch {
		case i.Mode().IsRegular():
			text, err := tr.ReadFile(at)
			must(t, err)
			fmt.Fprintf(&b, " %.100q %d", text, len(text))
		case i.Mode().Type() == fs.ModeSymlink:
			target, _ := root.Readlink(at)
			fmt.Fprintf(&b, " -> %s", target)
		}
		b.WriteByte('\n')
		if i.IsDir() {
			list, err := tr.ReadDir(at)
			must(t, err)
			for _, e := range list {
				walk(strings.TrimSuffix(at, "/") + "/" + e.Name())
			}
		}
	}
	walk(name)
	return b.String()
}

// tarOf makes an archive of headers. Content is in the record "content", to keep the tables short.
func tarOf(t testing.TB, headers ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.Uname
		h.Uname = ""
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		must(t, w.WriteHeader(&h))
		if h.Size > 0 {
			_, err := io.WriteString(w, content)
			must(t, err)
		}
	}
	must(t, w.Close())
	return b.Bytes()
}

func file(name, content string) tar.Header { return tar.Header{Name: name, Uname: content} }
func dir(name string) tar.Header {
	return tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755}
}
func link(target, name string) tar.Header {
	return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}
}
func hard(target, name string) tar.Header {
	return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink}
}

var hostileTars = map[string]struct {
	headers []tar.Header
	want    error
}{
	"climbs":                             {[]tar.Header{file("ok", "x"), file("../evil", "x")}, ErrPath},
	"climbs within":                      {[]tar.Header{file("a/../../evil", "x")}, ErrPath},
	"dots that lead nowhere":             {[]tar.Header{file("a/../b", "x")}, ErrPath},
	"absolute":                           {[]tar.Header{file("/evil", "x")}, ErrPath},
	"a link, then through it":            {[]tar.Header{link("/secretdir", "l"), file("l/evil", "x")}, ErrThrough},
	"a relative link, then through it":   {[]tar.Header{link("..", "l"), file("l/evil", "x")}, ErrThrough},
	"a link inside, then through it":     {[]tar.Header{dir("d"), link("d", "l"), file("l/x", "x")}, ErrThrough},
	"a link, then a directory there":     {[]tar.Header{link("/secretdir", "l"), dir("l")}, ErrThrough},
	"through a link that the target has": {[]tar.Header{file("out/evil", "x")}, ErrInTheWay},
	"a directory over a link":            {[]tar.Header{dir("ld"), file("ld/x", "x")}, ErrInTheWay},
	"through a file":                     {[]tar.Header{file("f", "x"), file("f/x", "x")}, ErrThrough},
	"a file over a directory":            {[]tar.Header{file("new", "x"), file("dir", "x")}, ErrInTheWay},
	"a directory over a file":            {[]tar.Header{file("dir/inner", "new"), dir("file")}, ErrInTheWay},
	"a hard link out":                    {[]tar.Header{hard("../secret", "l")}, ErrPath},
	"an absolute hard link":              {[]tar.Header{hard("/secret", "l")}, ErrPath},
	"a hard link to the target's file":   {[]tar.Header{hard("file", "l")}, ErrLink},
	"a hard link through a link":         {[]tar.Header{link("/", "r"), hard("r/secret", "l")}, ErrLink},
	"a hard link to a directory":         {[]tar.Header{dir("d"), hard("d", "l")}, ErrLink},
	"a hard link to itself":              {[]tar.Header{hard("l", "l")}, ErrLink},
	"a character device":                 {[]tar.Header{{Name: "null", Typeflag: tar.TypeChar}}, ErrKind},
	"a block device":                     {[]tar.Header{{Name: "sda", Typeflag: tar.TypeBlock}}, ErrKind},
	"an unknown kind":                    {[]tar.Header{{Name: "x", Typeflag: 'Q'}}, ErrKind},
	"a file twice":                       {[]tar.Header{file("a", "1"), file("a", "2")}, ErrDuplicate},
	"a file twice, written otherwise":    {[]tar.Header{file("a", "1"), file("./a", "2")}, ErrDuplicate},
	"a link twice":                       {[]tar.Header{link("x", "a"), link("y", "a")}, ErrDuplicate},
	"a file over its link":               {[]tar.Header{link("/secret", "a"), file("a", "evil")}, ErrDuplicate},
	"a file over its directory":          {[]tar.Header{dir("a"), file("a", "x")}, ErrDuplicate},
	"the target as a file":               {[]tar.Header{file(".", "x")}, ErrPath},
	"a name that is too long":            {[]tar.Header{file(strings.Repeat("n", 256), "x")}, vfs.ErrNameTooLong},
	"a path that is too long":            {[]tar.Header{file(longPath, "x")}, vfs.ErrNameTooLong},
	"an attribute that is too long":      {[]tar.Header{{Name: "a", PAXRecords: longAttr}}, vfs.ErrAttrTooLarge},
	"the hidden directory":               {[]tar.Header{file(".unpack0/x", "x")}, ErrInTheWay},
	"too many entries":                   {manyFiles(101), ErrTooMany},
	"too many directories":               {[]tar.Header{dir(strings.Repeat("d/", 101))}, ErrTooMany},
	"too much content":                   {[]tar.Header{file("a", megabyte), file("b", "x")}, ErrTooLarge},
}

var (
	megabyte = strings.Repeat("x", 1<<20)
	longPath = strings.Repeat(strings.Repeat("d", 200)+"/", 21) + "f"
	longAttr = map[string]string{"SCHILY.xattr.user.a": strings.Repeat("v", 1<<17)}
)

func manyFiles(n int) (list []tar.Header) {
	for i := range n {
		list = append(list, file(fmt.Sprint("f", i), "x"))
	}
	return list
}

var small = Config{MaxFiles: 100, MaxBytes: 1 << 20}

// refused checks that an archive is refused for the right reason and has changed nothing.
func refused(t *testing.T, read func(tr *vfs.Tree) error, want error) {
	t.Helper()
	tr := newTree(t)
	before, used := dump(t, tr, "/"), tr.Usage()
	if err := read(tr); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	if after := dump(t, tr, "/"); after != before {
		t.Errorf("changed\n%s\nto\n%s", before, after)
	}
	if tr.Usage() != used {
		t.Errorf("usage %v, was %v", tr.Usage(), used)
	}
}

func TestHostileTar(t *testing.T) {
	for name, c := range hostileTars {
		t.Run(name, func(t *testing.T) {
			data := tarOf(t, c.headers...)
			for _, target := range []string{"/have", "/have/dir/deep/new/one"} {
				if target != "/have" && (c.want == ErrInTheWay) && !strings.Contains(name, "hidden") {
					continue // There is nothing in the way.
				}
				refused(t, func(tr *vfs.Tree) error { return ReadTar(tr, target, bytes.NewReader(data), small) }, c.want)
			}
		})
	}
}

func TestCutTar(t *testing.T) {
	data := tarOf(t,
		file("a", strings.Repeat("x", 1000)), dir("d"), link("a", "l"), file("zeros", strings.Repeat("\x00", 2048)))
	for n := range len(data) - 512 {
		if n%64 > 1 {
			continue
		}
		refused(t, func(tr *vfs.Tree) error { return ReadTar(tr, "/have", bytes.NewReader(data[:n]), small) }, ErrTruncated)
	}
	packed := gzipped(t, data)
	for n := range len(packed) {
		tr := newTree(t)
		before := dump(t, tr, "/")
		if err := ReadTar(tr, "/have", bytes.NewReader(packed[:n]), small); err == nil {
			t.Errorf("%d of %d compressed bytes suffice", n, len(packed))
		}
		if after := dump(t, tr, "/"); after != before {
			t.Errorf("%d compressed bytes changed the tree", n)
		}
	}
}

func TestNoTar(t *testing.T) {
	for name, data := range map[string]string{
		"text": strings.Repeat("no archive, ", 100), "zip": "PK\x03\x04" + strings.Repeat("x", 600),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, func(tr *vfs.Tree) error { return ReadTar(tr, "/have", strings.NewReader(data), small) }, ErrFormat)
		})
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	must(t, errors.Join(err, w.Close()))
	return b.Bytes()
}

func TestCompressedTar(t *testing.T) {
	data := tarOf(t, file("f", "content"))
	z, err := zstd.NewWriter(nil)
	must(t, err)
	for name, packed := range map[string][]byte{"plain": data, "gzip": gzipped(t, data), "zstd": z.EncodeAll(data, nil)} {
		tr := newTree(t)
		must(t, ReadTar(tr, "/have", bytes.NewReader(packed), small))
		if text, err := tr.ReadFile("/have/f"); string(text) != "content" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// TestBombs are small and would be large.
func TestBombs(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	tw := tar.NewWriter(w)
	must(t, tw.WriteHeader(&tar.Header{Name: "zeros", Size: 1 << 26, Mode: 0o644}))
	_, err := io.CopyN(tw, zeros{}, 1<<26)
	must(t, errors.Join(err, tw.Close(), w.Close()))
	refused(t, func(tr *vfs.Tree) error { return ReadTar(tr, "/have", bytes.NewReader(b.Bytes()), Config{}) }, ErrRatio)

	var z bytes.Buffer
	zw := zip.NewWriter(&z)
	f, err := zw.Create("zeros")
	must(t, err)
	_, err = io.CopyN(f, zeros{}, 1<<26)
	must(t, errors.Join(err, zw.Close()))
	read := func(tr *vfs.Tree) error {
		return ReadZip(tr, "/have", bytes.NewReader(z.Bytes()), int64(z.Len()), Config{})
	}
	refused(t, read, ErrRatio)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// sparseTar is a GNU sparse file of the given length with one byte of content.
func sparseTar(length int64) []byte {
	h := make([]byte, 512)
	copy(h, "sparse")
	copy(h[100:], "0000644\x00")
	copy(h[108:], "0000000\x000000000\x00")
	copy(h[124:], "00000001000\x00")
	copy(h[136:], "00000000000\x00")
	h[156] = 'S'
	copy(h[257:], "ustar  \x00")
	number := func(at int, n int64) {
		h[at] = 0x80
		for i := range 8 {
			h[at+11-i] = byte(n >> (8 * i))
		}
	}
	number(386, length-512)
	number(398, 512)
	number(483, length)
	copy(h[148:], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return append(append(h, bytes.Repeat([]byte("x"), 512)...), make([]byte, 1024)...)
}

func TestSparseTar(t *testing.T) {
	tr := newTree(t)
	used := tr.Usage().Bytes
	must(t, ReadTar(tr, "/have", bytes.NewReader(sparseTar(1<<26)), Config{}))
	i, err := tr.Stat("/have/sparse")
	must(t, err)
	if i.Size() != 1<<26 || tr.Usage().Bytes > used+1<<20 {
		t.Errorf("%d bytes that take %d", i.Size(), tr.Usage().Bytes-used)
	}
	huge := bytes.NewReader(sparseTar(1 << 50))
	refused(t, func(tr *vfs.Tree) error { return ReadTar(tr, "/have", huge, Config{MaxBytes: 1 << 27}) }, ErrTooLarge)
}

func TestQuota(t *testing.T) {
	tr := vfs.New(vfs.Config{MaxBytes: 1000, MaxFiles: 5})
	defer tr.Close()
	must(t, tr.WriteFile("f", []byte("x"), 0o644))
	before := dump(t, tr, "/")
	err := ReadTar(tr, "/", bytes.NewReader(tarOf(t, file("a", "1"), file("b", strings.Repeat("2", 2000)))), small)
	if !errors.Is(err, vfs.ErrQuota) || errors.Is(err, vfs.ErrTooManyFiles) {
		t.Errorf("too much content: %v", err)
	}
	err = ReadTar(tr, "/", bytes.NewReader(tarOf(t, manyFiles(6)...)), small)
	if !errors.Is(err, vfs.ErrTooManyFiles) {
		t.Errorf("too many files: %v", err)
	}
	if after := dump(t, tr, "/"); after != before || tr.Usage().Files != 1 {
		t.Errorf("changed to\n%s", after)
	}
}

// TestMerge unpacks over what is there.
func TestMerge(t *testing.T) {
	tr := newTree(t)
	keep, err := tr.Open("/have/file")
	must(t, err)
	defer keep.Close()
	at := time.Unix(1234, 5678)
	must(t, ReadTar(tr, "/have", bytes.NewReader(tarOf(t,
		tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o700},
		tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o711, Uid: 3, Gid: 4, ModTime: at, Format: tar.FormatPAX},
		tar.Header{Name: "dir/inner", Uname: "new", Mode: 0o4755, Uid: 5, Gid: 6, ModTime: at, Format: tar.FormatPAX,
			PAXRecords: map[string]string{"SCHILY.xattr.user.k%3D": "v"}},
		hard("dir/inner", "dir/again"), file("file", "new file"), link("anywhere", "abs"), file("x/y/z", "deep"),
		tar.Header{Name: "fifo", Typeflag: tar.TypeFifo, Mode: 0o622},
	)), small))
	want := ` drwxr-xr-x 0:0 n4 1000000000000000005
/abs Lrwxrwxrwx 0:0 n1 0 -> anywhere
/dir drwx--x--x 3:4 n3 1234000005678
/dir/again urwxr-xr-x 5:6 n2 1234000005678 user.k=="v" "new" 3
/dir/deep drwxr-xr-x 0:0 n2 1000000000000000005
/dir/inner urwxr-xr-x 5:6 n2 1234000005678 user.k=="v" "new" 3
/fifo prw--w--w- 0:0 n1 0
/file -rw-r--r-- 0:0 n1 0 "new file" 8
/ld Lrwxrwxrwx 0:0 n1 1000000000000000005 -> dir
/out Lrwxrwxrwx 0:0 n1 1000000000000000005 -> ../secretdir
/x drwxrwxrwx 0:0 n3 1000000000000000005
/x/y drwxrwxrwx 0:0 n2 1000000000000000005
/x/y/z -rw-r--r-- 0:0 n1 0 "deep" 4
`
	if got := dump(t, tr, "/have"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if text, _ := io.ReadAll(keep); string(text) != "old" {
		t.Errorf("the open file now holds %q", text)
	}
}

// TestOtherUsers keep no owners and no set-id bits.
func TestOtherUsers(t *testing.T) {
	tr := newTree(t)
	must(t, tr.Chmod("/secretdir", 0o777))
	user := tr.As(vfs.User{UID: 1000, GID: 1000, Umask: 0o027})
	data := tarOf(t, tar.Header{Name: "f", Uname: "x", Mode: 0o6777, Uid: 0, Gid: 0}, dir("d"))
	must(t, ReadTar(user, "/secretdir", bytes.NewReader(data), small))
	i, err := tr.Stat("/secretdir/f")
	must(t, err)
	if v := i.(vfs.Info); v.Mode() != 0o750 || v.UID() != 1000 || v.GID() != 1000 {
		t.Errorf("%v %d:%d", v.Mode(), v.UID(), v.GID())
	}
	before := dump(t, tr, "/")
	if err := ReadTar(user, "/have", bytes.NewReader(data), small); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("where the user may not write: %v", err)
	}
	if err := WriteTar(io.Discard, user, "/", Config{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("what the user may not read: %v", err)
	}
	if after := dump(t, tr, "/"); after != before {
		t.Errorf("changed to\n%s", after)
	}
}

// TestRoundTrip packs a tree, unpacks it, and packs the copy.
func TestRoundTrip(t *testing.T) {
	tr := newTree(t)
	root := tr.Root()
	must(t, tr.Link("/have/file", "/have/dir/hard"))
	must(t, root.Mkfifo("have/fifo", 0o600))
	must(t, root.Mksocket("have/sock", 0o600))
	must(t, root.Setxattr("have/file", true, "user.a=b%", []byte("v\x00w"), 0))
	must(t, tr.WriteFile("/have/\xff\xfe", []byte("bytes"), 0o600))
	must(t, tr.WriteFile("/have/"+strings.Repeat("n", 255), make([]byte, 100_000), 0o600))
	must(t, tr.Truncate("/have/file", 1<<20))
	must(t, tr.Chtimes("/have/file", time.Unix(1, 1), time.Unix(2, 987654321)))

	var one, again, copied bytes.Buffer
	must(t, WriteTar(&one, tr, "/have", Config{}))
	must(t, WriteTar(&again, tr, "have/", Config{}))
	if !bytes.Equal(one.Bytes(), again.Bytes()) {
		t.Error("two archives of one tree differ")
	}
	other := vfs.New(vfs.Config{})
	defer other.Close()
	must(t, ReadTar(other, "/have", bytes.NewReader(one.Bytes()), Config{}))
	must(t, WriteTar(&copied, other, "/have", Config{}))
	if !bytes.Equal(one.Bytes(), copied.Bytes()) {
		t.Error("the archive of the copy differs")
	}
	must(t, root.Unlink("have/sock"))
	skipTop := func(s string) string { return s[strings.IndexByte(s, '\n'):] }
	if got, want := skipTop(dump(t, other, "/have")), skipTop(dump(t, tr, "/have")); got != want {
		t.Errorf("copy\n%s\nof\n%s", got, want)
	}
}

func TestZipRoundTrip(t *testing.T) {
	tr := newTree(t)
	var one, again bytes.Buffer
	must(t, WriteZip(&one, tr, "/have", Config{}))
	must(t, WriteZip(&again, tr, "/have", Config{}))
	if !bytes.Equal(one.Bytes(), again.Bytes()) {
		t.Error("two archives of one tree differ")
	}
	other := vfs.New(vfs.Config{})
	defer other.Close()
	must(t, ReadZip(other, "/new/have", bytes.NewReader(one.Bytes()), int64(one.Len()), Config{}))
	if text, err := other.ReadFile("/new/have/dir/inner"); string(text) != "inner" {
		t.Errorf("file: %q, %v", text, err)
	}
	if target, err := other.Readlink("/new/have/out"); target != "../secretdir" {
		t.Errorf("link: %q, %v", target, err)
	}
	if i, err := other.Stat("/new/have/file"); err != nil || i.Mode() != 0o640 || i.ModTime().Unix() != 1e9 {
		t.Errorf("file: %v, %v", i, err)
	}
}

func TestOneFile(t *testing.T) {
	tr := newTree(t)
	var b bytes.Buffer
	must(t, WriteTar(&b, tr, "/have/file", Config{}))
	must(t, ReadTar(tr, "/secretdir", &b, Config{}))
	if text, err := tr.ReadFile("/secretdir/file"); string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
	if err := WriteTar(io.Discard, tr, "/none", Config{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	must(t, tr.Truncate("/have/file", 1<<39))
	if err := WriteTar(io.Discard, tr, "/have", Config{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("of a file with a huge hole: %v", err)
	}
}

// TestExportLeavesTimesAlone packs without being seen.
func TestExportLeavesTimesAlone(t *testing.T) {
	tr := newTree(t)
	must(t, tr.Chtimes("/have/file", time.Unix(1, 0), time.Unix(2, 0)))
	must(t, WriteTar(io.Discard, tr, "/have", Config{}))
	if i, _ := tr.Stat("/have/file"); i.(vfs.Info).Atime().Unix() != 1 {
		t.Error("packing counts as reading")
	}
}

type zipEntry struct {
	name, content string
	mode          fs.FileMode
}

func zipOf(t testing.TB, entries ...zipEntry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode | 0o644)
		f, err := w.CreateHeader(h)
		must(t, err)
		if !strings.HasSuffix(e.name, "/") {
			_, err = io.WriteString(f, e.content)
			must(t, err)
		}
	}
	must(t, w.Close())
	return b.Bytes()
}

var hostileZips = map[string]struct {
	entries []zipEntry
	want    error
}{
	"climbs":                  {[]zipEntry{{"ok", "x", 0}, {"../evil", "x", 0}}, ErrPath},
	"absolute":                {[]zipEntry{{"/evil", "x", 0}}, ErrPath},
	"a link, then through it": {[]zipEntry{{"l", "/secretdir", fs.ModeSymlink}, {"l/evil", "x", 0}}, ErrThrough},
	"a link of no target":     {[]zipEntry{{"l", "", fs.ModeSymlink}}, fs.ErrNotExist},
	"a link that is too long": {[]zipEntry{{"l", strings.Repeat("x", 4096), fs.ModeSymlink}}, vfs.ErrNameTooLong},
	"a device":                {[]zipEntry{{"null", "", fs.ModeDevice | fs.ModeCharDevice}}, ErrKind},
	"a file twice":            {[]zipEntry{{"a", "1", 0}, {"a", "2", 0}}, ErrDuplicate},
	"a file over a directory": {[]zipEntry{{"dir", "x", 0}}, ErrInTheWay},
	"too much content":        {[]zipEntry{{"a", strings.Repeat("xy", 1<<20), 0}}, ErrTooLarge},
	"too many entries":        {make([]zipEntry, 2000), ErrTooMany},
}

func TestHostileZip(t *testing.T) {
	for name, c := range hostileZips {
		t.Run(name, func(t *testing.T) {
			for i := range c.entries {
				if c.entries[i].name == "" {
					c.entries[i].name = fmt.Sprint("f", i)
				}
			}
			data := zipOf(t, c.entries...)
			refused(t, func(tr *vfs.Tree) error {
				return ReadZip(tr, "/have", bytes.NewReader(data), int64(len(data)), small)
			}, c.want)
		})
	}
}

// TestOverlappingZip has a thousand entries for one piece of data.
func TestOverlappingZip(t *testing.T) {
	data := zipOf(t, zipEntry{"e0000", strings.Repeat("\x00", 1<<20), 0})
	at := bytes.Index(data, []byte("PK\x01\x02"))
	end := bytes.Index(data, []byte("PK\x05\x06"))
	one := data[at:end]
	out := bytes.Clone(data[:at])
	const n = 1000
	for i := range n {
		out = append(out, bytes.Replace(one, []byte("e0000"), fmt.Appendf(nil, "e%04d", i), 1)...)
	}
	tail := bytes.Clone(data[end:])
	size := n * len(one)
	tail[8], tail[9], tail[10], tail[11] = n&255, n>>8, n&255, n>>8
	tail[12], tail[13], tail[14], tail[15] = byte(size), byte(size>>8), byte(size>>16), byte(size>>24)
	out = append(out, tail...)
	refused(t, func(tr *vfs.Tree) error {
		return ReadZip(tr, "/have", bytes.NewReader(out), int64(len(out)), Config{})
	}, ErrRatio)
}

func TestCutZip(t *testing.T) {
	data := zipOf(t, zipEntry{"a", "content", 0}, zipEntry{"d/b", "more", 0})
	for n := range len(data) {
		tr := newTree(t)
		before := dump(t, tr, "/")
		if err := ReadZip(tr, "/have", bytes.NewReader(data[:n]), int64(n), small); err == nil {
			t.Errorf("%d of %d bytes suffice", n, len(data))
		}
		if after := dump(t, tr, "/"); after != before {
			t.Errorf("%d bytes changed the tree", n)
		}
	}
}

// TestIntoMount unpacks into a folder of the host, and takes all back when something is in the way.
func TestIntoMount(t *testing.T) {
	tr := newTree(t)
	must(t, tr.MountHost("/host", t.TempDir(), false))
	must(t, tr.MkdirAll("/host/dir", 0o755))
	must(t, tr.WriteFile("/host/file", []byte("old"), 0o644))
	names := func() string {
		out := ""
		for _, name := range []string{"/host", "/host/dir"} {
			list, err := tr.ReadDir(name)
			must(t, err)
			out += fmt.Sprint(list)
		}
		text, err := tr.ReadFile("/host/file")
		return out + string(text) + fmt.Sprint(err)
	}
	before := names()
	user := tr.As(vfs.User{UID: 1000, GID: 1000}) // A mount keeps no owners.
	data := tarOf(t, file("a", "1"), file("file", "new"), file("zzz", "2"), dir("file2"), file("dir", "x"))
	err := ReadTar(user, "/host", bytes.NewReader(data), small)
	if !errors.Is(err, ErrInTheWay) {
		t.Errorf("a file over a directory: %v", err)
	}
	if after := names(); after != before {
		t.Errorf("changed %s to %s", before, after)
	}
	data = tarOf(t, file("file", "new"), file("dir/x", "1"))
	must(t, ReadTar(user, "/host", bytes.NewReader(data), small))
	if got := names(); !strings.Contains(got, "new") || strings.Contains(got, "unpack") {
		t.Errorf("got %s", got)
	}
}

// TestBesideOthers unpacks while others change the target: nothing of theirs is lost, and nothing hidden is left.
func TestBesideOthers(t *testing.T) {
	tr := newTree(t)
	data := tarOf(t, dir("dir"), file("dir/a", "1"), file("dir/b", "2"), file("x/y", "3"), link("dir/a", "x/l"))
	done := make(chan struct{})
	// Ends when it has gone round often enough.
	go func() {
		defer close(done)
		for i := range 300 {
			tr.Rename("/have/dir", "/have/away")
			tr.WriteFile(fmt.Sprint("/have/own", i), nil, 0o644)
			tr.Rename("/have/away", "/have/dir")
			tr.RemoveAll("/have/x")
		}
	}()
	for range 100 {
		ReadTar(tr, "/have", bytes.NewReader(data), small) // May fail, for what others do.
	}
	<-done
	must(t, tr.RemoveAll("/have/away"))
	must(t, ReadTar(tr, "/have", bytes.NewReader(data), small))
	list, err := tr.ReadDir("/have")
	must(t, err)
	own := 0
	for _, e := range list {
		if strings.HasPrefix(e.Name(), ".unpack") {
			t.Errorf("left behind: %s", e.Name())
		}
		if strings.HasPrefix(e.Name(), "own") {
			own++
		}
	}
	if own != 300 {
		t.Errorf("%d of 300 files of another are there", own)
	}
	if text, err := tr.ReadFile("/have/dir/b"); string(text) != "2" {
		t.Errorf("unpacked %q, %v", text, err)
	}
}

func FuzzReadTar(f *testing.F) {
	for _, c := range hostileTars {
		f.Add(tarOf(f, c.headers...))
	}
	f.Add(sparseTar(1 << 20))
	f.Add(gzipped(f, tarOf(f, file("a", "x"), dir("d"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, func(tr *vfs.Tree) error { return ReadTar(tr, "/have", bytes.NewReader(data), small) })
	})
}

func FuzzReadZip(f *testing.F) {
	for _, c := range hostileZips {
		if len(c.entries) < 100 {
			f.Add(zipOf(f, c.entries...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, func(tr *vfs.Tree) error {
			return ReadZip(tr, "/have", bytes.NewReader(data), int64(len(data)), small)
		})
	})
}

// fuzzed checks that nothing outside the target changes, and nothing at all if the archive is refused.
func fuzzed(t *testing.T, read func(tr *vfs.Tree) error) {
	tr := newTree(t)
	before, secret := dump(t, tr, "/"), dump(t, tr, "/secret")+dump(t, tr, "/secretdir")
	err := read(tr)
	if err != nil && dump(t, tr, "/") != before {
		t.Errorf("refused for %v, and yet changed", err)
	}
	if dump(t, tr, "/secret")+dump(t, tr, "/secretdir") != secret {
		t.Error("changed what is outside")
	}
}
