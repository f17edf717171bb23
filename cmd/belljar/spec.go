package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// specFlags are the flags that say what a sandbox is, as they were given.
type specFlags struct {
	timeout              time.Duration
	mem, output, disk    string
	ticks                int64
	procs                int
	env, mounts, network []string
	secrets              []string // bound by create alone
	replay               uint64
}

func (f *specFlags) bind(fl *pflag.FlagSet) {
	fl.DurationVar(&f.timeout, "timeout", 30*time.Second, "wall-clock limit of a program")
	fl.StringVar(&f.mem, "mem", "512MiB", "memory limit")
	fl.Int64Var(&f.ticks, "ticks", 0, "limit in ticks, the deterministic measure of work that --json reports; 0 is none")
	fl.StringVar(&f.output, "output", "8MiB", "limit of standard output and error together")
	fl.StringVar(&f.disk, "disk", "1GiB", "limit of what programs may write to files")
	fl.IntVar(&f.procs, "procs", 64, "limit of processes at one time")
	fl.StringArrayVar(&f.env, "env", nil, "`KEY=VALUE` for the program's environment; repeatable")
	fl.StringArrayVar(&f.mounts, "mount", nil, "`HOST:GUEST[:rw]`: show a folder of this machine; repeatable")
	fl.StringArrayVar(&f.network, "allow-net", nil, "`HOST:PORT` the program may reach, such as pypi.org:443, *.example.com:*, 10.0.0.0/8:5432, or * for the public internet; repeatable")
	fl.Uint64Var(&f.replay, "replay", 0, "`seed`: run deterministically, with the clock and randomness it gives")
}

// spec turns the flags into a Spec.
func (f *specFlags) spec(cmd *cobra.Command) (engine.Spec, error) {
	spec := engine.Spec{Env: f.env, Secrets: f.secrets, Limits: engine.Limits{Wall: f.timeout, Ticks: f.ticks, Processes: f.procs}}
	for _, b := range []struct {
		flag, text string
		to         *int64
	}{{"mem", f.mem, &spec.Limits.Memory}, {"output", f.output, &spec.Limits.Output}, {"disk", f.disk, &spec.Limits.Disk}} {
		var err error
		if *b.to, err = parseSize(b.flag, b.text); err != nil {
			return spec, err
		}
	}
	if f.timeout <= 0 {
		return spec, fmt.Errorf("--timeout %s: use a positive time such as 30s", f.timeout)
	}
	if f.ticks < 0 {
		return spec, fmt.Errorf("--ticks %d: use a positive number, or 0 for no limit", f.ticks)
	}
	if f.procs <= 0 {
		return spec, fmt.Errorf("--procs %d: use a positive number", f.procs)
	}
	spec.Network.Dial = f.network
	if err := spec.Network.Check(); err != nil {
		return spec, fmt.Errorf("--allow-net: %w", err)
	}
	if cmd.Flags().Changed("replay") {
		spec.Replay = &engine.Replay{Seed: f.replay}
		if len(f.network) > 0 {
			return spec, errors.New("--allow-net with --replay: what others answer is not reproducible; leave one of them out")
		}
	}
	for _, m := range f.mounts {
		mount, err := parseMount(m)
		if err != nil {
			return spec, err
		}
		spec.Mounts = append(spec.Mounts, mount)
	}
	return spec, nil
}

// parseSize reads a flag's number of bytes.
func parseSize(flag, text string) (int64, error) {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return 0, fmt.Errorf("--%s %q: use a positive size such as 512MiB", flag, text)
	}
	return int64(n), nil
}

// parseMount reads HOST:GUEST[:rw]. A host path may hold a colon (a Windows drive), a guest path may not.
func parseMount(s string) (engine.Mount, error) {
	bad := fmt.Errorf("--mount %q: use HOST:GUEST or HOST:GUEST:rw with an absolute path in the sandbox", s)
	rest, rw := strings.CutSuffix(s, ":rw")
	if !rw {
		rest = strings.TrimSuffix(rest, ":ro")
	}
	i := strings.LastIndex(rest, ":")
	if i <= 0 || !path.IsAbs(rest[i+1:]) || path.Clean(rest[i+1:]) == "/" {
		return engine.Mount{}, bad
	}
	info, err := os.Stat(rest[:i])
	if err != nil {
		return engine.Mount{}, fmt.Errorf("--mount %q: %w", s, err)
	}
	if !info.IsDir() {
		return engine.Mount{}, fmt.Errorf("--mount %q: %s is not a folder", s, rest[:i])
	}
	return engine.Mount{Host: rest[:i], Path: rest[i+1:], ReadWrite: rw}, nil
}
