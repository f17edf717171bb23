// Command mcp-client drives `belljar mcp start` over standard input and output, as a coding agent does, through a whole
// task: it finds a fault in a small program, mends it in a fork of the sandbox, and keeps the fork's work.
//
//	go build -o belljar ./cmd/belljar && go run ./examples/mcp-client ./belljar
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: mcp-client BELLJAR [ARG…]")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, os.Args[1], append([]string{"mcp", "start"}, os.Args[2:]...)...); err != nil {
		fmt.Fprintln(os.Stderr, "mcp-client:", err)
		os.Exit(1)
	}
}

// step is one call of a tool.
type step struct {
	say  string
	tool string
	args map[string]any
}

var task = []step{
	{"write a program and its test", "run_code", map[string]any{
		"code": "0",
		"files": map[string]string{
			"shop/total.py": "def total(prices):\n    return sum(prices[1:])\n",
			"shop/check.py": "from total import total\nassert total([2, 3]) == 5, total([2, 3])\nprint('all right')\n",
		},
	}},
	{"keep it in a repository", "git", map[string]any{"action": "init", "repo": "shop"}},
	{"add it", "git", map[string]any{"action": "add", "repo": "shop", "paths": []string{"total.py", "check.py"}}},
	{"commit it", "git", map[string]any{"action": "commit", "repo": "shop", "message": "shop: add total"}},
	{"run the test", "run_command", map[string]any{"command": "python3 check.py 2>&1 | tail -n 1", "cwd": "shop"}},
	{"fork the sandbox to try something", "sandbox", map[string]any{"action": "fork", "name": "attempt"}},
	{"mend the fault there", "edit_file", map[string]any{
		"sandbox": "attempt", "path": "shop/total.py", "edits": []map[string]string{{"old": "prices[1:]", "new": "prices"}},
	}},
	{"run the test there", "run_command", map[string]any{"sandbox": "attempt", "command": "python3 check.py", "cwd": "shop"}},
	{"commit it there", "git", map[string]any{"sandbox": "attempt", "action": "commit", "repo": "shop", "message": "total: count the first price", "all": true}},
	{"look at the first sandbox, which is as it was", "run_command", map[string]any{"command": "cat total.py", "cwd": "shop"}},
	{"keep the fork's work", "sandbox", map[string]any{"action": "snapshot", "from": "attempt", "name": "mended"}},
	{"go on from it", "sandbox", map[string]any{"action": "restore", "from": "mended"}},
	{"see what there is now", "git", map[string]any{"action": "log", "repo": "shop"}},
}

// run does the task and writes what each call answered.
func run(ctx context.Context, out io.Writer, command string, args ...string) (err error) {
	c, err := client.NewStdioMCPClient(command, nil, args...)
	if err != nil {
		return fmt.Errorf("start %s: %w", command, err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	hello := mcp.InitializeRequest{}
	hello.Params.ProtocolVersion = "2025-11-25"
	hello.Params.ClientInfo = mcp.Implementation{Name: "mcp-client", Version: "1"}
	if _, err := c.Initialize(ctx, hello); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, s := range task {
		text, err := call(ctx, c, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.say, err)
		}
		if _, err := fmt.Fprintf(out, "* %s\n%s\n", s.say, text); err != nil {
			return err
		}
	}
	return nil
}

// call calls a tool, and answers what a model would read.
func call(ctx context.Context, c *client.Client, s step) (string, error) {
	req := mcp.CallToolRequest{}
	req.Params.Name, req.Params.Arguments = s.tool, s.args
	res, err := c.CallTool(ctx, req)
	if err != nil {
		return "", err
	}
	if len(res.Content) == 0 {
		return "", errors.New("the answer is empty")
	}
	text, ok := res.Content[0].(mcp.TextContent)
	switch {
	case !ok:
		return "", errors.New("the answer has no text")
	case res.IsError:
		return "", errors.New(text.Text)
	}
	return text.Text, nil
}
