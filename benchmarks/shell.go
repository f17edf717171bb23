package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// nativeBash is the shell that ours is compared with.
const nativeBash = "/bin/bash"

// shell measures bash and the tools, by turns with the machine's own.
func (s *suite) shell(ctx context.Context) error {
	if _, err := os.Stat(nativeBash); err != nil {
		return nil // nothing to be told apart from
	}
	eng, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}, CacheDir: s.CacheDir})
	if err != nil {
		return err
	}
	defer eng.Close()
	b := &shellBench{suite: s, engine: eng}
	if b.dir, err = os.MkdirTemp("", "belljar-bench-shell-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	for _, part := range []func(context.Context) error{b.load, b.fresh, b.loops, b.idle, b.closing, b.tools} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

type shellBench struct {
	*suite
	engine *engine.Engine
	dir    string // for the native shell's files
}

// in runs a script in a sandbox, in a fresh one if sb is nil, and answers how long that took.
func (b *shellBench) in(ctx context.Context, sb *engine.Sandbox, script, want string) (time.Duration, error) {
	start := time.Now()
	if sb == nil {
		var err error
		if sb, err = b.engine.Create(ctx, engine.Spec{}); err != nil {
			return 0, err
		}
		defer sb.Close()
	}
	res, err := sb.Run(ctx, engine.Command{Args: []string{"bash", "-c", script}})
	if err == nil && (res.Stdout != want || res.ExitCode != 0) {
		err = fmt.Errorf("%s: status %d, %q and %q, want %q", script, res.ExitCode, res.Stdout, res.Stderr, want)
	}
	return time.Since(start), err
}

// command is a script for the machine's bash, in the locale that a sandbox has: it decides how text is searched.
func (b *shellBench) command(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, nativeBash, "-c", script)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	return cmd
}

// native runs a script by the machine's bash.
func (b *shellBench) native(ctx context.Context, script, want string) (time.Duration, error) {
	start := time.Now()
	out, err := b.command(ctx, script).Output()
	if err == nil && string(out) != want {
		err = fmt.Errorf("%s: %q, want %q", script, out, want)
	}
	return time.Since(start), err
}

// load measures how long a process waits for bash and the coreutils that another one has compiled.
func (b *shellBench) load(ctx context.Context) error {
	const script, want = "ls /etc/hosts", "/etc/hosts\n"
	if _, err := b.in(ctx, nil, script, want); err != nil {
		return err
	}
	var times []float64
	for range b.runs(40) {
		start := time.Now()
		eng, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}, CacheDir: b.CacheDir})
		if err != nil {
			return err
		}
		other := *b
		other.engine = eng
		_, err = other.in(ctx, nil, script, want)
		times = append(times, milliseconds(time.Since(start)))
		if err := errors.Join(err, eng.Close()); err != nil {
			return err
		}
	}
	b.add("bash_load_ms", "ms", times, "a new engine with a warm cache to the end of bash -c 'ls /etc/hosts': bash and coreutils loaded")
	return nil
}

func (b *shellBench) fresh(ctx context.Context) error {
	var ours, native []float64
	for range b.runs(400) {
		for _, c := range []struct {
			run func() (time.Duration, error)
			to  *[]float64
		}{
			{func() (time.Duration, error) { return b.in(ctx, nil, "echo hi", "hi\n") }, &ours},
			{func() (time.Duration, error) { return b.native(ctx, "echo hi", "hi\n") }, &native},
		} {
			took, err := c.run()
			if err != nil {
				return err
			}
			*c.to = append(*c.to, milliseconds(took))
		}
	}
	b.add("bash_fresh_ms", "ms", ours, "Create, bash -c 'echo hi', Close; engine warm; the median of %s beside it is %.2f ms", nativeBash, medianOf(native))
	return nil
}

// loops measures what a shell does all day, per turn of a loop.
func (b *shellBench) loops(ctx context.Context) error {
	for _, c := range []struct {
		name, unit, script, note string
		turns                    float64
	}{
		{"bash_subst_ms", "ms", "for i in {1..500}; do x=$(echo sub); done; echo $x", "x=$(echo sub), each of 500", 500},
		{"bash_exec_ms", "ms", "for i in {1..200}; do /bin/true; done; echo sub", "/bin/true, each of 200", 200},
		{"bash_arith_100k_s", "s", "for i in {1..100000}; do ((n++)); done; echo sub", "100,000 times ((n++))", 1000},
	} {
		var ours, native []float64
		for range b.runs(24) {
			took, err := b.in(ctx, nil, c.script, "sub\n")
			if err != nil {
				return err
			}
			ours = append(ours, milliseconds(took)/c.turns)
			if took, err = b.native(ctx, c.script, "sub\n"); err != nil {
				return err
			}
			native = append(native, milliseconds(took)/c.turns)
		}
		b.add(c.name, c.unit, ours, "%s; the median of %s beside it is %.3f", c.note, nativeBash, medianOf(native))
	}
	return nil
}

