package esbuild

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// maxInside bounds what the command may answer a service, in bytes.
const maxInside = 64 << 20

// inside has the command transform a source, as a child of the process that asks: there it is bounded as every program is.
func (r Request) inside(ctx context.Context, c *engine.Call, source, tsconfig string) (a Answer, code []byte, err error) {
	args := []string{"/usr/bin/esbuild", "--loader=" + r.loaderName(), "--sourcefile=" + r.File, "--platform=node",
		"--log-level=error", "--log-limit=1", "--color=false"}
	if r.Format != "" {
		args = append(args, "--format="+r.Format)
	}
	if r.Target != "" {
		args = append(args, "--target="+r.Target)
	}
	if r.Minify {
		args = append(args, "--minify", "--keep-names")
	}
	if tsconfig != "" {
		args = append(args, "--tsconfig-raw="+tsconfig)
	}
	var stdout, stderr bytes.Buffer
	status, err := c.Run(ctx, engine.Command{
		Args: args, Dir: "/", Stdin: strings.NewReader(source), Stdout: &bounded{&stdout, maxInside}, Stderr: &bounded{&stderr, 64 << 10},
	})
	switch {
	case err != nil:
		return a, nil, fmt.Errorf("transform %s: %w", path.Base(r.File), err)
	case status == 0:
		return a, stdout.Bytes(), nil
	}
	return Answer{Errors: []Message{firstMessage(stderr.String())}}, nil, nil
}

// bounded takes so many bytes more.
type bounded struct {
	to   *bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, io.ErrShortWrite
	}
	b.left -= len(p)
	return b.to.Write(p)
}

// reported is a message as the command prints it: the text, and after an empty line where it is and the line of the source.
var reported = regexp.MustCompile(`\[ERROR\] (.*)\n(?:\n {4}\S.*?:(\d+):(\d+):\n *\d+ │ ?(.*))?`)

// firstMessage reads the first error of the command's.
func firstMessage(text string) Message {
	m := reported.FindStringSubmatch(text)
	if m == nil {
		return Message{Text: "esbuild: " + strings.TrimSpace(text)}
	}
	line, _ := strconv.Atoi(m[2])
	column, _ := strconv.Atoi(m[3])
	return Message{Text: m[1], Line: line, Column: column, Source: m[4]}
}
