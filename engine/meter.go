package engine

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/belljar-dev/belljar/internal/instrument"
	"github.com/belljar-dev/belljar/internal/pace"
	"github.com/belljar-dev/belljar/wasi"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// meter counts one process's ticks and stops it. All its methods but ticks belong to the process's goroutine.
type meter struct {
	run     *tickBudget
	task    *task // whose it is: its signals and threads are looked at between grants; nil: no one's
	pace    pace.Pacer
	grant   int64             // what the guest gets next, as far as its run allows
	granted int64             // what it last got
	fuel    api.MutableGlobal // what is left of it; nil before begin and after settle
	used    atomic.Int64      // ticks of all earlier grants
	clock   *replayClock      // advances with ticks; nil under the host's clock
	maxCPU  int64             // ticks after which there is SIGXCPU, and again each second; 0: never
}

// begin gives an instance its first grant.
func (m *meter) begin(fuel api.MutableGlobal) {
	m.fuel = fuel
	m.grant = m.pace.Start(time.Now())
	m.refill()
}

// refill gives the guest its next grant, or what its run has left.
func (m *meter) refill() {
	m.granted = min(m.grant, m.run.left())
	m.fuel.Set(uint64(m.granted))
}

// settle takes back what the guest did not use.
func (m *meter) settle() {
	if m.fuel != nil {
		m.account(int64(m.fuel.Get()))
		m.fuel, m.granted = nil, 0
	}
}

// account counts what was used of the last grant. It answers what the run has used.
func (m *meter) account(remaining int64) int64 {
	n := m.granted - remaining
	if m.clock != nil {
		m.clock.ticks.Add(n)
	}
	m.used.Add(n)
	return m.run.used.Add(n)
}

// sync accounts for what the guest has used of its grant so far.
func (m *meter) sync() {
	if m.fuel != nil {
		left := int64(m.fuel.Get())
		m.account(left)
		m.granted = left
	}
}

// open is what the guest has used of its current grant.
func (m *meter) open() int64 {
	if m.fuel == nil {
		return 0
	}
	return m.granted - int64(m.fuel.Get())
}

// cpu is the time that the process has computed, as far as ticks tell.
func (m *meter) cpu() time.Duration {
	return time.Duration((m.used.Load() + m.open()) / ticksPerNanosecond)
}

// tick answers the guest's call for more fuel. It does not return when the guest has to stop.
func (m *meter) tick(ctx context.Context, remaining int64) int64 {
	used := m.account(remaining)
	m.granted = 0
	if ctx.Err() != nil {
		panic(&wasi.Canceled{Cause: context.Cause(ctx)})
	}
	if used >= m.run.max {
		limit := &LimitError{Limit: LimitTicks, Max: m.run.max}
		m.run.stop(limit)
		panic(&wasi.Canceled{Cause: limit})
	}
	grant, yield := m.pace.Next(time.Now())
	if m.grant = grant; yield {
		runtime.Gosched()
		m.pace.Resume(time.Now())
	}
	if m.task != nil {
		if n := m.used.Load(); m.maxCPU > 0 && n >= m.maxCPU {
			m.maxCPU = n + int64(time.Second)*ticksPerNanosecond
			m.task.Raise(int(SIGXCPU))
		}
		if m.task.Pending() && ctx.Value(threadKey{}) == nil {
			m.deliver(ctx)
		}
		if ts := m.task.threads.Load(); ts != nil {
			m.urge(ctx, ts)
			m.granted = ts.clip(m, min(m.grant, m.run.left()))
			return m.granted
		}
	}
	m.granted = min(m.grant, m.run.left())
	return m.granted
}

// deliver lets the guest handle signals, on a grant of its own.
func (m *meter) deliver(ctx context.Context) {
	m.refill()
	m.task.Deliver(ctx)
	m.account(int64(m.fuel.Get()))
	m.granted = 0
}

// meterKey finds the meter in the context of a guest's call.
type meterKey struct{}

// meterContext is a process's context with its meter; one allocation, and one comparison to look up.
type meterContext struct {
	context.Context
	meter *meter
}

func (c *meterContext) Value(key any) any {
	if key == (meterKey{}) {
		return c.meter
	}
	return c.Context.Value(key)
}

// registerMeter makes the module that rewritten guests import.
func registerMeter(ctx context.Context, r wazero.Runtime) error {
	tick := func(ctx context.Context, _ api.Module, stack []uint64) {
		stack[0] = uint64(ctx.Value(meterKey{}).(*meter).tick(ctx, int64(stack[0])))
	}
	i64 := []api.ValueType{api.ValueTypeI64}
	_, err := r.NewHostModuleBuilder(instrument.ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(tick), i64, i64).Export(instrument.ImportTick).Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("register meter: %w", err)
	}
	return nil
}
