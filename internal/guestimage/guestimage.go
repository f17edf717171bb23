// Package guestimage unpacks what the packages of guests embed: files in zstd, as their recipes leave them.
package guestimage

import (
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
