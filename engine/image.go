package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Image is what a runtime brings: programs, and the files around them. It is plain immutable data; one value
// may serve many engines.
type Image struct {
	Name     string              // what Spec.Image asks for
	Programs []Program           // what can be started
	Layers   []Layer             // read-only files
	Langs    map[string][]string // language → command; Eval appends the code to it
	Env      []string            // "KEY=value" of every process
}

// Program is what processes can be started from: a WebAssembly module, a function of the host's, or a script.
type Program struct {
	Path   string                 // absolute, where the tree shows it: "/usr/bin/python3.13"
	Links  []string               // absolute paths that are symlinks to Path
	Digest string                 // lower-case hex SHA-256 that stands for the module's content
	Module func() ([]byte, error) // the module, binary format; called at most once a load, seldom with a warm cache
	Entry  string                 // exported func() or func() i32 (the exit status) that is the program; "" is "_start"
	Warm   *Warm                  // nil: every start begins with the module's own initialisation
	// Func, unless nil, is the program: Go code of the host's, instead of a module. Only Path and Links go with it. It runs
	// as a process like any other, is given what belongs to it in the Call, and answers the exit status, of which 8 bits
	// count. It must return soon after ctx's end, which a signal, a limit or Close brings; they wait for it. A panic in it is
	// an ErrInternal of the Run that it belongs to; one in a goroutine that it starts is the host's end. What it needs of
	// memory, and of time between looks at ctx, nobody else bounds: it must do so itself, since what it reads is hostile.
	Func func(ctx context.Context, c *Call) int
	// Script, unless nil, answers the program's text, instead of a module: a file of the tree that begins with "#!" and what
	// runs it. Only Path and Links go with it. Called once an engine, when the image's tree is first needed.
	Script func() ([]byte, error)
	// Services are what the program can ask of the host by host_call, by name: for what has no POSIX form. nil has none. Like
	// a Func a service is given the process as a Call, must return soon after ctx's end and bound what it needs. Its error
	// is the program's errno; a panic in it is an ErrInternal. Names of an Interactive's own services are not asked for here.
	Services map[string]func(ctx context.Context, c *Call, request []byte) ([]byte, error)
	// Interactive is how the program lives on as a session; nil: it can't.
	Interactive *Interactive

	// world is the image that the program was written into before Compose; nil: the one that it is in. Its warm-up sees that,
	// so that it leaves the same behind whatever the image was composed with.
	world *Image
}

// Interactive says how a program runs as a session: its instance stays alive, and an exported function is called for
// each cell. The function asks for what to do, and tells what came of it, through the services "cell" and "part" of
// host_call (runtimes/python/build/session.h has their form).
type Interactive struct {
	Entry string   // exported func() i32: the exit status that the cell would give a program
	Args  []string // of the process, after its name
}

// Warm says how a program is brought, once, into the state that most of its starts share.
type Warm struct {
	Entry string   // exported func() i32, run once under a fixed clock and seed; 0 is success
	Args  []string // its arguments
	// Accepts reports whether a process with these arguments (the program's name first) and environment may
	// start from the warm state. Others start cold.
	Accepts func(args, env []string) bool
}

// Layer is a read-only folder of the image's tree.
type Layer struct {
	Path string // absolute
	FS   fs.FS  // files should implement io.ReaderAt; safe for concurrent use
}

// named reports whether the program has a name: a path, or the last part of one.
func (p *Program) named(name string) bool {
	for _, path := range append([]string{p.Path}, p.Links...) {
		if path == name || strings.HasSuffix(path, "/"+name) {
			return true
		}
	}
	return false
}

// hasModule reports whether the program has any of a module's fields.
func (p *Program) hasModule() bool {
	return p.Module != nil || p.Digest != "" || p.Warm != nil || p.Interactive != nil || p.Entry != "" || p.Services != nil
}

func (im *Image) check() error {
	if im.Name == "" {
		return errors.New("image without a name")
	}
	paths := map[string]bool{}
	for i := range im.Programs {
		p := &im.Programs[i]
		switch {
		case paths[p.Path]:
			return fmt.Errorf("image %q: two programs are at %s", im.Name, p.Path)
		case !path.IsAbs(p.Path):
			return fmt.Errorf("image %q: program path %q is not absolute", im.Name, p.Path)
		case p.Func != nil && p.Script != nil:
			return fmt.Errorf("image %q: program %s is both a function and a script", im.Name, p.Path)
		case (p.Func != nil || p.Script != nil) && p.hasModule():
			return fmt.Errorf("image %q: program %s has a module's fields and is none", im.Name, p.Path)
		case p.Func != nil || p.Script != nil:
		case len(p.Digest) != 64:
			return fmt.Errorf("image %q: program %s: digest %q is not a SHA-256 in hex", im.Name, p.Path, p.Digest)
		case p.Module == nil:
			return fmt.Errorf("image %q: program %s has no module", im.Name, p.Path)
		}
		paths[p.Path] = true
	}
	return checkEnv(im.Env)
}
