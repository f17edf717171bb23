package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// maxPacked bounds what npm pack reads, in bytes.
const maxPacked = 256 << 20

// pack is npm pack: an archive of the project, the same bytes for the same files.
func (a *app) pack() error {
	m, err := requireManifest(a.call.Files, a.project)
	if err != nil {
		return err
	}
	if m.Name == "" || m.Version == "" {
		return fail("", "Invalid package, must have name and version")
	}
	names, err := a.packed(m)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	total := int64(0)
	for _, name := range names {
		full := path.Join(a.project, name)
		info, err := a.call.Files.Stat(full)
		if err != nil {
			return err
		}
		if total += info.Size(); total > maxPacked {
			return fail("EFBIG", "the package is larger than %d bytes", maxPacked)
		}
		b, err := a.call.Files.ReadFile(full)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		h := &tar.Header{Name: "package/" + name, Mode: mode, Size: int64(len(b)), ModTime: time.Date(1985, 10, 26, 8, 15, 0, 0, time.UTC), Format: tar.FormatUSTAR}
		if len(h.Name) > 99 {
			h.Format = tar.FormatPAX
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(b); err != nil {
			return err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return err
	}
	file := strings.TrimPrefix(strings.ReplaceAll(m.Name, "/", "-"), "@") + "-" + m.Version + ".tgz"
	integrity, err := verify(out.Bytes(), "", file)
	if err != nil {
		return err
	}
	if !a.on("dry-run") {
		if err := a.call.Files.WriteFile(path.Join(a.call.Dir, a.setting("pack-destination"), file), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	sum := sha1.Sum(out.Bytes())
	a.notice(m, names, file, integrity, hex.EncodeToString(sum[:]), out.Len(), total)
	fmt.Fprintln(a.out, file)
	return nil
}

func (a *app) notice(m *manifest, names []string, file, integrity, shasum string, size int, unpacked int64) {
	if l := a.setting("loglevel"); l == "silent" || l == "error" || l == "warn" {
		return
	}
	w := a.call.Stderr
	fmt.Fprintf(w, "npm notice\nnpm notice 📦  %s\nnpm notice Tarball Contents\n", label(m))
	for _, name := range names {
		fmt.Fprintf(w, "npm notice %s\n", name)
	}
	fmt.Fprintf(w, "npm notice Tarball Details\nnpm notice name: %s\nnpm notice version: %s\nnpm notice filename: %s\nnpm notice package size: %d B\nnpm notice unpacked size: %d B\nnpm notice shasum: %s\nnpm notice integrity: %s\nnpm notice total files: %d\nnpm notice\n",
		m.Name, m.Version, file, size, unpacked, shasum, integrity, len(names))
}

// packed lists what belongs into the package.
func (a *app) packed(m *manifest) ([]string, error) {
	var out []string
	always := func(name string) bool {
		lower := strings.ToLower(name)
		return name == "package.json" || strings.HasPrefix(lower, "readme") || strings.HasPrefix(lower, "license") || strings.HasPrefix(lower, "licence")
	}
	never := func(base string) bool {
		return base == "node_modules" || base == ".git" || base == "package-lock.json" || base == ".npmrc" || base == ".DS_Store" ||
			strings.HasSuffix(base, ".orig") || strings.HasPrefix(base, "._") || base == ".npmignore" || base == ".gitignore" || base == "npm-debug.log"
	}
	ignored := a.ignores()
	mains := map[string]bool{}
	var main string
	_ = json.Unmarshal(m.Main, &main)
	mains[path.Clean(main)] = main != ""
	for _, file := range m.bins() {
		mains[path.Clean(file)] = true
	}
	var visit func(dir string) error
	visit = func(dir string) error {
		list, err := a.call.Files.ReadDir(path.Join(a.project, dir))
		if err != nil {
			return err
		}
		for _, e := range list {
			name := path.Join(dir, e.Name())
			switch {
			case never(e.Name()), e.Type()&fs.ModeSymlink != 0, len(out) > maxEntries, dir == "" && strings.HasSuffix(name, ".tgz"):
			case e.IsDir():
				if err := visit(name); err != nil {
					return err
				}
			case dir == "" && always(name), mains[name], len(m.Files) > 0 && listed(m.Files, name), len(m.Files) == 0 && !listed(ignored, name):
				out = append(out, name)
			}
		}
		return nil
	}
	err := visit("")
	slices.SortFunc(out, collate)
	return out, err
}

// ignores answers what .npmignore, or else .gitignore, leaves out.
func (a *app) ignores() []string {
	for _, name := range []string{".npmignore", ".gitignore"} {
		b, err := a.call.Files.ReadFile(path.Join(a.project, name))
		if err != nil {
			continue
		}
		var out []string
		for line := range strings.SplitSeq(string(b), "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out = append(out, line)
			}
		}
		return out
	}
	return nil
}

// listed says whether a pattern matches a file or a folder above it.
func listed(patterns []string, name string) bool {
	in := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		p = strings.Trim(strings.TrimPrefix(p, "./"), "/")
		p = strings.TrimSuffix(strings.TrimSuffix(p, "/**"), "/*")
		match := p == "" || p == "*" || p == "**"
		for at := name; at != "." && !match; at = path.Dir(at) {
			whole, _ := path.Match(p, at)
			base, _ := path.Match(p, path.Base(at))
			match = whole || base && !strings.Contains(p, "/")
			if rest, ok := strings.CutPrefix(p, "**/"); ok && !match {
				match, _ = path.Match(rest, path.Base(at))
			}
		}
		if match {
			in = !not
		}
	}
	return in
}
