package vfstest

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
)

// machine runs one program.
type machine struct {
	sys   system
	user  user
	files map[string]file
	seen  map[string]map[string]int // names listed, by file
	snaps map[string]status
}

// op is a call of the table's language.
type op struct {
	least, most int // arguments
	run         func(m *machine, a []string) (string, error)
}

var ops = map[string]op{
	// user UID:GID[:GROUP,...] makes the calls that follow as that user.
	"user":  {1, 1, (*machine).become},
	"umask": {1, 1, (*machine).umask},

	"mkdir":  {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.mkdir(a[0], octal(a[1])) }},
	"mkfifo": {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.mkfifo(a[0], octal(a[1])) }},
	"mksock": {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.mksock(a[0], octal(a[1])) }},
	// mkblk and mkchr make nodes of block and character devices.
	"mkblk": {3, 3, func(m *machine, a []string) (string, error) {
		return "", m.sys.mkdev(a[0], octal(a[1]), false, uint32(number(a[2])))
	}},
	"mkchr": {3, 3, func(m *machine, a []string) (string, error) {
		return "", m.sys.mkdev(a[0], octal(a[1]), true, uint32(number(a[2])))
	}},
	"rmdir":      {1, 1, func(m *machine, a []string) (string, error) { return "", m.sys.rmdir(a[0]) }},
	"unlink":     {1, 1, func(m *machine, a []string) (string, error) { return "", m.sys.unlink(a[0]) }},
	"symlink":    {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.symlink(a[0], a[1]) }},
	"readlink":   {1, 1, func(m *machine, a []string) (string, error) { return quoted(m.sys.readlink(a[0])) }},
	"link":       {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.link(a[0], a[1], false) }},
	"linkfollow": {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.link(a[0], a[1], true) }},
	"rename":     {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.rename(a[0], a[1], replace) }},
	"renamenew":  {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.rename(a[0], a[1], noReplace) }},
	"exchange":   {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.rename(a[0], a[1], exchange) }},
	"truncate":   {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.truncate(a[0], number(a[1])) }},
	"chmod":      {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.chmod(a[0], octal(a[1])) }},
	"chown": {3, 3, func(m *machine, a []string) (string, error) {
		return "", m.sys.chown(a[0], true, id(a[1]), id(a[2]))
	}},
	"lchown": {3, 3, func(m *machine, a []string) (string, error) {
		return "", m.sys.chown(a[0], false, id(a[1]), id(a[2]))
	}},
	// utimes NAME ATIME MTIME, each seconds since 1970, now or omit.
	"utimes":  {3, 3, func(m *machine, a []string) (string, error) { return "", m.sys.utimes(a[0], true, clock(a[1:])) }},
	"lutimes": {3, 3, func(m *machine, a []string) (string, error) { return "", m.sys.utimes(a[0], false, clock(a[1:])) }},
	// access NAME HOW, letters of rwx or f.
	"access": {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.access(a[0], accessBits(a[1])) }},
	// stat NAME FIELDS, names of fields of status with commas between them.
	"stat":  {2, 2, func(m *machine, a []string) (string, error) { return fields(a[1])(m.sys.stat(a[0], true)) }},
	"lstat": {2, 2, func(m *machine, a []string) (string, error) { return fields(a[1])(m.sys.stat(a[0], false)) }},
	// same tells whether two names are of one node.
	"same": {2, 2, (*machine).same},
	// snap remembers the times of a node; since tells which have changed meanwhile.
	"snap":  {1, 1, (*machine).snap},
	"since": {1, 1, (*machine).since},

	// setx NAME ATTR VALUE [create|replace] and its kin are for what a name leads to, those with an l for the name itself.
	"setx":   {3, 4, func(m *machine, a []string) (string, error) { return "", m.setxattr(a, true) }},
	"lsetx":  {3, 4, func(m *machine, a []string) (string, error) { return "", m.setxattr(a, false) }},
	"getx":   {2, 2, func(m *machine, a []string) (string, error) { return quoted(m.sys.getxattr(a[0], true, a[1])) }},
	"lgetx":  {2, 2, func(m *machine, a []string) (string, error) { return quoted(m.sys.getxattr(a[0], false, a[1])) }},
	"listx":  {1, 1, func(m *machine, a []string) (string, error) { return sorted(m.sys.listxattr(a[0], true)) }},
	"llistx": {1, 1, func(m *machine, a []string) (string, error) { return sorted(m.sys.listxattr(a[0], false)) }},
	"rmx":    {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.removexattr(a[0], true, a[1]) }},
	"lrmx":   {2, 2, func(m *machine, a []string) (string, error) { return "", m.sys.removexattr(a[0], false, a[1]) }},

	// put makes a file with content; cat reads one; fill makes N empty files; list gives sorted names.
	"put":  {2, 2, (*machine).put},
	"cat":  {1, 1, (*machine).cat},
	"fill": {2, 2, (*machine).fill},
	"list": {1, 1, (*machine).list},

	// open FILE NAME FLAGS [MODE], flags as in open(2), small, with commas between them.
	"open":      {3, 4, (*machine).open},
	"close":     {1, 1, func(m *machine, a []string) (string, error) { return "", m.file(a[0]).close() }},
	"read":      {2, 2, (*machine).read},
	"write":     {2, 2, (*machine).write},
	"pread":     {3, 3, (*machine).pread},
	"pwrite":    {3, 3, (*machine).pwrite},
	"seek":      {3, 3, (*machine).seek},
	"ftruncate": {2, 2, func(m *machine, a []string) (string, error) { return "", m.file(a[0]).truncate(number(a[1])) }},
	"fallocate": {3, 3, func(m *machine, a []string) (string, error) {
		return "", m.file(a[0]).allocate(number(a[1]), number(a[2]))
	}},
	// punch FILE OFFSET LENGTH is fallocate with FALLOC_FL_PUNCH_HOLE.
	"punch": {3, 3, func(m *machine, a []string) (string, error) {
		return "", m.file(a[0]).punch(number(a[1]), number(a[2]))
	}},
	"fchmod":  {2, 2, func(m *machine, a []string) (string, error) { return "", m.file(a[0]).chmod(octal(a[1])) }},
	"fchown":  {3, 3, func(m *machine, a []string) (string, error) { return "", m.file(a[0]).chown(id(a[1]), id(a[2])) }},
	"futimes": {3, 3, func(m *machine, a []string) (string, error) { return "", m.file(a[0]).utimes(clock(a[1:])) }},
	"fstat":   {2, 2, func(m *machine, a []string) (string, error) { return fields(a[1])(m.file(a[0]).stat()) }},
	// readdir FILE N counts the names that the next N entries give, drain takes all that are left; seen tells how
	// often a name was among them.
	"readdir": {2, 2, (*machine).readdir},
	"drain":   {1, 1, (*machine).drain},
	"seen":    {2, 2, func(m *machine, a []string) (string, error) { return strconv.Itoa(m.seen[a[0]][a[1]]), nil }},
}

