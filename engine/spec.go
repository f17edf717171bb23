package engine

import (
	"fmt"
	"math"
	"path"
	"strings"
	"time"
)

// Spec describes a sandbox. It is plain data: it can be copied, compared and stored.
type Spec struct {
	Image   string            // the name of one of Config.Images; "" is the engine's only image
	Env     []string          // "KEY=value", after and over the image's own
	Secrets []string          // names of variables in Env whose values are not for snapshots' files
	Limits  Limits            // zero fields mean the defaults
	Network Network           // what may be reached outside; zero is nothing
	Replay  *Replay           // nil: the host's clock and randomness
	Mounts  []Mount           // host folders shown inside
	Labels  map[string]string // the caller's own, not interpreted
}

// Limits bounds a sandbox. A zero field means the default beside it; a negative one is an error.
//
// Ticks, Wall and Output hold for one Run, Eval or Start with all the processes that come of it; the others for the
// sandbox as a whole. Processes that a Run leaves behind go on, under what it has left of Ticks and without a limit of
// time, until the sandbox is closed. However many they are, the host can start as many processes as Processes allows.
type Limits struct {
	Memory    int64         // bytes of linear memory over all processes; 512 MiB
	Ticks     int64         // work as the meter prices it, see Usage; no limit but Wall
	Wall      time.Duration // real time, waiting included; 60 s
	Output    int64         // bytes written to standard output and error together; 8 MiB
	Disk      int64         // bytes of file content beyond the image's; 1 GiB
	Files     int64         // files, folders and links beyond the image's; 100,000
	Processes int           // processes, those that have ended and not been waited for included; 64
	OpenFiles int           // descriptors of one process; 1,024
}

// Replay makes a run deterministic: the same program in the same tree gives the same bytes. Where several processes run
// at once, which one goes on first is the scheduler's choice, and alarms and signals come when they come.
type Replay struct {
	Seed  uint64    // of every random byte the guest reads
	Epoch time.Time // what the clock shows at first; it advances with ticks and sleeps. Zero: 2000-01-01 UTC
}

// Mount shows a host folder inside the sandbox.
type Mount struct {
	Host      string // folder on the host, opened once; symlinks that leave it are refused
	Path      string // absolute path in the sandbox; made if it is missing
	ReadWrite bool   // otherwise writes fail with EROFS
}

func (l Limits) withDefaults() (Limits, error) {
	fields := []struct {
		name string
		v    *int64
		def  int64
	}{
		{"Memory", &l.Memory, 512 << 20},
		{"Ticks", &l.Ticks, math.MaxInt64},
		{"Wall", (*int64)(&l.Wall), int64(60 * time.Second)},
		{"Output", &l.Output, 8 << 20},
		{"Disk", &l.Disk, 1 << 30},
		{"Files", &l.Files, 100_000},
	}
	for _, f := range fields {
		if err := defaultLimit(f.name, f.v, f.def); err != nil {
			return l, err
		}
	}
	for _, f := range []struct {
		name string
		v    *int
		def  int64
	}{{"Processes", &l.Processes, 64}, {"OpenFiles", &l.OpenFiles, 1024}} {
		v := int64(*f.v)
		if err := defaultLimit(f.name, &v, f.def); err != nil {
			return l, err
		}
		*f.v = int(v)
	}
	return l, nil
}

// orAtMost answers l, its zero fields filled from m up to the defaults.
func (l Limits) orAtMost(m Limits) Limits {
	most, err := Limits{}.withDefaults()
	if err != nil {
		return l
	}
	fill := func(v *int64, want, most int64) {
		if *v == 0 && want > 0 {
			*v = min(want, most)
		}
	}
	fill(&l.Memory, m.Memory, most.Memory)
	fill(&l.Ticks, m.Ticks, most.Ticks)
	fill((*int64)(&l.Wall), int64(m.Wall), int64(most.Wall))
	fill(&l.Output, m.Output, most.Output)
	fill(&l.Disk, m.Disk, most.Disk)
	fill(&l.Files, m.Files, most.Files)
	processes, open := int64(l.Processes), int64(l.OpenFiles)
	fill(&processes, int64(m.Processes), int64(most.Processes))
	fill(&open, int64(m.OpenFiles), int64(most.OpenFiles))
	l.Processes, l.OpenFiles = int(processes), int(open)
	return l
}

func defaultLimit(name string, v *int64, def int64) error {
	if *v < 0 {
		return fmt.Errorf("limit %s is %d: use a positive value, or 0 for the default", name, *v)
	}
	if *v == 0 {
		*v = def
	}
	return nil
}

func formatLimit(l Limit, v int64) string {
	switch l {
	case LimitWall:
		return time.Duration(v).String()
	case LimitMemory, LimitOutput:
		return formatBytes(v)
	}
	return fmt.Sprint(v)
}

func formatBytes(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size && n%u.size == 0 {
			return fmt.Sprintf("%d %s", n/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

func checkEnv(env []string) error {
	for _, kv := range env {
		if k, _, ok := strings.Cut(kv, "="); !ok || k == "" || strings.ContainsRune(kv, 0) {
			return fmt.Errorf("environment entry %q is not KEY=value", kv)
		}
	}
	return nil
}

func checkNames(names []string) error {
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, "=\x00") {
			return fmt.Errorf("%q is not the name of a variable", n)
		}
	}
	return nil
}

func (m Mount) check() error {
	if m.Host == "" {
		return fmt.Errorf("mount at %q names no host folder", m.Path)
	}
	if !path.IsAbs(m.Path) || path.Clean(m.Path) == "/" {
		return fmt.Errorf("mount of %q: %q is not an absolute path below /", m.Host, m.Path)
	}
	return nil
}
