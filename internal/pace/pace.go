// Package pace decides how much fuel a metered guest gets between two looks at it.
//
// A guest that computes is out of the Go runtime's sight until it runs out of fuel: the collector, which waits for every
// goroutine, waits for it, and so do its limits. But looking costs time. So a grant is what the guest burns in about
// Slice; how much that is differs a hundredfold between guests, because a price is that of the dearest path, and is
// found by the clock.
//
// Coming back to Go is enough for the collector and for the scheduler's own time slices, which are 10 ms. Yielding is
// dearer than everything else that is done at a look, since it wakes another thread of the scheduler's, and is done
// only so often that timers and others' goroutines need not wait for such a slice to end.
package pace

import "time"

// How long a guest computes between two looks, and between two yields.
const (
	Slice = 250 * time.Microsecond
	Yield = 2 * time.Millisecond
)

// minGrant is the least that is granted. maxGrant bounds how long the first look takes at a guest that has just begun
// to burn its fuel far more slowly: about 5 ms if an instruction takes a third of a nanosecond.
const (
	minGrant = 1 << 16
	maxGrant = 1 << 24
)

// Pacer paces one guest. The zero value is ready to Start.
type Pacer struct {
	grant   int64
	since   time.Time // when it was granted
	yielded time.Time // when others could last run
}

// Start begins the guest's time at now and answers its first grant.
func (p *Pacer) Start(now time.Time) int64 {
	p.grant, p.since, p.yielded = minGrant, now, now
	return p.grant
}

// Next answers the grant that follows one used up at now. If yield is set the caller lets others run, and then calls
// Resume.
func (p *Pacer) Next(now time.Time) (grant int64, yield bool) {
	switch took := now.Sub(p.since); {
	case took < Slice/2:
		p.grant = min(p.grant*2, maxGrant)
	case took > 2*Slice:
		p.grant = max(int64(float64(p.grant)*float64(Slice)/float64(took)), minGrant)
	}
	p.since = now
	return p.grant, now.Sub(p.yielded) >= Yield
}

// Resume tells that the guest goes on at now, after others could run.
func (p *Pacer) Resume(now time.Time) { p.since, p.yielded = now, now }
