package engine

import (
	"crypto/rand"
	"errors"
	"io"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
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

// ttyDevice stands for the controlling terminal, which package wasi opens in its place where a process has one.
type ttyDevice struct{}

func (ttyDevice) Read([]byte) (int, error)  { return 0, wasi.ENXIO }
func (ttyDevice) Write([]byte) (int, error) { return 0, wasi.ENXIO }

// deviceLinks are what a process has open, by names. Package wasi knows whose; see its selfPath.
var deviceLinks = [...][2]string{
	{"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"}, {"fd/2", "/dev/stderr"},
}

// addDevices lays the devices into a base tree, with the host's randomness.
func addDevices(t *vfs.Tree) error {
	for _, l := range deviceLinks {
		if err := t.Symlink(l[0], l[1]); err != nil {
			return err
		}
	}
	return errors.Join(t.AddDevice("/dev/tty", 0o666, ttyDevice{}), t.AddDevice("/dev/null", 0o666, nullDevice{}), t.AddDevice("/dev/zero", 0o666, zeroDevice{}),
		t.AddDevice("/dev/full", 0o666, fullDevice{}), addRandomDevices(t, rand.Reader))
}

// addRandomDevices gives a tree other randomness.
func addRandomDevices(t *vfs.Tree, random io.Reader) error {
	return errors.Join(t.AddDevice("/dev/random", 0o666, randomDevice{random}), t.AddDevice("/dev/urandom", 0o666, randomDevice{random}))
}
