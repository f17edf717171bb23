package pace

import (
	"math"
	"testing"
	"time"
)

// burn lets a guest that burns rate units of fuel a nanosecond run for a while, and answers how long each of its grants
// took it.
func burn(p *Pacer, now time.Time, first int64, rate float64, looks int) (took []time.Duration, end time.Time, grant int64) {
	grant = first
	for range looks {
		d := time.Duration(math.Ceil(float64(grant) / rate))
		took = append(took, d)
		now = now.Add(d)
		var yield bool
		if grant, yield = p.Next(now); yield {
			p.Resume(now)
		}
	}
	return took, now, grant
}

// TestGrantsFollowTheClock has guests burn fuel at very different speeds: each soon comes back about once a Slice.
func TestGrantsFollowTheClock(t *testing.T) {
	for _, rate := range []float64{0.5, 3, 40} {
		var p Pacer
		start := time.Unix(0, 0)
		took, _, _ := burn(&p, start, p.Start(start), rate, 60)
		for i, d := range took[20:] {
			if d < Slice/2-1 || d > 2*Slice {
				t.Errorf("rate %v: grant %d took %v", rate, i+20, d)
			}
		}
	}
}

// TestGrantsAreBounded checks the extremes: a guest that burns nothing to speak of, and one that burns all at once.
func TestGrantsAreBounded(t *testing.T) {
	for _, rate := range []float64{1e-6, 1e6} {
		var p Pacer
		now := time.Unix(0, 0)
		grant := p.Start(now)
		for range 100 {
			if grant < minGrant || grant > maxGrant {
				t.Fatalf("rate %v: a grant of %d", rate, grant)
			}
			_, now, grant = burn(&p, now, grant, rate, 1)
		}
	}
}

// TestSlowDownIsNoticedAtOnce lets a guest turn to something that burns its fuel a hundred times more slowly: only one
// grant lasts much longer than a Slice.
func TestSlowDownIsNoticedAtOnce(t *testing.T) {
	var p Pacer
	start := time.Unix(0, 0)
	_, now, grant := burn(&p, start, p.Start(start), 50, 50)
	took, _, _ := burn(&p, now, grant, 0.5, 20)
	for i, d := range took[1:] {
		if d > 2*Slice {
			t.Errorf("grant %d after the change took %v", i+1, d)
		}
	}
}

func TestYieldsAreRarerThanLooks(t *testing.T) {
	var p Pacer
	now := time.Unix(0, 0)
	p.Start(now)
	since := now
	for range 200 {
		now = now.Add(Slice)
		_, yield := p.Next(now)
		if waited := now.Sub(since); yield != (waited >= Yield) {
			t.Fatalf("yield is %v after %v", yield, waited)
		}
		if yield {
			now = now.Add(time.Millisecond) // others ran
			p.Resume(now)
			since = now
		}
	}
}
