package clients

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Edit changes a file by f: it reads it (one that is missing is empty), makes its folder, keeps what was there as
// NAME.bak, and puts the new content in its place in one step. It reports whether anything changed. A symbolic link
// is followed, and stays.
func Edit(name string, f func(old []byte) ([]byte, error)) (changed bool, err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	there := err == nil
	content, err := f(old)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if bytes.Equal(content, old) {
		return false, nil
	}
	mode := fs.FileMode(0o600) // such files hold tokens
	if there {
		if info, err := os.Stat(name); err == nil {
			mode = info.Mode().Perm()
		}
		if err := replace(name+".bak", old, mode); err != nil {
			return false, fmt.Errorf("keep a copy of %s: %w", name, err)
		}
	} else if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, fmt.Errorf("make the folder of %s: %w", name, err)
	}
	if err := replace(name, content, mode); err != nil {
		return false, fmt.Errorf("write %s: %w", name, err)
	}
	return true, nil
}

// replace writes a file so that at any moment either the old or the new one is there, whole.
func replace(name string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".belljar-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
