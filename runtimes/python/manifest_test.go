package python_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/belljar-dev/belljar/runtimes/python"
)

// The image's files are those that its manifest describes, and every source has its digest and licence.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("image/MANIFEST.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Version string
		Outputs []struct {
			File   string
			Size   int
			SHA256 string
		}
		Sources []map[string]any
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Outputs) < 3 || len(m.Sources) < 5 {
		t.Fatalf("%d outputs, %d sources", len(m.Outputs), len(m.Sources))
	}
	for _, o := range m.Outputs {
		content, err := os.ReadFile(filepath.Join("image", o.File))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != o.SHA256 || len(content) != o.Size {
			t.Errorf("%s is not what the manifest says", o.File)
		}
	}
	for _, s := range m.Sources {
		for _, key := range []string{"package", "version", "sha256", "licence"} {
			if v, ok := s[key].(string); !ok || v == "" {
				t.Errorf("source %v has no %s", s, key)
			}
		}
	}
}

// What names the module's compiled form is the module's own digest.
func TestDigest(t *testing.T) {
	content, err := os.ReadFile("image/python.wasm.zst")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if got, want := python.Image().Programs[0].Digest, hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