// idle measures what one more waiting bash costs.
func (b *shellBench) idle(ctx context.Context) error {
	if _, err := smaps(); err != nil {
		return nil
	}
	const n = 100
	var values []float64
	for range b.rounds(8) {
		before, err := settled()
		if err != nil {
			return err
		}
		var all []*resident
		for range n {
			r, err := b.waiting(ctx)
			if err != nil {
				return errors.Join(err, closeAll(all))
			}
			all = append(all, r)
		}
		after, err := settled()
		values = append(values, float64(after.anonymous-before.anonymous)/n/1024)
		if err := errors.Join(err, closeAll(all)); err != nil {
			return err
		}
	}
	b.add("bash_idle_kib", "KiB", values, "private memory of a bash that waits for input, of %d alive", n)
	return nil
}

func (b *shellBench) waiting(ctx context.Context) (*resident, error) {
	sb, err := b.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Wall: time.Hour}})
	if err != nil {
		return nil, err
	}
	in, stdin := io.Pipe()
	r := &resident{sandbox: sb, stdin: stdin, ready: make(chan struct{})}
	r.process, err = sb.Start(ctx, engine.Command{
		Args: []string{"bash", "-c", "echo; read line"}, Stdin: in, Stdout: &firstWrite{ready: r.ready},
	})
	if err == nil {
		err = r.wait()
	}
	if err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	return r, nil
}

// closing measures how long Close takes to end processes, of which one half waits and the other computes.
func (b *shellBench) closing(ctx context.Context) error {
	const n = 100
	script := fmt.Sprintf("for ((i=0; i<%d; i++)); do sleep 100 & (while :; do :; done) & done; echo ready", n/2)
	var times []float64
	for range b.rounds(8) {
		sb, err := b.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Processes: n + 10, Memory: 2 << 30}})
		if err != nil {
			return err
		}
		_, err = b.in(ctx, sb, script, "ready\n")
		live := len(sb.Processes())
		start := time.Now()
		if err := errors.Join(err, sb.Close()); err != nil {
			return err
		}
		times = append(times, milliseconds(time.Since(start)))
		if live < n {
			return fmt.Errorf("%d processes live, not %d", live, n)
		}
	}
	b.add("close_100_processes_ms", "ms", times, "Close of a sandbox with %d live processes, half of which compute", n)
	return nil
}

// tools measures programs that compute, against the machine's own.
func (b *shellBench) tools(ctx context.Context) error {
	sb, err := b.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Wall: 10 * time.Minute, Memory: 2 << 30}})
	if err != nil {
		return err
	}
	defer sb.Close()
	if err := b.material(sb); err != nil {
		return err
	}
	for _, c := range []struct{ name, script string }{
		{"pipeline", fmt.Sprintf("seq %d | grep 7 | wc -l", b.tenth(1_000_000))},
		{"sort", "LC_ALL=C sort lines | tail -1"},
		{"gawk", "gawk '{ s += $1 } END { print s }' numbers"},
		{"grep", "grep -rE 'zz[a-f]+[0-9]{3}' text | wc -l"},
		{"sha256sum", "sha256sum < blob"},
		{"tar", "tar -cf - many | gzip -c | wc -c > /dev/null; echo done"},
	} {
		if tool, _, _ := strings.Cut(c.script, " "); tool == "gawk" {
			if _, err := exec.LookPath(tool); err != nil {
				continue // the machine's awk is another program
			}
		}
		var ratios, ours []float64
		for range b.rounds(6) {
			out, err := b.command(ctx, c.script).Output()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			native, err := b.native(ctx, c.script, string(out))
			if err != nil {
				return err
			}
			took, err := b.in(ctx, sb, c.script, string(out))
			if err != nil {
				return err
			}
			ours = append(ours, took.Seconds())
			ratios = append(ratios, took.Seconds()/native.Seconds())
		}
		b.add("tool_"+c.name+"_ratio", "×", ratios, "ours ÷ native: %s; ours takes %.2f s", c.script, medianOf(ours))
	}
	return nil
}

// material writes the same files into the sandbox and for the native tools, a tenth of them in a quick run.
func (b *shellBench) material(sb *engine.Sandbox) error {
	random := rand.New(rand.NewPCG(5, 6))
	var lines, numbers, text strings.Builder
	for range b.tenth(1_000_000) {
		fmt.Fprintf(&lines, "%x\n", random.Uint64())
		fmt.Fprintf(&numbers, "%d x\n", random.IntN(1000))
	}
	for text.Len() < b.tenth(50<<20) {
		fmt.Fprintf(&text, "%x %x zz%x\n", random.Uint64(), random.Uint64(), random.Uint32())
	}
	blob := make([]byte, b.tenth(100<<20))
	_, _ = rand.NewChaCha8([32]byte{1}).Read(blob)
	put := func(name string, content []byte) error {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(b.dir, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o644); err != nil {
			return err
		}
		guest := "/home/user/" + filepath.ToSlash(name)
		if err := sb.Files().MkdirAll(filepath.ToSlash(filepath.Dir(guest)), 0o755); err != nil {
			return err
		}
		return sb.Files().WriteFile(guest, content, 0o644)
	}
	err := errors.Join(put("lines", []byte(lines.String())), put("numbers", []byte(numbers.String())), put("blob", blob))
	const pieces = 50
	for i := range pieces {
		n := text.Len() / pieces
		err = errors.Join(err, put(fmt.Sprintf("text/%d", i), []byte(text.String()[i*n:(i+1)*n])))
	}
	for i := range b.tenth(5000) {
		err = errors.Join(err, put(fmt.Sprintf("many/%d/%d", i/100, i), []byte(text.String()[i*100:i*100+4000])))
	}
	return err
}
