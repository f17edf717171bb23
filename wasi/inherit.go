package wasi

import (
	"fmt"
	"io/fs"
)

// FileAction changes the descriptors of a process that is spawned, before its program
// starts, as the actions of posix_spawn do.
// https://pubs.opengroup.org/onlinepubs/9699919799/functions/posix_spawn.html
type FileAction struct {
	Op     FileOp
	FD, To uint32
}

// FileOp is what a [FileAction] does. The numbers are those of proc_spawn in ABI.md.
type FileOp uint32

const (
	FileDup2       FileOp = iota // FD also as To, which stays open in the program
	FileClose                    // FD is closed; it need not be open
	FileOnlyListed               // wherever it stands in the list: nothing is inherited but what FileDup2 names
)

// Fork makes the Host of a child as fork does: with h's arguments, environment and
// descriptors, of which each refers to the same open file description. What cfg says of
// Dir, Clock, Random, Services, Signals and Kernel is the child's; empty fields but the
// last two are h's own. The rest of cfg is not used.
func (h *Host) Fork(cfg Config) *Host {
	child := h.child(cfg)
	child.args, child.env = h.args, h.env
	if h.posix != nil {
		p := *h.posix
		child.posix = &p
	}
	child.files.slots = h.files.list()
	return child
}

// Spawn makes the Host of a child that executes a program, with cfg's arguments and
// environment, and h's descriptors after the actions, less those that close on
// execution. Other fields of cfg are used as by Fork. It fails if the arguments or the
// environment are not as Config demands, or with an error that the guest sees as EBADF
// or EMFILE if an action can't be done.
func (h *Host) Spawn(cfg Config, actions []FileAction) (*Host, error) {
	child := h.child(cfg)
	if err := child.setProgram(cfg.Args, cfg.Env); err != nil {
		child.releasePreopens()
		return nil, fmt.Errorf("wasi: %w", err)
	}
	child.files.slots = h.files.list()
	e := child.act(actions)
	if e == errSuccess {
		e = child.begin()
	}
	if e != errSuccess {
		child.Close() //nolint:errcheck // the first error is the one to tell
		return nil, fmt.Errorf("wasi: inherit descriptors: %w", e)
	}
	return child, nil
}

// Exec makes h the Host of another program in the same process: with these arguments and
// environment, and without the descriptors that close on execution. On an error nothing
// has changed. No guest may be running on h.
func (h *Host) Exec(args, env []string, dir string) error {
	if dir == "" || dir[0] != '/' || len(dir) > maxPath {
		return fmt.Errorf("wasi: working directory %q: %w", dir, fs.ErrInvalid)
	}
	if err := h.setProgram(args, env); err != nil {
		return fmt.Errorf("wasi: %w", err)
	}
	h.dir, h.answer, h.posix = dir, nil, nil
	if e := h.begin(); e != errSuccess {
		return fmt.Errorf("wasi: open preopened directories: %w", e)
	}
	return nil
}

// child makes a Host like h, as Fork says, without descriptors.
func (h *Host) child(cfg Config) *Host {
	child := &Host{
		dir: cfg.Dir, random: cfg.Random, services: cfg.Services, signals: cfg.Signals,
		kernel: cfg.Kernel, umask: h.umask, standard: h.standard, preopens: h.preopens, tree: h.tree,
		network: h.network, pipes: h.pipes,
	}
	if child.dir == "" {
		child.dir = h.dir
	}
	if child.setClock(cfg.Clock); child.clock == nil {
		child.setClock(h.clock)
	}
	if child.random == nil {
		child.random = h.random
	}
	if child.services == nil {
		child.services = h.services
	}
	for _, d := range child.preopens {
		d.refs.Add(1)
	}
	child.files.max, child.maxFileSize = h.files.max, h.maxFileSize
	return child
}

// act does what a spawned process's actions say.
func (h *Host) act(actions []FileAction) errno {
	for _, a := range actions {
		if a.Op != FileOnlyListed {
			continue
		}
		for fd := range h.files.slots {
			h.files.slots[fd].cloexec = true
		}
	}
	for _, a := range actions {
		var e errno
		switch a.Op {
		case FileDup2:
			e = h.dup2(a.FD, a.To, false)
			if e == errSuccess && a.FD == a.To {
				e = h.files.setCloexec(a.To, false)
			}
		case FileClose:
			if d, e := h.files.remove(a.FD); e == errSuccess {
				d.release() //nolint:errcheck // others may have it open, and hear of it
			}
		case FileOnlyListed:
		default:
			e = errInval
		}
		if e != errSuccess {
			return e
		}
	}
	return errSuccess
}

// begin makes the table as a program finds it: what closes on execution is gone, and the
// preopened directories are there, in the lowest free numbers after the standard
// streams, wherever the program before has put them.
func (h *Host) begin() errno {
	h.drop(func(d descriptor) bool { return d.cloexec || d.preopen != "" })
	for _, d := range h.preopens {
		if _, e := h.files.insertFrom(d, 3); e != errSuccess {
			return e
		}
	}
	return errSuccess
}
