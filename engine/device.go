package engine

import (
	"crypto/rand"
	"errors"
	"io"

	"github.com/belljar-dev/belljar/vfs"
)

// The character devices of every tree. See https://man7.org/linux/man-pages/man4/null.4.html and random.4.html.
type (
	nullDevice   struct{}
	zeroDevice   struct{}
	fullDevice   struct{ zeroDevice }
	randomDevice struct{ io.Reader }
)

func (nullDevice) Read([]byte) (int, error)    { return 0, io.EOF }
func (nullDevice) Write(b []byte) (int, error) { return len(b), nil }

func (zeroDevice) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
func (zeroDevice) Write(b []byte) (int, error) { return len(b), nil }

func (fullDevice) Write([]byte) (int, error) { return 0, vfs.ErrQuota }

// Write stirs the pool, as the kernel's does, which changes nothing.
func (randomDevice) Write(b []byte) (int, error) { return len(b), nil }

// addDevices lays the devices into a base tree, with the host's randomness.
func addDevices(t *vfs.Tree) error {
	return errors.Join(t.AddDevice("/dev/null", 0o666, nullDevice{}), t.AddDevice("/dev/zero", 0o666, zeroDevice{}),
		t.AddDevice("/dev/full", 0o666, fullDevice{}), addRandomDevices(t, rand.Reader))
}

// addRandomDevices gives a tree other randomness.
func addRandomDevices(t *vfs.Tree, random io.Reader) error {
	return errors.Join(t.AddDevice("/dev/random", 0o666, randomDevice{random}), t.AddDevice("/dev/urandom", 0o666, randomDevice{random}))
}
