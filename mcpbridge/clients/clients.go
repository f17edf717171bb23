// Package clients knows where programs that speak MCP keep their lists of servers, and enters a server there.
//
// Nothing here asks the environment: a [System] says where its user's folders are.
package clients

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Scope says for whom a server is entered.
type Scope string

// The scopes.
const (
	User    Scope = "user"    // all of the user's projects
	Project Scope = "project" // one project: a file in its folder
)

// System is where the files of a user's programs are.
type System struct {
	OS           string // as runtime.GOOS
	Home         string // the user's home folder
	ConfigHome   string // Linux: $XDG_CONFIG_HOME; "" is ~/.config
	AppData      string // Windows: %APPDATA%
	LocalAppData string // Windows: %LOCALAPPDATA%
	Project      string // the project's folder, for scope Project
}

// Server is how a client starts a server.
type Server struct {
	Name    string
	Command string // absolute path of the program
	Args    []string
}

// Client is a program that speaks MCP.
type Client struct {
	Name  string
	Title string // as people call it
	// Note tells what has to be done after the server was entered.
	Note string

	list  string // the key of the servers' list
	typed bool   // entries say that their transport is stdio
	user  func(System) (string, error)
	local string // path of the project's file in its folder; "" for none
}

var all = []Client{
	{
		Name: "claude", Title: "Claude Desktop", Note: "Restart Claude Desktop.", list: "mcpServers", user: claudeDesktop,
	},
	{
		Name: "claude-code", Title: "Claude Code", Note: "Start a new session of Claude Code.", list: "mcpServers", typed: true,
		user:  func(s System) (string, error) { return filepath.Join(s.Home, ".claude.json"), nil },
		local: ".mcp.json",
	},
	{
		Name: "cursor", Title: "Cursor", Note: "Cursor finds the server by itself; enable it in its MCP settings if it asks.", list: "mcpServers",
		user:  func(s System) (string, error) { return filepath.Join(s.Home, ".cursor", "mcp.json"), nil },
		local: filepath.Join(".cursor", "mcp.json"),
	},
	{
		Name: "windsurf", Title: "Windsurf", Note: "Refresh the servers in Windsurf's MCP settings.", list: "mcpServers", user: windsurf,
	},
	{
		Name: "devin", Title: "Devin Desktop", Note: "Refresh the servers in Devin's MCP settings.", list: "mcpServers", user: windsurf,
	},
	{
		Name: "vscode", Title: "VS Code", Note: "Start the server from VS Code's list of MCP servers.", list: "servers", typed: true,
		user: visualStudioCode, local: filepath.Join(".vscode", "mcp.json"),
	},
}

// Names lists the clients.
func Names() []string {
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names
}

// Find answers the client of a name.
func Find(name string) (Client, error) {
	for _, c := range all {
		if c.Name == name {
			return c, nil
		}
	}
	return Client{}, fmt.Errorf("client %q is unknown: use %s", name, strings.Join(Names(), ", "))
}

// Path is the file that lists the client's servers. It need not be there.
func (c Client) Path(s System, scope Scope) (string, error) {
	switch scope {
	case User:
		return c.user(s)
	case Project:
		if c.local == "" {
			return "", fmt.Errorf("%s has no servers for one project: use scope user", c.Title)
		}
		return filepath.Join(s.Project, c.local), nil
	}
	return "", fmt.Errorf("scope %q: use user or project", scope)
}

func windsurf(s System) (string, error) {
	return filepath.Join(s.Home, ".codeium", "windsurf", "mcp_config.json"), nil
}

func (s System) configHome() string {
	if s.ConfigHome != "" {
		return s.ConfigHome
	}
	return filepath.Join(s.Home, ".config")
}

// applicationSupport is the folder of a program's own files.
func (s System) applicationSupport(program string) string {
	switch s.OS {
	case "darwin":
		return filepath.Join(s.Home, "Library", "Application Support", program)
	case "windows":
		return filepath.Join(s.AppData, program)
	}
	return filepath.Join(s.configHome(), program)
}

func visualStudioCode(s System) (string, error) {
	return filepath.Join(s.applicationSupport("Code"), "User", "mcp.json"), nil
}

const claudeFile = "claude_desktop_config.json"

// claudeDesktop knows that the Windows app from the store keeps its files in a package's folder, where the file may
// not be yet.
func claudeDesktop(s System) (string, error) {
	classic := filepath.Join(s.applicationSupport("Claude"), claudeFile)
	if s.OS != "windows" {
		return classic, nil
	}
	packages, err := filepath.Glob(filepath.Join(s.LocalAppData, "Packages", "Claude_*"))
	if err != nil {
		return "", fmt.Errorf("look for Claude's package: %w", err)
	}
	var files, there []string
	for _, p := range packages {
		file := filepath.Join(p, "LocalCache", "Roaming", "Claude", claudeFile)
		files = append(files, file)
		if exists(file) {
			there = append(there, file)
		}
	}
	switch {
	case len(there) == 1:
		return there[0], nil
	case len(there) == 0 && exists(classic), len(files) == 0:
		return classic, nil
	case len(there) == 0 && len(files) == 1:
		return files[0], nil
	}
	return "", errors.New("Claude Desktop is there more than once; enter the server by hand in one of " + strings.Join(files, ", "))
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
