// Package guestimage reads what the packages of guests embed: files in zstd, as their recipes leave them, and the
// manifests that describe those.
package guestimage

import (
	"encoding/json"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Unpack answers a file's content. what names it in errors.
func Unpack(what string, compressed []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", what, err)
	}
	defer d.Close()
	out, err := d.DecodeAll(compressed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", what, err)
	}
	return out, nil
}

// Digest answers the SHA-256, in hex, that a manifest tells of an output as it is embedded, or "" if it tells of none:
// then the engine counts the digest itself. Looking it up saves reading megabytes at each start of a host.
func Digest(manifest []byte, file string) string {
	var m struct {
		Outputs []struct{ File, SHA256 string }
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return ""
	}
	for _, o := range m.Outputs {
		if o.File == file {
			return o.SHA256
		}
	}
	return ""
}
