package eval

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reportFixture is a report whose every text tries to be markup.
func reportFixture(t *testing.T) string {
	t.Helper()
	hostile := `</script><script>document.title="owned"</script><img src=x onerror="document.title='owned'">`
	tasks := []Task{{ID: "good", Suffix: "\nassert True\n"}, {ID: "bad", Prefix: hostile, Suffix: hostile}, {ID: "unjudged", Suffix: "x"}}
	samples := []Sample{{"good", 0, "pass"}, {"bad", 0, hostile}, {"good", 1, "fail"}}
	verdicts := []Verdict{
		{TaskID: "good", Outcome: Passed, Ticks: 30},
		{TaskID: "bad", Outcome: Errored, Reason: hostile, Stdout: hostile, Stderr: hostile + "\u2028", Ticks: 20},
		{TaskID: "good", Index: 1, Outcome: Failed, Reason: "AssertionError", Ticks: 10},
	}
	var page strings.Builder
	if err := WriteReport(&page, "A set "+hostile, tasks, samples, verdicts); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(name, []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReportHoldsNoMarkupOfSamples(t *testing.T) {
	page, err := os.ReadFile(reportFixture(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(page), "<script>"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if strings.Contains(string(page), "<img") {
		t.Error("a sample's markup is in the page")
	}
	if strings.Contains(string(page), "unjudged") {
		t.Error("a task without verdicts is in the page")
	}
}

// browse opens the report in a browser and answers the document as it then is.
func browse(t *testing.T, file, hash string) string {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this machine; CI has one")
	}
	out, err := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+file+hash).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return string(out)
}

func TestReportInABrowser(t *testing.T) {
	file := reportFixture(t)
	for _, c := range []struct {
		hash         string
		want, wanted []string // in the page; in this order in its rows
		not          []string
	}{
		{"", []string{"3 of 3 samples", "25.0 %", "pass@1"}, []string{">good<", ">bad<", ">good<"}, []string{"<title>owned", "<h3>Candidate"}},
		{"#verdict=failed", []string{"1 of 3 samples", "AssertionError"}, []string{">good<"}, []string{">bad<"}},
		{"#q=assertion", []string{"1 of 3 samples"}, []string{">good<"}, []string{">bad<"}},
		{"#sort=ticks", []string{"3 of 3 samples"}, []string{">10<", ">20<", ">30<"}, nil},
		{"#sort=-ticks", []string{"3 of 3 samples"}, []string{">30<", ">20<", ">10<"}, nil},
		{"#open=bad%230", []string{"<h3>Candidate</h3>", "<h3>Test</h3>", "<h3>Standard error</h3>", "&lt;img src=x"}, nil, []string{"<title>owned", "<img"}},
	} {
		dom := browse(t, file, c.hash)
		for _, w := range c.want {
			if !strings.Contains(dom, w) {
				t.Errorf("%q: %q is not in the page", c.hash, w)
			}
		}
		// The script itself holds the data: only what it drew counts.
		_, rows, _ := strings.Cut(dom, `<tbody id="rows">`)
		rows, _, _ = strings.Cut(rows, "</tbody>")
		for _, w := range c.wanted {
			var found bool
			if _, rows, found = strings.Cut(rows, w); !found {
				t.Errorf("%q: %q is not where it should be", c.hash, w)
			}
		}
		for _, w := range c.not {
			if strings.Contains(rows, w) || strings.HasPrefix(w, "<title") && strings.Contains(dom, w) {
				t.Errorf("%q: %q is in the page", c.hash, w)
			}
		}
	}
}

func TestVerdictRoundTrip(t *testing.T) {
	v := Verdict{TaskID: "a", Index: 3, Outcome: Failed, Reason: "r", ExitCode: 1, Stdout: "o", Stderr: "e", Truncated: true, Ticks: 5, Memory: 6, Timing: Timing{1.5}}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decodeVerdict(b); err != nil || got != v {
		t.Errorf("%+v, %v", got, err)
	}
}
