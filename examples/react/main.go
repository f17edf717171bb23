// Command react builds a React app in a sandbox, as an agent would that has written one: npm installs what the lock file
// says, esbuild bundles twenty components in TypeScript, node renders the page and serves it on the sandbox's loopback.
// The host then reads the page as a browser would.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/examples/react/app"
	"github.com/belljar-dev/belljar/runtimes/js"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// registry is all of the outside world that the sandbox gets to see.
const registry = "registry.npmjs.org:443"

const home = "/home/user/app"

func main() {
	if err := run(context.Background(), os.Stdout, registry); err != nil {
		log.Fatal(err)
	}
}

// run does all of it in a sandbox that may connect to what dial lists.
func run(ctx context.Context, out io.Writer, dial ...string) error {
	image := engine.Compose("web", js.Image(), shell.Image()) // npm's scripts are sh's
	eng, err := engine.New(engine.Config{Images: []engine.Image{image}})
	if err != nil {
		return err
	}
	defer eng.Close()
	sb, err := eng.Create(ctx, engine.Spec{Network: engine.Network{Dial: dial}})
	if err != nil {
		return err
	}
	defer sb.Close()
	// What is embedded can't be written to; the copy that the sandbox sees can, and npm makes folders in it.
	if err := sb.Files().MountOverlay(home, app.Files); err != nil {
		return err
	}
	if err := sb.Files().Chmod(home, 0o755); err != nil {
		return err
	}
	for _, command := range []string{"npm ci", "npm run --silent build", "npm run --silent render"} {
		res, err := sb.Run(ctx, engine.Command{Args: strings.Fields(command), Dir: home})
		if err == nil && res.ExitCode != 0 {
			err = fmt.Errorf("status %d: %s", res.ExitCode, strings.TrimSpace(res.Stdout+res.Stderr))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		fmt.Fprintf(out, "%s: %.1f s\n", command, res.Usage.Wall.Seconds())
	}
	return serve(ctx, sb, out)
}

// serve starts the app's server in the sandbox and fetches from it what a browser would.
func serve(ctx context.Context, sb *engine.Sandbox, out io.Writer) error {
	heard, said := io.Pipe()
	server, err := sb.Start(ctx, engine.Command{Args: strings.Fields("npm start --silent"), Dir: home, Stdout: said})
	if err != nil {
		return err
	}
	defer server.Kill()
	go func() { // ends with the server, which is killed at the latest
		_, err := server.Wait()
		_ = said.CloseWithError(fmt.Errorf("the server ended: %w", err))
	}()
	if _, err := bufio.NewReader(heard).ReadString('\n'); err != nil { // "listening"
		return err
	}
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return sb.Dial(ctx, 3000) },
	}}
	defer client.CloseIdleConnections()
	for _, name := range []string{"/", "/app.js", "/app.css", "/none.js"} {
		if err := fetch(ctx, &client, name, out); err != nil {
			return err
		}
	}
	return nil
}

func fetch(ctx context.Context, client *http.Client, name string, out io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sandbox"+name, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "GET %s: %s, %s, %d bytes\n", name, res.Status, res.Header.Get("Content-Type"), len(body))
	if name == "/" {
		fmt.Fprintf(out, "%s", body)
	}
	return nil
}
