package eval

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const resultsVariable = "BELLJAR_EVAL_TEST_RESULTS"

// resumeSamples are enough to be killed among.
func resumeSamples() []Sample {
	var samples []Sample
	for i := range 60 {
		samples = append(samples, Sample{"add", i, fmt.Sprintf("    print(%d)\n    return a + b - (%d %% 7 == 0)", i, i)})
	}
	return samples
}

// TestJudgeIntoAFile is the process that TestKilledRunGoesOn kills.
func TestJudgeIntoAFile(t *testing.T) {
	name := os.Getenv(resultsVariable)
	if name == "" {
		t.Skip("runs as a child of TestKilledRunGoesOn")
	}
	w, err := OpenResults(name)
	if err != nil {
		t.Fatal(err)
	}
	opts := Options{Skip: w.Has}
	for v, err := range Run(t.Context(), newEngine(t), []Task{adding}, resumeSamples(), opts) {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(v); err != nil {
			t.Fatal(err)
		}
		fmt.Println("kept") // tells the parent how far it is
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestKilledRunGoesOn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	start := func() (*exec.Cmd, *bufio.Scanner) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestJudgeIntoAFile$")
		cmd.Env = append(os.Environ(), resultsVariable+"="+name)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewScanner(out)
	}
	for _, after := range []int{1, 7, 20} {
		cmd, lines := start()
		for n := 0; n < after && lines.Scan(); n++ {
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	cmd, lines := start()
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the last run: %v", err)
	}
	w, err := OpenResults(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	samples := resumeSamples()
	if len(w.Done()) != len(samples) {
		t.Fatalf("%d verdicts of %d samples", len(w.Done()), len(samples))
	}
	for i, v := range w.Done() {
		want := Passed
		if i%7 == 0 {
			want = Failed
		}
		if v.Index != i || v.Outcome != want || v.Stdout != fmt.Sprintf("%d\n", i) {
			t.Errorf("verdict %d: %+v, want %s", i, v, want)
		}
	}
}
