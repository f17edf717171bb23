package engine

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/wasi"
)

// procFS is what /proc shows of a sandbox: its processes and, as far as programs look there, the machine they are made
// to see. It implements fs.FS, and every Open tells anew.
//
// See https://docs.kernel.org/filesystems/proc.html
type procFS struct{ sandbox *Sandbox }

// procEntry is a file, a link or a directory of /proc.
type procEntry struct {
	name    string
	content func() string // of a file
	link    string        // of a link
	list    func() []procEntry
}

// find walks to a name.
func (p procFS) find(op, name string) (procEntry, error) {
	at := procEntry{name: ".", list: p.top}
	if name != "." {
		for part := range strings.SplitSeq(name, "/") {
			if at.list == nil {
				return at, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
			}
			list := at.list()
			i := slices.IndexFunc(list, func(e procEntry) bool { return e.name == part })
			if i < 0 {
				return at, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
			}
			at = list[i]
		}
	}
	return at, nil
}

// Open implements fs.FS.
func (p procFS) Open(name string) (fs.File, error) {
	e, err := p.find("open", name)
	if err != nil {
		return nil, err
	}
	f := &procFile{entry: e}
	if e.content != nil {
		f.Reader = strings.NewReader(e.content())
	}
	return f, nil
}

// ReadDir implements fs.ReadDirFS.
func (p procFS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := p.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if e.list == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: wasi.ENOTDIR}
	}
	var out []fs.DirEntry
	for _, c := range e.list() {
		out = append(out, fs.FileInfoToDirEntry(c))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// Lstat implements fs.ReadLinkFS.
func (p procFS) Lstat(name string) (fs.FileInfo, error) { return p.find("lstat", name) }

// ReadLink implements fs.ReadLinkFS.
func (p procFS) ReadLink(name string) (string, error) {
	e, err := p.find("readlink", name)
	if err == nil && e.link == "" {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return e.link, err
}

// procFile is an open procEntry.
type procFile struct {
	io.Reader
	entry procEntry
}

func (f *procFile) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *procFile) Close() error               { return nil }

// An entry describes itself: fs.FileInfo.
func (e procEntry) Name() string       { return e.name }
func (e procEntry) Size() int64        { return 0 }
func (e procEntry) ModTime() time.Time { return baseTime }
func (e procEntry) IsDir() bool        { return e.list != nil }
func (e procEntry) Sys() any           { return nil }

func (e procEntry) Mode() fs.FileMode {
	switch {
	case e.list != nil:
		return fs.ModeDir | 0o555
	case e.link != "":
		return fs.ModeSymlink | 0o777
	}
	return 0o444
}

func procText(name, text string) procEntry {
	return procEntry{name: name, content: func() string { return text }}
}

func procDir(name string, list ...procEntry) procEntry {
	return procEntry{name: name, list: func() []procEntry { return list }}
}

// top lists /proc itself.
func (p procFS) top() []procEntry {
	sb := p.sandbox
	if sb == nil {
		return nil // nothing runs in an image's own tree
	}
	list := []procEntry{
		{name: "self", link: strconv.Itoa(initPid)}, // package wasi puts the process's own number in its place
		{name: "cpuinfo", content: func() string { return "processor\t: 0\nmodel name\t: WebAssembly\n\n" }},
		{name: "loadavg", content: sb.loadAverage},
		{name: "meminfo", content: sb.memoryInfo},
		{name: "stat", content: sb.statistics},
		{name: "uptime", content: func() string { s := sb.uptime().Seconds(); return fmt.Sprintf("%.2f %.2f\n", s, s) }},
		procText("cmdline", "belljar\n"),
		procText("filesystems", "nodev\ttmpfs\nnodev\tproc\n"),
		procText("mounts", procMounts),
		procText("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
		procText("version", "Linux version "+procRelease+" (belljar)\n"),
		sb.settings(),
	}
	k := &sb.table
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range append([]*task{k.init}, k.matchLocked(func(*task) bool { return true })...) {
		list = append(list, procEntry{name: strconv.Itoa(t.pid), list: func() []procEntry { return k.process(t) }})
	}
	return list
}

// settings lists /proc/sys: what programs read there to know where they are.
func (sb *Sandbox) settings() procEntry {
	files := int64(sb.limits.OpenFiles)
	return procDir("sys",
		procDir("fs", procText("file-max", strconv.FormatInt(files, 10)+"\n"), procText("nr_open", strconv.FormatInt(files, 10)+"\n"),
			procText("pipe-max-size", "65536\n")),
		procDir("kernel",
			procText("cap_last_cap", "40\n"), procText("domainname", "(none)\n"), procText("hostname", "belljar\n"),
			procText("ngroups_max", "65536\n"), procText("osrelease", procRelease+"\n"), procText("ostype", "Linux\n"),
			procText("pid_max", strconv.Itoa(maxPid)+"\n"),
			procDir("random", procEntry{name: "uuid", content: sb.newUUID}),
			procText("threads-max", strconv.Itoa(maxPid)+"\n"), procText("version", "#1 belljar\n")),
		procDir("vm", procText("overcommit_memory", "0\n"), procText("swappiness", "60\n")))
}

// newUUID answers another one at each reading, from the sandbox's randomness. See RFC 9562, version 4.
func (sb *Sandbox) newUUID() string {
	var b [16]byte
	if _, err := io.ReadFull(sb.random, b[:]); err != nil {
		return ""
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x\n", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

const (
	procRelease = "6.1.0-belljar" // a Linux that programs find everything in they may expect
	procMounts  = "tree / tmpfs rw 0 0\nproc /proc proc rw 0 0\n"
	procHertz   = 100 // clock ticks of a second, in files and for sysconf
)

// uptime is the time since what monotonic clocks begin at.
func (sb *Sandbox) uptime() time.Duration {
	if sb.clock != nil {
		return sb.clock.elapsed(0)
	}
	return time.Since(sb.engine.boot)
}

func (sb *Sandbox) memoryInfo() string {
	total := sb.limits.Memory >> 10
	free := max(total-sb.memory.used.Load()>>10, 0)
	return fmt.Sprintf("MemTotal:       %8d kB\nMemFree:        %8d kB\nMemAvailable:   %8d kB\nBuffers:               0 kB\n"+
		"Cached:                0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n", total, free, free)
}

func (sb *Sandbox) loadAverage() string {
	k := &sb.table
	k.mu.Lock()
	defer k.mu.Unlock()
	running := len(k.matchLocked(func(t *task) bool { return t.letterLocked() == 'R' }))
	return fmt.Sprintf("%d.00 %d.00 %d.00 %d/%d %d\n", running, running, running, running, len(k.tasks)+1, k.last)
}

func (sb *Sandbox) statistics() string {
	ticks := sb.ticks.Load() / ticksPerNanosecond / (int64(time.Second) / procHertz)
	now := sb.now()
	return fmt.Sprintf("cpu  %d 0 0 0 0 0 0 0 0 0\ncpu0 %d 0 0 0 0 0 0 0 0 0\nctxt 0\nbtime %d\nprocesses %d\n",
		ticks, ticks, now.Add(-sb.uptime()).Unix(), sb.table.last)
}

// letterLocked is the task's state as ps shows it.
func (t *task) letterLocked() byte {
	switch {
	case t.state == stateZombie:
		return 'Z'
	case t.state == stateStopped:
		return 'T'
	case t.host == nil || t.waiting.Load() || t.host.Waiting() || t.run.rests:
		return 'S'
	}
	return 'R'
}

// command is the name that the kernel knows a process by: its file's, whatever it was told to be called.
func (t *task) command() string {
	name := "init"
	switch {
	case t.shown != nil && t.shown.name != "":
		name = t.shown.name
	case t.shown != nil:
		name = path.Base(t.shown.args[0])
	}
	return name[:min(len(name), 15)]
}

// process lists the directory of a process.
func (k *table) process(t *task) []procEntry {
	k.mu.Lock()
	defer k.mu.Unlock()
	var args, env []string
	dir, exe := "/", "/"
	if t.shown != nil {
		dir, exe = t.dir, t.shown.path
		if t.state != stateZombie {
			args, env = t.shown.args, t.shown.env
		}
	}
	host := t.host
	locked := func(name string, tell func(*task) string) procEntry {
		return procEntry{name: name, content: func() string {
			k.mu.Lock()
			defer k.mu.Unlock()
			return tell(t)
		}}
	}
	return []procEntry{
		{name: "cwd", link: dir}, {name: "exe", link: exe}, {name: "root", link: "/"},
		procText("cmdline", terminated(args)), procText("environ", terminated(env)), procText("mounts", procMounts),
		procText("cgroup", "0::/\n"), procText("oom_score_adj", "0\n"),
		procText("mountinfo", "1 1 0:1 / / rw - tmpfs tree rw\n2 1 0:2 / /proc rw - proc proc rw\n"),
		locked("comm", func(t *task) string { return t.command() + "\n" }),
		locked("stat", k.statLocked), locked("status", k.statusLocked),
		locked("statm", func(t *task) string { return fmt.Sprintf("%d %d 0 0 0 %d 0\n", t.pages(), t.pages(), t.pages()) }),
		{name: "fd", list: func() []procEntry { return procDescriptors(host) }},
	}
}

// terminated joins strings with a NUL after each.
func terminated(list []string) string {
	var b bytes.Buffer
	for _, s := range list {
		b.WriteString(s)
		b.WriteByte(0)
	}
	return b.String()
}

// pages is the task's memory, in pages of 4 KiB.
func (t *task) pages() int64 { return t.memory.Load() / imagePage }

// statLocked writes the 52 fields of /proc/PID/stat.
func (k *table) statLocked(t *task) string {
	ppid, terminal, foreground := 0, 0, -1
	if t.parent != nil {
		ppid = t.parent.pid
	}
	if t.terminal != nil {
		terminal = 136 << 8 // the first pseudo terminal
		_, foreground = t.terminal.Job()
	}
	const tick = int64(time.Second) / procHertz
	fields := make([]int64, 53)
	for i, v := range map[int]int64{
		4: int64(ppid), 5: int64(t.pgid), 6: int64(t.sid), 7: int64(terminal), 8: int64(foreground),
		14: int64(t.cpu()) / tick, 16: t.childTime / tick, 18: 20, 20: 1, 22: t.startTick(), 23: t.memory.Load(),
		24: t.pages(), 25: -1, 31: oldSet(t.pending), 32: oldSet(t.mask), 38: 17,
	} {
		fields[i] = v
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d (%s) %c", t.pid, t.command(), t.letterLocked())
	for _, v := range fields[4:] {
		b.WriteByte(' ')
		b.WriteString(strconv.FormatInt(v, 10))
	}
	return b.String() + "\n"
}

// oldSet is the signals that /proc/PID/stat has room for, as on Linux: the first 31.
func oldSet(s signalSet) int64 { return int64(s & (1<<31 - 1)) }

// startTick is when the task began, in clock ticks after the time that uptime counts from.
func (t *task) startTick() int64 {
	if t.sandbox == nil {
		return 0
	}
	sb := t.sandbox
	return int64(max(sb.uptime()-sb.now().Sub(t.started), 0)) / (int64(time.Second) / procHertz)
}

func (k *table) statusLocked(t *task) string {
	ppid, words := 0, map[byte]string{'R': "running", 'S': "sleeping", 'T': "stopped", 'Z': "zombie"}
	if t.parent != nil {
		ppid = t.parent.pid
	}
	var ignored, caught signalSet
	for n, a := range t.action {
		switch a.how {
		case wasi.SignalIgnore:
			ignored |= Signal(n).bit()
		case wasi.SignalHandle:
			caught |= Signal(n).bit()
		}
	}
	letter, uid := t.letterLocked(), userID
	if t == k.init {
		uid = 0
	}
	return fmt.Sprintf("Name:\t%s\nState:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\nUid:\t%[7]d\t%[7]d\t%[7]d\t%[7]d\n"+
		"Gid:\t%[7]d\t%[7]d\t%[7]d\t%[7]d\nVmPeak:\t%8[8]d kB\nVmSize:\t%8[9]d kB\nVmRSS:\t%8[9]d kB\nThreads:\t1\n"+
		"SigPnd:\t%016[10]x\nSigBlk:\t%016[11]x\nSigIgn:\t%016[12]x\nSigCgt:\t%016[13]x\n",
		t.command(), letter, words[letter], t.pid, t.pid, ppid, uid, t.peak.Load()>>10, t.memory.Load()>>10,
		t.pending, t.mask, ignored, caught)
}

// procDescriptors lists a process's open descriptors as links to what they are open on.
func procDescriptors(h *wasi.Host) []procEntry {
	if h == nil {
		return []procEntry{}
	}
	list := []procEntry{}
	for _, d := range h.Descriptors() {
		e := procEntry{name: strconv.Itoa(d.Number)}
		switch {
		case d.File != nil:
			e.link = d.File.Name()
		case d.Kind == wasi.KindPipeReader || d.Kind == wasi.KindPipeWriter:
			e.link = fmt.Sprintf("pipe:[%d]", d.Pipe)
		default:
			e.link = fmt.Sprintf("stream:[%d]", d.Description)
		}
		list = append(list, e)
	}
	return list
}

// ProcessInfo is a process of a sandbox at one moment.
type ProcessInfo struct {
	PID, Parent, Group, Session int
	Args                        []string // as the process was started
	Dir                         string   // its working directory
	State                       byte     // R runs, S waits, T is stopped, Z has ended and not been waited for
	Memory                      int64    // bytes of linear memory
	CPU                         time.Duration
	Started                     time.Time
}

// Processes lists the sandbox's processes by PID, those in the background included.
func (sb *Sandbox) Processes() []ProcessInfo {
	k := &sb.table
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []ProcessInfo
	for _, t := range k.matchLocked(func(*task) bool { return true }) {
		out = append(out, ProcessInfo{
			PID: t.pid, Parent: t.parent.pid, Group: t.pgid, Session: t.sid, Args: slices.Clone(t.shown.args), Dir: t.dir,
			State: t.letterLocked(), Memory: t.memory.Load(), CPU: t.cpu(), Started: t.started,
		})
	}
	return out
}

// Signal sends a signal to one of the sandbox's processes. It answers fs.ErrNotExist where there is none of this PID.
func (sb *Sandbox) Signal(pid int, sig Signal) error {
	if !sig.valid() {
		return fmt.Errorf("signal %d: no such signal", int(sig))
	}
	k := &sb.table
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.tasks[pid]
	if t == nil {
		return fmt.Errorf("signal process %d: %w", pid, fs.ErrNotExist)
	}
	k.sendLocked(t, sig)
	return nil
}
