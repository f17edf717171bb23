package benchmarks

import (
	"strings"
	"testing"
	"time"
)

// TestQuick runs every figure once in its quick form: they must all still work. Figures are looked at by people.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("takes about a minute")
	}
	seen, s := map[string]bool{}, &suite{Options: Options{Quick: true, Log: testLog{t}}}
	parts := s.parts()
	for i, part := range parts {
		if end, ok := t.Deadline(); ok && time.Until(end) < 3*time.Minute {
			t.Skipf("no time is left for %d of %d parts on this machine", len(parts)-i, len(parts))
		}
		report, err := Run(t.Context(), Options{Quick: true, Only: []string{part.name}, Log: testLog{t}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range report.Metrics {
			if m.N == 0 || m.Unit == "" || seen[m.Name] {
				t.Errorf("metric %+v", m)
			}
			seen[m.Name] = true
		}
		t.Logf("\n%s", report.Table())
	}
	if !seen["python_fresh_ms"] || !seen["humaneval_per_s"] || !seen["meter_cost_ratio"] || !seen["js_fresh_ms"] || !seen["humanevalx_per_s"] {
		t.Errorf("metrics are missing: %v", seen)
	}
}

func TestOnly(t *testing.T) {
	report, err := Run(t.Context(), Options{Quick: true, Only: []string{"cells of a session"}, Log: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range report.Metrics {
		if !strings.HasPrefix(m.Name, "eval_") {
			t.Errorf("measured %s", m.Name)
		}
	}
	if _, err := Run(t.Context(), Options{Only: []string{"nothing"}}); err == nil || !strings.Contains(err.Error(), "file tree") {
		t.Errorf("a part that isn't there: %v", err)
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", b)
	return len(b), nil
}
