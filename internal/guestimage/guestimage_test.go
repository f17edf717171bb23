package guestimage

import (
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestUnpack(t *testing.T) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := w.EncodeAll([]byte("content"), nil)
	if got, err := Unpack("it", packed); string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range [][]byte{packed[:len(packed)-1], []byte("no zstd at all")} {
		if _, err := Unpack("it", bad); err == nil || !strings.HasPrefix(err.Error(), "unpack it: ") {
			t.Errorf("of %q: %v", bad, err)
		}
	}
}

func TestDigest(t *testing.T) {
	manifest := []byte(`{"outputs": [{"file": "a", "sha256": "1"}, {"file": "b", "sha256": "2"}]}`)
	if got := Digest(manifest, "b"); got != "2" {
		t.Errorf("got %q", got)
	}
	if got := Digest(manifest, "c") + Digest([]byte("no manifest"), "a"); got != "" {
		t.Errorf("of what is not there: %q", got)
	}
}
