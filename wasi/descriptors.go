package wasi

import (
	"errors"
	"fmt"
	"slices"

	"github.com/belljar-dev/belljar/vfs"
)

// Kind is what a [Descriptor] is open on.
type Kind int

const (
	KindFile       Kind = 1 + iota // Descriptor.File
	KindDirectory                  // Descriptor.File
	KindStdin                      // Config.Stdin
	KindStdout                     // Config.Stdout
	KindStderr                     // Config.Stderr
	KindPipeReader                 // of the pipe Descriptor.Pipe
	KindPipeWriter                 // of the pipe Descriptor.Pipe
	KindOther                      // what can't be carried: a copy reads nothing, and is EIO to write to
)

// Descriptor describes an open descriptor: what is needed to open it again in a copy of
// the process. See [Host.Descriptors] and [Config].
type Descriptor struct {
	Number      int  // the guest's
	Description int  // descriptors with the same one share an open file description
	Kind        Kind // the same for all that share a description, as are the next five
	File        *vfs.File
	Pipe        int    // ends with the same number belong to one pipe; an end alone finds the other closed
	Buffered    []byte // for KindPipeReader: what waits in the pipe, at most 64 KiB
	Readable    bool   // opened to read
	Writable    bool   // opened to write
	Flags       uint16 // status flags (fdflags)

	Rights, Inheriting uint64 // rights of preview 1
	CloseOnExec        bool
	Preopen            string // the name of a preopened directory; empty for others
}

// Descriptors tells what is open, in the order of the numbers. The Files stay h's. No
// guest may be running on h.
func (h *Host) Descriptors() []Descriptor {
	list := []Descriptor{}
	descriptions, pipes := map[*description]int{}, map[*pipe]int{}
	slots := h.files.list()
	defer func() {
		for _, d := range slots {
			if d.description != nil {
				d.release() //nolint:errcheck // it isn't the last reference
			}
		}
	}()
	for fd, d := range slots {
		if d.description == nil {
			continue
		}
		number, known := descriptions[d.description]
		if !known {
			number = len(descriptions)
			descriptions[d.description] = number
		}
		out := Descriptor{
			Number: fd, Description: number, Readable: d.readable, Writable: d.writable, Flags: uint16(d.flags.Load()),
			Rights: uint64(d.base), Inheriting: uint64(d.inheriting), CloseOnExec: d.cloexec, Preopen: d.preopen,
		}
		if i := slices.Index(h.standard[:], d.object); i >= 0 {
			out.Kind = KindStdin + Kind(i)
		} else {
			describe(&out, d.object, pipes)
		}
		list = append(list, out)
	}
	return list
}

// describe fills in what depends on the object.
func describe(out *Descriptor, o object, pipes map[*pipe]int) {
	numberOf := func(p *pipe) int {
		if _, known := pipes[p]; !known {
			pipes[p] = len(pipes)
		}
		return pipes[p]
	}
	switch o := o.(type) {
	case *file:
		out.Kind, out.File = KindFile, o.f
	case *directory:
		out.Kind, out.File = KindDirectory, o.f
	case *PipeReader:
		out.Kind, out.Pipe, out.Buffered = KindPipeReader, numberOf(o.p), o.p.buffered()
	case *PipeWriter:
		out.Kind, out.Pipe = KindPipeWriter, numberOf(o.p)
	default:
		out.Kind = KindOther
	}
}

// openDescriptors is the inverse of Descriptors. It takes nothing for granted: the list
// may come from a file.
func (h *Host) openDescriptors(list []Descriptor) error {
	o := opener{host: h, descriptions: map[int]*description{}, pipes: map[int]*pipe{}, ends: map[*pipe]ends{}}
	for _, in := range list {
		if err := o.open(in); err != nil {
			// The Files are the caller's still: only the table is given up.
			h.files.close()
			return fmt.Errorf("descriptor %d: %w", in.Number, err)
		}
	}
	for _, p := range o.pipes {
		if !o.ends[p].reader {
			p.closeReader()
		}
		if !o.ends[p].writer {
			p.closeWriter()
		}
	}
	return nil
}

// opener opens a list of descriptors.
type opener struct {
	host         *Host
	descriptions map[int]*description
	pipes        map[int]*pipe
	ends         map[*pipe]ends
}

// ends says which ends of a pipe are open.
type ends struct{ reader, writer bool }

func (o *opener) open(in Descriptor) error {
	if in.Number < 0 || in.Number >= o.host.files.max {
		return errors.New("the number is out of range")
	}
	if _, e := o.host.files.get(uint32(in.Number)); e == errSuccess {
		return errors.New("it is there twice")
	}
	d := o.descriptions[in.Description]
	if d == nil {
		object, err := o.object(in)
		if err != nil {
			return err
		}
		d = newDescription(object, in.Readable, in.Writable, fdFlags(in.Flags)&allFdFlags)
		o.descriptions[in.Description] = d
	}
	_, e := o.host.files.replace(uint32(in.Number), descriptor{
		description: d, base: rights(in.Rights), inheriting: rights(in.Inheriting),
		preopen: in.Preopen, cloexec: in.CloseOnExec,
	})
	if e != errSuccess {
		return e
	}
	return nil
}

// object makes what a description is open on.
func (o *opener) object(in Descriptor) (object, error) {
	switch in.Kind {
	case KindFile, KindDirectory:
		if in.File == nil {
			return nil, errors.New("its File is missing")
		}
		object, err := newFileObject(in.File, in.Writable)
		if err != nil {
			return nil, err
		}
		if _, isDir := object.(*directory); isDir != (in.Kind == KindDirectory) {
			return nil, errors.New("its File is of another kind")
		}
		return object, nil
	case KindStdin, KindStdout, KindStderr:
		return o.host.standard[in.Kind-KindStdin], nil
	case KindPipeReader, KindPipeWriter:
		return o.pipeEnd(in)
	case KindOther:
		return lost{}, nil
	default:
		return nil, fmt.Errorf("there is no kind %d", in.Kind)
	}
}

func (o *opener) pipeEnd(in Descriptor) (object, error) {
	p := o.pipes[in.Pipe]
	if p == nil {
		p = o.host.pipes.newPipe()
		o.pipes[in.Pipe] = p
	}
	open := o.ends[p]
	if in.Kind == KindPipeWriter {
		o.ends[p] = ends{open.reader, true}
		return &PipeWriter{p}, nil
	}
	o.ends[p] = ends{true, open.writer}
	if len(in.Buffered) > pipeSize {
		return nil, errors.New("its pipe holds too much")
	}
	if n, err := p.write(in.Buffered, false, nil); err != nil || n < len(in.Buffered) {
		return nil, errors.Join(errors.New("its pipe has no room for what it held"), err)
	}
	return &PipeReader{p}, nil
}

// lost stands for an object that couldn't be carried into a copy of its process.
type lost struct{}

func (lost) fileType() fileType      { return typeUnknown }
func (lost) stat() (filestat, error) { return streamStat(), nil }
func (lost) close() error            { return nil }
