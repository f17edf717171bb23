package benchmarks

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/examples/react/app"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/js/npm"
	"github.com/evanw/esbuild/pkg/api"
)

// A project of 60 packages without code of machines, as npm's lock file has them.
//
//go:embed data/npm
var npmProject embed.FS

const (
	projectFolder = "/home/user/app"
	nodeModules   = "node_modules/"
	largestTar    = 16 << 20 // bytes of a package
)

// npmBench measures npm and esbuild of the image, by turns with the machine's npm and with esbuild as a library.
type npmBench struct {
	*suite
	engine *engine.Engine
	dir    string // holds cache, the packages that sandboxes find on the host, and folders for what is native
}

// npm measures what a project in JavaScript waits for: its packages and its bundle. Without the registry there is nothing
// to fill the host's cache from, and nothing is measured.
func (s *suite) npm(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "belljar-bench-npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cache := filepath.Join(dir, "cache")
	if err := os.Mkdir(cache, 0o755); err != nil {
		return err
	}
	sixty, err := fs.Sub(npmProject, "data/npm")
	if err != nil {
		return err
	}
	for _, project := range []fs.FS{sixty, app.Files} {
		if err := fillCache(ctx, cache, project); err != nil {
			fmt.Fprintln(s.Log, "  left out:", err)
			return ctx.Err()
		}
	}
	image := js.Config{NPM: npm.Config{Cache: cache}}.Image()
	eng, err := engine.New(engine.Config{Images: []engine.Image{image}, CacheDir: s.CacheDir})
	if err != nil {
		return err
	}
	defer eng.Close()
	b := &npmBench{suite: s, engine: eng, dir: dir}
	return errors.Join(b.install(ctx, sixty), b.bundle(ctx))
}

