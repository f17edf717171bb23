package git

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
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
		Sources []map[string]string
		Patches struct{ Own map[string]string }
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.Version != Version || len(m.Outputs) != 2 || len(m.Sources) == 0 {
		t.Fatalf("version %s, %d outputs, %d sources", m.Version, len(m.Outputs), len(m.Sources))
	}
	same := func(file, sum string) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s is not what the manifest describes", file)
		}
	}
	for _, o := range m.Outputs {
		same(filepath.Join("image", o.File), o.SHA256)
	}
	for name, sum := range m.Patches.Own {
		same(filepath.Join("build/patches", name), sum)
	}
	for _, s := range m.Sources {
		for _, field := range []string{"package", "version", "file", "sha256", "licence", "upstream"} {
			if s[field] == "" {
				t.Errorf("source %s has no %s", s["package"], field)
			}
		}
	}
}

// What names the module's compiled form is the module's own digest.
func TestDigest(t *testing.T) {
	content, err := os.ReadFile("image/git.wasm.zst")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if got, want := Image().Programs[0].Digest, hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
