package engine

import (
	"context"
	"fmt"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// session reads a session into a sandbox that has its files.
func (in *snapshotReader) session(ctx context.Context, sb *Sandbox) error {
	if err := in.expect(recordSession); err != nil {
		return err
	}
	var h sessionHeader
	if err := decodeJSON(in.body, &h); err != nil {
		return err
	}
	if err := h.check(); err != nil {
		return err
	}
	p := pageReader{size: h.Size}
	if err := in.pages(&p); err != nil {
		return err
	}
	return sb.addSession(ctx, &h, p.pages)
}

// pages reads blocks of memory until another record comes.
func (in *snapshotReader) pages(p *pageReader) error {
	for {
		if err := in.next(); err != nil {
			return err
		}
		if isContent, err := in.take(); err != nil {
			return err
		} else if isContent {
			continue
		}
		if in.kind != recordPages {
			in.back = true
			return nil
		}
		f := fields{b: in.body}
		number, content := f.uint(), f.uint()
		if !f.whole() {
			return badSnapshot("a block of memory is not as it should be")
		}
		b, err := in.numbered(content)
		if err == nil {
			err = p.add(number, b)
		}
		if err != nil {
			return err
		}
	}
}

// restoreSession makes a session of what a header, which may come from anyone, and pages say. The pages are its own.
func (sb *Sandbox) restoreSession(ctx context.Context, h *sessionHeader, pages []extent) (*Session, error) {
	s, err := sb.newSession(h.Name, h.Lang)
	if err != nil || !h.Begun {
		return s, err
	}
	if int64(h.Size) > sb.limits.Memory {
		limit := &LimitError{Limit: LimitMemory, Max: sb.limits.Memory}
		return nil, fmt.Errorf("%w: its memory has %s", limit, formatBytes(int64(h.Size)))
	}
	p, loaded, err := sb.image.load(ctx, h.Program)
	if err != nil {
		return nil, err
	}
	if p.def.Interactive == nil {
		return nil, badSnapshot("session %q: %s can't run as one", h.Name, p.def.Path)
	}
	s.entry = p.def.Interactive.Entry
	s.life.target = &target{program: p, loaded: loaded, path: p.def.Path, args: s.command.Args, env: sb.env, dir: homeDir}
	s.life.cells, s.life.cpu, s.life.copied = h.Cells, max(0, h.CPU), true
	image := loaded.imageOf(h.Image)
	switch {
	case image == nil:
		return nil, badSnapshot("session %q: it was made with another build of %s", h.Name, p.def.Path)
	case h.Size < image.size, len(h.Globals) != len(loaded.info.Globals):
		return nil, badSnapshot("session %q: its memory is not one of %s", h.Name, p.def.Path)
	}
	memory, err := newMemoryState(image, h.Size, h.Globals, pages)
	if err != nil {
		return nil, err
	}
	f := &frozenProcess{memory: memory, mask: signalSet(h.Mask) & allSignals &^ unstoppable, umask: usualUmask}
	if h.Umask != nil {
		f.umask = *h.Umask
	}
	for _, l := range h.Limits {
		f.resources[l.Which] = resource{l.Soft, l.Hard, true}
	}
	for i, a := range h.Actions {
		f.action[i] = signalAction{wasi.SignalHow(a[0]), wasi.SignalFlags(a[1])}
	}
	s.life.frozen = f
	if err := f.open(sb.tree, h.Open, sb.limits.OpenFiles); err != nil {
		_ = s.life.close()
		return nil, err
	}
	return s, nil
}

// load answers a program of the image, loaded.
func (im *image) load(ctx context.Context, digest string) (*program, *loadedProgram, error) {
	p := im.programs[digest]
	if p == nil {
		return nil, nil, badSnapshot("the image has no program %.64q", digest)
	}
	l, err := p.load(ctx, func(string) {})
	return p, l, err
}

// imageOf answers the memory image of a digest, or nil.
func (l *loadedProgram) imageOf(digest string) *memoryImage {
	for _, pl := range []*pool{l.warm, l.cold} {
		if pl != nil && pl.image.digest() == digest {
			return pl.image
		}
	}
	return nil
}

// newMemoryState makes a state of pages that are its own.
func newMemoryState(image *memoryImage, size uint64, globals []uint64, pages []extent) (*memoryState, error) {
	s := &memoryState{image: image, size: size, globals: globals, pages: pages}
	layer, err := layerOf(image, size, pages)
	if err != nil {
		return nil, err
	}
	if layer != nil {
		s.layers, s.pages = []*pageFile{layer}, nil
	}
	return s, nil
}

// open opens what a session had open. Files that can't be reached, in a mount that isn't there, come back as what can't
// be carried: they read as empty.
func (f *frozenProcess) open(tree *vfs.Tree, list []descriptorHeader, most int) error {
	if len(list) > most {
		return fmt.Errorf("%d descriptors where the limit is %d", len(list), most)
	}
	files := map[int]*vfs.File{}
	for _, in := range list {
		d := in.Descriptor
		if d.Kind == wasi.KindFile || d.Kind == wasi.KindDirectory {
			file := files[d.Description]
			if file == nil && in.File != nil {
				var err error
				if file, err = tree.Reopen(*in.File); err == nil {
					files[d.Description] = file
				}
			}
			if d.File = file; file == nil {
				d.Kind = wasi.KindOther
			}
		}
		f.descriptors = append(f.descriptors, d)
	}
	return nil
}