// run makes the calls of a program and returns the first error of a kind that the table has no word for.
func (m *machine) run(c *call) (string, error) {
	args := make([]string, len(c.args)-1)
	for i, a := range c.args[1:] {
		args[i] = expand(a, m.sys.root())
	}
	text, err := "", m.sys.refuses(append([]string{c.args[0]}, args...))
	if err == nil {
		text, err = ops[c.args[0]].run(m, args)
	}
	if s, ok := err.(skip); ok {
		return "", s
	}
	return answer(text, err), nil
}

// close closes what a program has left open.
func (m *machine) close() {
	for _, f := range m.files {
		f.close()
	}
}

// file returns an open file. The table names none that its program has not opened.
func (m *machine) file(name string) file {
	if f := m.files[name]; f != nil {
		return f
	}
	panic("no file " + name)
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func octal(s string) uint32 {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil {
		panic(err)
	}
	return uint32(n)
}

func id(s string) int { return int(number(s)) }

func clock(a []string) times {
	var sec [2]int64
	for i, s := range a {
		switch s {
		case "now":
			sec[i] = timeNow
		case "omit":
			sec[i] = timeOmit
		default:
			sec[i] = number(s)
		}
	}
	return times{atime: sec[0], mtime: sec[1]}
}

func accessBits(s string) (how uint32) {
	for i, c := range "xwr" {
		if strings.ContainsRune(s, c) {
			how |= 1 << i
		}
	}
	return how
}

var flagBits = map[string]int{
	"rdonly": os.O_RDONLY, "wronly": os.O_WRONLY, "rdwr": os.O_RDWR, "append": os.O_APPEND, "creat": os.O_CREATE,
	"excl": os.O_EXCL, "trunc": os.O_TRUNC, "sync": os.O_SYNC,
	"directory": flagDirectory, "nofollow": flagNofollow, "nonblock": flagNonblock,
}

// Flags that package os does not name, for faces to translate.
const (
	flagDirectory = 1 << (40 + iota)
	flagNofollow
	flagNonblock
)

func (m *machine) become(a []string) (string, error) {
	parts := strings.Split(a[0], ":")
	m.user.uid, m.user.gid, m.user.groups = id(parts[0]), id(parts[1]), nil
	if len(parts) > 2 {
		for g := range strings.SplitSeq(parts[2], ",") {
			m.user.groups = append(m.user.groups, id(g))
		}
	}
	return "", m.sys.become(m.user)
}

func (m *machine) umask(a []string) (string, error) {
	m.user.umask = octal(a[0])
	return "", m.sys.become(m.user)
}

// fields returns a printer of the named ones.
func fields(list string) func(status, error) (string, error) {
	return func(s status, err error) (string, error) {
		if err != nil {
			return "", err
		}
		var out []string
		for f := range strings.SplitSeq(list, ",") {
			switch f {
			case "type":
				out = append(out, s.typ)
			case "mode":
				out = append(out, fmt.Sprintf("%04o", s.mode))
			case "uid":
				out = append(out, strconv.Itoa(s.uid))
			case "gid":
				out = append(out, strconv.Itoa(s.gid))
			case "nlink":
				out = append(out, strconv.FormatUint(s.nlink, 10))
			case "size":
				out = append(out, strconv.FormatInt(s.size, 10))
			case "rdev":
				out = append(out, strconv.FormatUint(s.rdev, 10))
			case "atime":
				out = append(out, strconv.FormatInt(s.atime.Unix(), 10))
			case "mtime":
				out = append(out, strconv.FormatInt(s.mtime.Unix(), 10))
			default:
				panic("no field " + f)
			}
		}
		return strings.Join(out, " "), nil
	}
}

func (m *machine) same(a []string) (string, error) {
	s, err := m.sys.stat(a[0], false)
	if err != nil {
		return "", err
	}
	u, err := m.sys.stat(a[1], false)
	return map[bool]string{true: "yes", false: "no"}[s.ino == u.ino], err
}

func (m *machine) snap(a []string) (string, error) {
	s, err := m.sys.stat(a[0], false)
	m.snaps[a[0]] = s
	m.sys.tick()
	return "", err
}

func (m *machine) since(a []string) (string, error) {
	s, err := m.sys.stat(a[0], false)
	if err != nil {
		return "", err
	}
	was, ok := m.snaps[a[0]]
	if !ok {
		panic("no snap of " + a[0])
	}
	var out []string
	if !s.atime.Equal(was.atime) {
		out = append(out, "atime")
	}
	if !s.mtime.Equal(was.mtime) {
		out = append(out, "mtime")
	}
	if !s.ctime.Equal(was.ctime) {
		out = append(out, "ctime")
	}
	if out == nil {
		return "none", nil
	}
	return strings.Join(out, " "), nil
}

func (m *machine) put(a []string) (string, error) {
	f, err := m.sys.open(a[0], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return "", err
	}
	defer f.close()
	_, err = f.write(a[1])
	return "", err
}

func (m *machine) cat(a []string) (string, error) {
	f, err := m.sys.open(a[0], os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.close()
	text, err := f.read(1 << 16)
	return strconv.Quote(text), err
}

// fill makes NAME000 and so on.
func (m *machine) fill(a []string) (string, error) {
	for i := range number(a[1]) {
		f, err := m.sys.open(fmt.Sprintf("%s%03d", a[0], i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return "", err
		}
		f.close()
	}
	return "", nil
}

func (m *machine) list(a []string) (string, error) {
	f, err := m.sys.open(a[0], os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.close()
	return sorted(f.list(-1))
}

func sorted(names []string, err error) (string, error) {
	slices.Sort(names)
	return fmt.Sprintf("%q", names), err
}

func quoted(s string, err error) (string, error) { return strconv.Quote(s), err }

func (m *machine) setxattr(a []string, follow bool) error {
	how := replace
	if len(a) > 3 {
		how = map[string]renaming{"create": noReplace, "replace": exchange}[a[3]]
	}
	return m.sys.setxattr(a[0], follow, a[1], a[2], how)
}

func (m *machine) open(a []string) (string, error) {
	flag := 0
	for f := range strings.SplitSeq(a[2], ",") {
		bit, ok := flagBits[f]
		if !ok {
			panic("no flag " + f)
		}
		flag |= bit
	}
	mode := uint32(0)
	if len(a) > 3 {
		mode = octal(a[3])
	}
	f, err := m.sys.open(a[1], flag, mode)
	if err != nil {
		return "", err
	}
	m.files[a[0]], m.seen[a[0]] = f, map[string]int{}
	return "", nil
}

func (m *machine) read(a []string) (string, error) {
	s, err := m.file(a[0]).read(int(number(a[1])))
	return strconv.Quote(s), eof(err)
}

func (m *machine) write(a []string) (string, error) {
	n, err := m.file(a[0]).write(a[1])
	return strconv.Itoa(n), err
}

func (m *machine) pread(a []string) (string, error) {
	s, err := m.file(a[0]).pread(int(number(a[1])), number(a[2]))
	return strconv.Quote(s), eof(err)
}

func (m *machine) pwrite(a []string) (string, error) {
	n, err := m.file(a[0]).pwrite(a[1], number(a[2]))
	return strconv.Itoa(n), err
}

func (m *machine) seek(a []string) (string, error) {
	whence, ok := map[string]int{"set": io.SeekStart, "cur": io.SeekCurrent, "end": io.SeekEnd, "data": vfs.SeekData, "hole": vfs.SeekHole}[a[2]]
	if !ok {
		whence = int(number(a[2]))
	}
	n, err := m.file(a[0]).seek(number(a[1]), whence)
	return strconv.FormatInt(n, 10), err
}

func (m *machine) readdir(a []string) (string, error) {
	n, err := m.take(a[0], int(number(a[1])))
	return strconv.Itoa(n), err
}

// take counts the next n names, all if n is -1.
func (m *machine) take(name string, n int) (int, error) {
	names, err := m.file(name).list(n)
	for _, n := range names {
		m.seen[name][n]++
	}
	return len(names), eof(err)
}

func (m *machine) drain(a []string) (string, error) {
	_, err := m.take(a[0], -1)
	return "", err
}