// fillCache fetches what a project's lock file lists, as a host would that keeps packages for its sandboxes.
func fillCache(ctx context.Context, dir string, project fs.FS) error {
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	b, err := fs.ReadFile(project, "package-lock.json")
	if err == nil {
		err = json.Unmarshal(b, &lock)
	}
	if err != nil {
		return err
	}
	rest, stop := context.WithCancel(ctx) // Without a network, the first failure is all there is to wait for.
	defer stop()
	client := http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	errs := make(chan error, len(lock.Packages))
	turns := make(chan struct{}, 8)
	for location, p := range lock.Packages {
		at := strings.LastIndex(location, nodeModules)
		if at < 0 {
			continue // the project itself
		}
		name := location[at+len(nodeModules):]
		address := fmt.Sprintf("https://registry.npmjs.org/%s/-/%s-%s.tgz", name, path.Base(name), p.Version)
		wg.Go(func() { // ends with its package, which the client's timeout and ctx end
			turns <- struct{}{}
			defer func() { <-turns }()
			if err := fetchPackage(rest, &client, dir, address); err != nil {
				errs <- err
				stop()
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func fetchPackage(ctx context.Context, client *http.Client, dir, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, res.Status)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, largestTar))
	if err != nil {
		return err
	}
	return npm.FillCache(dir, b)
}

// sandbox is one with a project in it, and no network.
func (b *npmBench) sandbox(ctx context.Context, project fs.FS) (*engine.Sandbox, error) {
	sb, err := b.engine.Create(ctx, engine.Spec{})
	if err != nil {
		return nil, err
	}
	err = sb.Files().MountOverlay(projectFolder, project)
	if err == nil {
		err = sb.Files().Chmod(projectFolder, 0o755) // what is embedded can't be written to
	}
	if err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	return sb, nil
}

// in runs a command in the project's folder and answers how long that took.
func (b *npmBench) in(ctx context.Context, sb *engine.Sandbox, command string) (time.Duration, string, error) {
	start := time.Now()
	res, err := sb.Run(ctx, engine.Command{Args: strings.Fields(command), Dir: projectFolder})
	took := time.Since(start)
	if err == nil && res.ExitCode != 0 {
		err = fmt.Errorf("%s: status %d: %s%s", command, res.ExitCode, res.Stdout, res.Stderr)
	}
	return took, res.Stdout, err
}

// install measures npm ci.
func (b *npmBench) install(ctx context.Context, project fs.FS) error {
	native, err := b.nativeProject(ctx, project)
	if err != nil {
		return err
	}
	var ours, theirs []float64
	for range b.rounds(8) {
		took, err := b.installOnce(ctx, project)
		if err != nil {
			return err
		}
		ours = append(ours, took.Seconds())
		if native == "" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(native, "node_modules")); err != nil {
			return err
		}
		start := time.Now()
		if err := b.nativeInstall(ctx, native, "--offline"); err != nil {
			return err
		}
		theirs = append(theirs, time.Since(start).Seconds())
	}
	note := "npm ci of 60 packages in a fresh sandbox, packages from the host's cache"
	if native != "" {
		note += fmt.Sprintf("; the median of the machine's npm beside it, from its own cache, is %.2f s", medianOf(theirs))
	}
	b.add("npm_ci_60_s", "s", ours, "%s", note)
	return nil
}

func (b *npmBench) installOnce(ctx context.Context, project fs.FS) (time.Duration, error) {
	sb, err := b.sandbox(ctx, project)
	if err != nil {
		return 0, err
	}
	defer sb.Close()
	took, out, err := b.in(ctx, sb, "npm ci")
	if err == nil && !strings.Contains(out, "added 60 packages") {
		err = fmt.Errorf("npm ci says %q", out)
	}
	return took, err
}

// nativeProject makes the project for the machine's npm, whose cache it fills; "" without an npm, and in a quick run.
func (b *npmBench) nativeProject(ctx context.Context, project fs.FS) (string, error) {
	if _, err := exec.LookPath("npm"); err != nil || b.Quick {
		return "", nil
	}
	dir := filepath.Join(b.dir, "sixty")
	if err := os.CopyFS(dir, project); err != nil {
		return "", err
	}
	if err := b.nativeInstall(ctx, dir); err != nil {
		fmt.Fprintln(b.Log, "  no npm beside it:", err)
		return "", ctx.Err()
	}
	return dir, nil
}

func (b *npmBench) nativeInstall(ctx context.Context, dir string, more ...string) error {
	args := append([]string{"ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", filepath.Join(b.dir, "native-cache")}, more...)
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("native npm ci: %w: %s", err, out)
	}
	return nil
}

// bundle measures esbuild on the app of examples/react.
func (b *npmBench) bundle(ctx context.Context) error {
	sb, err := b.sandbox(ctx, app.Files)
	if err != nil {
		return err
	}
	defer sb.Close()
	if _, _, err := b.in(ctx, sb, "npm ci"); err != nil {
		return err
	}
	native := filepath.Join(b.dir, "react")
	files, err := fs.Sub(sb.Files().FS(), projectFolder[1:])
	if err == nil {
		err = os.CopyFS(native, files)
	}
	if err != nil {
		return err
	}
	const command = "esbuild src/main.tsx --bundle --minify --sourcemap --outfile=dist/app.js --log-level=warning"
	if _, _, err := b.in(ctx, sb, command); err != nil { // compiled, if it wasn't
		return err
	}
	var ours, theirs []float64
	for range b.rounds(10) {
		took, _, err := b.in(ctx, sb, command)
		if err != nil {
			return err
		}
		ours = append(ours, milliseconds(took))
		start := time.Now()
		if err := nativeBundle(native); err != nil {
			return err
		}
		theirs = append(theirs, milliseconds(time.Since(start)))
	}
	b.add("react_bundle_ms", "ms", ours, "%s of examples/react (react, react-dom, 20 components); the median of esbuild as a library, all its threads, beside it is %.0f ms", command, medianOf(theirs))
	return nil
}

func nativeBundle(dir string) error {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"src/main.tsx"}, AbsWorkingDir: dir, Outfile: "dist/app.js", Bundle: true, Write: true, Sourcemap: api.SourceMapLinked,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("native esbuild: %s", result.Errors[0].Text)
	}
	return nil
}
