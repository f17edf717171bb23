package benchmarks

import (
	"strings"
	"testing"
)

// TestQuick runs every figure once in its quick form: they must all still work. Figures are looked at by people.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("takes about a minute")
	}
	report, err := Run(t.Context(), Options{Quick: true, Log: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range report.Metrics {
		if m.N == 0 || m.Unit == "" || seen[m.Name] {
			t.Errorf("metric %+v", m)
		}
		seen[m.Name] = true
	}
	if !seen["python_fresh_ms"] || !seen["humaneval_per_s"] || !seen["meter_cost_ratio"] || !seen["js_fresh_ms"] || !seen["humanevalx_per_s"] {
		t.Errorf("metrics are missing: %v", seen)
	}
	t.Logf("\n%s", report.Table())
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
