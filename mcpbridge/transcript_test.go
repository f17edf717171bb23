package mcpbridge

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is answered into testdata/transcripts")

// Whole conversations, as they go over the line: each line with > is sent, and each line with < is what has to come then,
// byte for byte. Under Replay the same words get the same answers.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := converse(t, string(raw))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := strings.Split(string(raw), "\n")
			for i, line := range strings.Split(got, "\n") {
				if i >= len(want) || line != want[i] {
					t.Fatalf("line %d:\n%s\nwant\n%s", i+1, line, strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
				}
			}
		})
	}
}

// converse sends the lines with >, and answers the transcript of what came. A notification has no answer; a request's is
// read before the next line is sent, with the notifications before it.
func converse(t *testing.T, script string) string {
	t.Helper()
	c := connectRaw(t, newBridge(t, Config{Version: "test"}))
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(script, "\n"), "\n") {
		said, isSaid := strings.CutPrefix(line, "> ")
		if strings.HasPrefix(line, "< ") {
			continue
		}
		out.WriteString(line + "\n")
		if !isSaid {
			continue // a comment
		}
		c.send(said)
		for strings.Contains(said, `"id"`) || !strings.Contains(said, `"method"`) {
			answer, err := c.out.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			out.WriteString("< " + answer)
			if strings.Contains(answer, `"id":`) {
				break
			}
		}
	}
	return out.String()
}
