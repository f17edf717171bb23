package npm

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// reify makes node_modules what the tree says. It answers how many packages came and went.
func (a *app) reify(root *node) (added, removed int, err error) {
	omit := map[string]bool{}
	for kind := range strings.SplitSeq(a.setting("omit"), ",") {
		omit[kind] = true
	}
	if a.setting("production") == "true" || a.setting("only") == "prod" || a.call.Getenv("NODE_ENV") == "production" && a.setting("include") != "dev" {
		omit["dev"] = true
	}
	keep := map[string]bool{}
	var missing []*node
	root.walk(func(n *node) {
		switch {
		case n.dev && omit["dev"], n.optional && omit["optional"], n.peer && omit["peer"], n.devOptional && omit["dev"] && omit["optional"]:
			return
		case !n.m.fits():
			if !n.optional && err == nil && !a.on("force") {
				err = fail("EBADPLATFORM", "Unsupported platform for %s@%s: wanted {\"os\":%q,\"cpu\":%q} (current: {\"os\":%q,\"cpu\":%q})",
					n.m.Name, n.m.Version, strings.Join(n.m.OS, ","), strings.Join(n.m.CPU, ","), platformOS, platformCPU)
			}
			return
		}
		keep[n.location()] = true
		if n.inBundle {
			return
		}
		have, rerr := readManifest(a.call.Files, path.Join(a.project, n.location()))
		if rerr != nil || have.Version != n.m.Version || have.Name != n.m.Name {
			missing = append(missing, n)
		}
	})
	if err != nil {
		return 0, 0, err
	}
	if a.on("dry-run") || a.on("package-lock-only") {
		return len(missing), 0, nil
	}
	if removed, err = a.sweep(a.project, "", keep); err != nil {
		return 0, removed, err
	}
	if err := a.fetch(missing); err != nil {
		return 0, removed, err
	}
	if err := a.bins(root, keep); err != nil {
		return 0, removed, err
	}
	if len(keep) > 0 {
		b, err := writeLock(root, true)
		if err == nil {
			err = a.call.Files.WriteFile(path.Join(a.project, "node_modules/.package-lock.json"), b, 0o644)
		}
		if err != nil {
			return 0, removed, err
		}
	}
	return len(missing), removed, nil
}

// sweep removes the packages below node_modules that aren't to be there.
func (a *app) sweep(project, at string, keep map[string]bool) (removed int, err error) {
	dir := path.Join(project, at, "node_modules")
	list, err := a.call.Files.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var names []string
	for _, e := range list {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case strings.HasPrefix(e.Name(), "@"):
			scoped, err := a.call.Files.ReadDir(path.Join(dir, e.Name()))
			if err != nil {
				return removed, err
			}
			for _, s := range scoped {
				names = append(names, e.Name()+"/"+s.Name())
			}
		default:
			names = append(names, e.Name())
		}
	}
	for _, name := range names {
		location := path.Join(at, "node_modules", name)
		if keep[location] {
			n, err := a.sweep(project, location, keep)
			if removed += n; err != nil {
				return removed, err
			}
			continue
		}
		if err := a.call.Files.RemoveAll(path.Join(project, location)); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// fetchers is how many packages are fetched at a time. Each is in memory, up to maxTarball.
const fetchers = 4

// fetch gets packages and unpacks them, parents before what lies in them.
func (a *app) fetch(missing []*node) error {
	for len(missing) > 0 {
		n := together(missing)
		if err := a.fetchSome(missing[:n]); err != nil {
			return err
		}
		missing = missing[n:]
	}
	return nil
}

// together is how many of the first packages can be unpacked at one time: none of them lies in another one, whose folder
// is made anew.
func together(missing []*node) int {
	n, least := 0, missing[0].depth()
	for n < len(missing) && n < fetchers*4 && missing[n].depth() <= least {
		least = missing[n].depth()
		n++
	}
	return n
}

func (a *app) fetchSome(list []*node) error {
	errs := make([]error, len(list))
	turns := make(chan struct{}, fetchers)
	var wg sync.WaitGroup
	for i, n := range list {
		wg.Add(1)
		turns <- struct{}{}
		go func() { // ends with its package, which the context ends; waited for below
			defer func() { <-turns; wg.Done() }()
			errs[i] = a.unpack(n)
		}()
	}
	wg.Wait()
	for i, err := range errs {
		if err == nil {
			continue
		}
		if list[i].optional && a.ctx.Err() == nil {
			_ = a.call.Files.RemoveAll(path.Join(a.project, list[i].location()))
			continue
		}
		return err
	}
	return nil
}

// unpack gets one package and unpacks it.
func (a *app) unpack(n *node) error {
	address := n.resolved
	if address == "" {
		_, base := scopeOf(n.m.Name)
		address = fmt.Sprintf("%s%s/-/%s-%s.tgz", a.reg.url, n.m.Name, base, n.m.Version)
	} else if rest, ok := strings.CutPrefix(address, "https://registry.npmjs.org/"); ok {
		address = a.reg.url + rest // as npm's replace-registry-host
	}
	b, integrity, err := a.reg.tarball(a.ctx, address, n.integrity)
	if err != nil {
		return err
	}
	dir := path.Join(a.project, n.location())
	if err := a.call.Files.RemoveAll(dir); err != nil {
		return err
	}
	if err := extract(a.call, b, dir); err != nil {
		return fmt.Errorf("%s@%s: %w", n.m.Name, n.m.Version, err)
	}
	n.integrity = integrity
	a.learn(n, dir)
	return nil
}

// learn takes from a package's own package.json what registries leave out.
func (a *app) learn(n *node, dir string) {
	m, err := readManifest(a.call.Files, dir)
	if err != nil {
		return
	}
	if len(n.m.License) == 0 {
		n.m.License = m.License
	}
	if len(n.m.Funding) == 0 {
		n.m.Funding = m.Funding
	}
	if len(n.m.Bin) == 0 {
		n.m.Bin = m.Bin
	}
	n.m.Scripts = m.Scripts
	for _, s := range []string{"preinstall", "install", "postinstall"} {
		if m.Scripts[s] != "" {
			n.m.HasInstallScript = true
		}
	}
}

// bins links the packages' programs into .bin.
func (a *app) bins(root *node, keep map[string]bool) (err error) {
	files := a.call.Files
	if err := files.RemoveAll(path.Join(a.project, "node_modules/.bin")); err != nil {
		return err
	}
	root.walk(func(n *node) {
		if err != nil || !keep[n.location()] {
			return
		}
		dir := path.Join(a.project, n.parent.location(), "node_modules/.bin")
		for name, file := range n.m.bins() {
			inner := strings.TrimPrefix(path.Clean("/"+file), "/")
			target := path.Join(a.project, n.location(), inner)
			if info, serr := files.Lstat(target); serr != nil || !info.Mode().IsRegular() {
				continue
			}
			if err = files.MkdirAll(dir, 0o755); err != nil {
				return
			}
			link := path.Join(dir, name)
			_ = files.Remove(link)
			relative, rerr := filepath.Rel(dir, target)
			if rerr != nil {
				continue
			}
			if err = files.Symlink(filepath.ToSlash(relative), link); err != nil {
				return
			}
			if err = files.Chmod(target, 0o755); err != nil {
				return
			}
		}
	})
	return err
}
