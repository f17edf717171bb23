package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// warmUpMemory bounds what a warm-up may use: the image is trusted, its mistakes are not.
const warmUpMemory = 1 << 30

// world is the image that the warm-up sees.
func (p *program) world() *Image {
	if p.def.world != nil {
		return p.def.world
	}
	return &p.image.Image
}

// warmUp runs the program's warm-up in a world that is the same every time, and freezes what it leaves behind.
func (p *program) warmUp(ctx context.Context, l *loadedProgram) (*memoryImage, error) {
	world := p.engine.newImage(*p.world())
	base, err := world.tree()
	if err != nil {
		return nil, err
	}
	defer base.Close()
	clock := newReplayClock(baseTime)
	tree := base.CloneWith(vfs.Config{Now: clock.now, UID: userID, GID: userID, Umask: usualUmask})
	defer tree.Close()
	m := &meter{run: &tickBudget{max: math.MaxInt64, stop: func(error) {}}, clock: clock}
	var out outputMeter
	var stream stream
	out.open(64<<10, func(error) {}, &stream)
	host, err := wasi.NewHost(wasi.Config{
		Args: append([]string{p.def.Path}, p.def.Warm.Args...), Env: mergeEnv(defaultEnv[:], world.Env), Tree: tree,
		Stdout: &stream, Stderr: &stream, Clock: replayProcessClock{clock, m}, Random: newReplayRandom(0),
	})
	if err != nil {
		return nil, err
	}
	defer host.Close()

	in, err := newInstance(ctx, p.engine.runtime, l, l.cold, p.def.Warm.Entry)
	if err != nil {
		return nil, err
	}
	defer in.close()
	if in.memory == nil {
		return nil, errors.New("the module has no memory")
	}
	in.memory.mayGrow = func(delta uint64) bool { return in.memory.size+delta <= warmUpMemory }
	guest := wasi.Bind(&meterContext{ctx, m}, host)
	m.begin(in.fuel)
	if err := in.initialize(guest); err != nil {
		return nil, fmt.Errorf("initialise: %w", err)
	}
	status, err := exitStatus(invoke(guest, in.entry))
	m.settle()
	if err == nil && status != 0 {
		err = fmt.Errorf("%s answered %d", p.def.Warm.Entry, int32(status))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stream.text()))
	}
	memory, ok := in.module.Memory().Read(0, in.module.Memory().Size())
	if !ok {
		return nil, errors.New("read memory")
	}
	return captureImage(memory, in.readGlobals())
}
