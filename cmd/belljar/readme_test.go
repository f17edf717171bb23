package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestReadme holds the terminal that the README shows against the one that a script has recorded.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("testdata/terminal.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range script.Files {
		if f.Name != "today.txt" {
			continue
		}
		shown := "    " + strings.ReplaceAll(strings.TrimSuffix(string(f.Data), "\n"), "\n", "\n    ") + "\n"
		if !strings.Contains(string(readme), shown) {
			t.Errorf("the README does not show\n%s", shown)
		}
		return
	}
	t.Error("the script has no today.txt")
}
