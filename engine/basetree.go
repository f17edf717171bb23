package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/belljar-dev/belljar/vfs"
)

// The sandbox's user, in /etc/passwd. The base tree is root's but for what is the user's at home.
const (
	userID   = 1000
	userName = "user"
	homeDir  = "/home/user"
)

// defaultEnv is what every process has before its image's and its sandbox's own environment.
var defaultEnv = [...]string{
	"HOME=" + homeDir,
	"LANG=C.UTF-8",
	"LOGNAME=" + userName,
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"USER=" + userName,
}

var baseFiles = [...]struct{ path, content string }{
	{"/etc/group", "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n"},
	{"/etc/hostname", "belljar\n"},
	{"/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tbelljar\n"},
	{"/etc/os-release", "PRETTY_NAME=\"Belljar\"\nNAME=\"Belljar\"\nID=belljar\n"},
	{"/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nuser:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
}

// baseTime stamps everything that comes with an image.
var baseTime = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// tree answers the image's base tree, made at its first use. It is only ever cloned.
func (im *image) tree() (*vfs.Tree, error) {
	im.once.Do(func() {
		im.base, im.err = im.buildTree()
		if im.err != nil {
			im.err = fmt.Errorf("build tree of image %q: %w", im.Name, im.err)
		}
	})
	return im.base, im.err
}

func (im *image) buildTree() (*vfs.Tree, error) {
	t := vfs.New(vfs.Config{Now: func() time.Time { return baseTime }})
	for _, d := range []string{"/bin", "/dev", "/etc", "/etc/ssl/certs", "/usr/bin", "/usr/lib", "/usr/local/bin", "/var/tmp", homeDir} {
		if err := t.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err := t.Chown(homeDir, userID, userID); err != nil {
		return nil, err
	}
	for _, d := range []string{"/tmp", "/var/tmp"} {
		if err := t.MkdirAll(d, 0o777); err != nil {
			return nil, err
		}
		if err := t.Chmod(d, 0o777|fs.ModeSticky); err != nil {
			return nil, err
		}
	}
	if err := addDevices(t); err != nil {
		return nil, err
	}
	if err := t.MountFS("/proc", procFS{}); err != nil {
		return nil, err
	}
	for _, f := range baseFiles {
		if err := t.WriteFile(f.path, []byte(f.content), 0o644); err != nil {
			return nil, err
		}
	}
	if err := t.WriteFile(rootsFile, roots(), 0o644); err != nil {
		return nil, err
	}
	if err := t.Symlink("certs/ca-certificates.crt", rootsLink); err != nil {
		return nil, err
	}
	for i := range im.Programs {
		if err := addProgram(t, &im.Programs[i]); err != nil {
			return nil, err
		}
	}
	for _, l := range im.Layers {
		if err := t.MkdirAll(l.Path, 0o755); err != nil {
			return nil, err
		}
		if err := t.MountFS(l.Path, l.FS); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// A file that stands for a program of the image is a WebAssembly module that has nothing but the digest of the
// program's, in a custom section. So a program can be copied, linked and moved like any file, costs no memory in the
// tree, and looks like what it is: nobody takes it for a script.
const programSection = "belljar.program sha256:"

// programReference answers the content of such a file.
// See https://webassembly.github.io/spec/core/binary/modules.html#custom-section
func programReference(digest string) []byte {
	section := append([]byte{byte(len(programSection))}, programSection+digest...)
	return append(append([]byte(wasmMagic+"\x01\x00\x00\x00\x00"), byte(len(section))), section...)
}

func addProgram(t *vfs.Tree, p *Program) error {
	if err := t.MkdirAll(path.Dir(p.Path), 0o755); err != nil {
		return err
	}
	content := programReference(p.Digest)
	if p.Script != nil {
		var err error
		if content, err = p.Script(); err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
	}
	if err := t.WriteFile(p.Path, content, 0o755); err != nil {
		return err
	}
	for _, l := range p.Links {
		if err := t.MkdirAll(path.Dir(l), 0o755); err != nil {
			return err
		}
		if err := t.Symlink(p.Path, l); err != nil {
			return err
		}
	}
	return nil
}

// programDigest answers the digest in a program's file, or "" for any other content.
func programDigest(content []byte) string {
	_, digest, ok := bytes.Cut(content, []byte(programSection))
	if !ok || !bytes.Equal(content, programReference(string(digest))) {
		return ""
	}
	return string(digest)
}

func (im *image) close() {
	for _, d := range sortedKeys(im.programs) {
		im.programs[d].close()
	}
	im.once.Do(func() { im.err = ErrClosed })
	if im.base != nil {
		_ = im.base.Close()
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
