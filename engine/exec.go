package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// target is a program to run and what to tell it.
type target struct {
	program *program
	loaded  *loadedProgram // nil until load
	path    string         // where it was found, absolute
	name    string         // the last part of what was asked for: of a script, not of what runs it
	args    []string
	env     []string
	dir     string
}

const (
	maxHead    = 256 // bytes of a file that say what it is, as on Linux
	maxScripts = 4   // interpreters that are scripts themselves

	maxArgument  = 128 << 10 // bytes of an argument or variable with the NUL after it, as on Linux
	maxArguments = 2 << 20   // bytes of all of them and of the pointers to them, as on Linux with a stack of 8 MiB
)

// fits answers E2BIG where Linux does: programs that gather arguments, as xargs and find do, count on hearing of it.
func (t *target) fits() error {
	const pointer = 8
	total := 0
	for _, list := range [][]string{t.args, t.env} {
		for _, s := range list {
			total += len(s) + 1 + pointer
			if len(s) >= maxArgument || total > maxArguments {
				return wasi.E2BIG
			}
		}
	}
	return nil
}

// find resolves a command to a program: name is a path, or without a slash looked for in PATH.
func (sb *Sandbox) find(name string, t *target) error {
	if name == "" {
		return errors.New("the command is empty")
	}
	if strings.Contains(name, "/") {
		return sb.findAt(name, t)
	}
	for dir := range strings.SplitSeq(getenv(t.env, "PATH"), ":") {
		err := sb.findAt(path.Join(dir, name), t)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return refuse(wasi.ENOENT, "%w in PATH", ErrNotFound)
}

func getenv(env []string, key string) string {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			return v
		}
	}
	return ""
}

// findAt resolves a path, relative to t.dir, through the interpreters of scripts, whose arguments it puts before t's.
func (sb *Sandbox) findAt(name string, t *target) error {
	asked := path.Base(name)
	for range maxScripts + 1 {
		given := name // scripts learn what they were called as
		if !path.IsAbs(name) {
			name = path.Join(t.dir, name)
		}
		head, err := sb.head(name)
		if err != nil {
			return err
		}
		if interpreter, arg, ok := parseScript(head); ok {
			args := []string{interpreter}
			if arg != "" {
				args = append(args, arg)
			}
			t.args = slices.Concat(args, []string{given}, t.args[min(1, len(t.args)):])
			name = interpreter
			continue
		}
		t.path, t.name = name, asked
		t.program, err = sb.programOf(name, head)
		return err
	}
	return refuse(wasi.ELOOP, "%s: %w: too many interpreters", name, ErrNotExecutable)
}

// head answers the beginning of an executable file.
func (sb *Sandbox) head(name string) ([]byte, error) {
	info, err := sb.tree.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	case !info.Mode().IsRegular() || !sb.executable(name):
		return nil, refuse(wasi.EACCES, "%s: %w", name, ErrNotExecutable)
	}
	f, err := sb.tree.Trusted().Open(name) // to run a file it need not be readable
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrNotExecutable, err)
	}
	defer f.Close()
	head := make([]byte, maxHead)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return head[:n], nil
}

// executable says whether the user may execute a file, or search a directory.
func (sb *Sandbox) executable(name string) bool {
	return sb.tree.Root().AsRoot().Access(name, true, vfs.AccessExec) == nil
}

// parseScript takes a script's first line apart: "#!", the interpreter, and all the rest as one argument.
func parseScript(head []byte) (interpreter, arg string, ok bool) {
	rest, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", "", false
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	text := strings.Trim(string(line), " \t\r")
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		text, arg = text[:i], strings.TrimLeft(text[i:], " \t")
	}
	return text, arg, text != "" && !strings.ContainsRune(text, 0)
}

// programOf answers the program that a file holds or stands for.
func (sb *Sandbox) programOf(name string, head []byte) (*program, error) {
	digest := programDigest(head)
	if p := sb.image.programs[digest]; p != nil {
		return p, nil
	}
	if digest == "" && bytes.HasPrefix(head, []byte(wasmMagic)) {
		return sb.guestProgram(name)
	}
	return nil, refuse(wasi.ENOEXEC, "%s: %w", name, ErrNotExecutable)
}

// load readies the target's program. ticks is what that costs who asked for it.
func (t *target) load(ctx context.Context) (ticks int64, err error) {
	if g := t.program.guest; g != nil {
		t.loaded, ticks, err = g.load(ctx)
	} else {
		t.loaded, err = t.program.load(ctx, func(string) {})
	}
	return ticks, err
}

// target resolves what a guest wants to start.
func (t *task) target(ctx context.Context, s wasi.Start, find func(string, *target) error) (*target, error) {
	p := &target{args: s.Args, env: cleanEnv(s.Env), dir: s.Dir}
	if p.dir == "" {
		p.dir = t.dir
	}
	if err := find(s.Path, p); err != nil {
		return nil, err
	}
	if err := p.fits(); err != nil {
		return nil, err
	}
	ticks, err := p.load(ctx)
	t.run.ticks.used.Add(ticks)
	return p, err
}

// cleanEnv drops what isn't KEY=value, which no program could find.
func cleanEnv(env []string) []string {
	return slices.DeleteFunc(env, func(kv string) bool { return strings.IndexByte(kv, '=') < 1 })
}

// Exec implements wasi.Kernel.
func (t *task) Exec(ctx context.Context, s wasi.Start) error {
	if ctx.Value(threadKey{}) != nil {
		return wasi.EAGAIN // the first thread's place is where a program begins
	}
	p, err := t.target(ctx, s, t.sandbox.findAt)
	if err != nil {
		return errnoOf(err)
	}
	t.next = p
	panic(&wasi.Canceled{Cause: errReplaced})
}

// Spawn implements wasi.Kernel.
func (t *task) Spawn(ctx context.Context, s wasi.Start) (uint32, error) {
	p, err := t.target(ctx, s, t.sandbox.find)
	if err != nil {
		return 0, errnoOf(err)
	}
	c, err := t.bear(p, s, func(*wasi.Host) error { return nil })
	if err != nil {
		return 0, errnoOf(err)
	}
	go c.live() // ends with the guest, which its limits, its run and Close can end
	return uint32(c.pid), nil
}

// bear makes a child that is to run p, and has the descriptors that s and adjust leave it. The caller lets it live.
func (t *task) bear(p *target, s wasi.Start, adjust func(*wasi.Host) error) (c *task, err error) {
	c = t.run.newTask()
	c.program, c.loaded = p, p.loaded
	if s.Flags&wasi.SpawnStandard != 0 {
		for fd := uint32(3); fd < uint32(t.sandbox.limits.OpenFiles); fd++ {
			s.Actions = append(s.Actions, wasi.FileAction{Op: wasi.FileClose, FD: fd})
		}
	}
	c.host, err = t.host.Spawn(wasi.Config{
		Args: p.args, Env: p.env, Dir: p.dir, Clock: c.clock(), Signals: c, Kernel: c, Services: c.serve,
	}, s.Actions)
	if err != nil {
		c.stop(nil)
		return nil, err
	}
	err = adjust(c.host)
	if err == nil {
		err = c.open()
	}
	if err == nil {
		err = t.sandbox.table.enter(c, t, s.Flags)
	}
	if err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

// abandon gives back what a task has that never began to live.
func (t *task) abandon() {
	t.stop(nil)
	t.release(true)
	_ = t.host.Close()
}
