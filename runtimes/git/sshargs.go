package git

import (
	"fmt"
	"strings"
)

// sshCommand is what ssh is asked for.
type sshCommand struct {
	user, host, port string
	identities       []string // files of the sandbox
	known            string   // such a file
	protocol         bool     // GIT_PROTOCOL is sent along
	service, path    string
}

// parseSSH takes ssh's arguments apart: options as git and GIT_SSH_COMMAND have them, a host, and a command of git's.
func parseSSH(args []string) (c sshCommand, err error) {
	c.port = "22"
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		letter, value := args[0][1], args[0][2:]
		args = args[1:]
		if strings.IndexByte("46TqxanvCk", letter) >= 0 {
			if value != "" {
				args = append([]string{"-" + value}, args...)
			}
			continue
		}
		if strings.IndexByte("pliFo", letter) < 0 {
			return c, fmt.Errorf("option -%c is not supported here", letter)
		}
		if value == "" {
			if len(args) == 0 {
				return c, fmt.Errorf("option requires an argument -- %c", letter)
			}
			value, args = args[0], args[1:]
		}
		if err := c.option(letter, value); err != nil {
			return c, err
		}
	}
	if len(args) == 0 {
		return c, fmt.Errorf("usage: ssh [-p port] [-l user] [-i file] [-o option=value] [user@]host command")
	}
	if err := c.destination(args[0]); err != nil {
		return c, err
	}
	c.service, c.path, err = gitCommand(strings.Join(args[1:], " "))
	return c, err
}

func (c *sshCommand) option(letter byte, value string) error {
	switch letter {
	case 'p':
		c.port = value
	case 'l':
		c.user = value
	case 'i':
		c.identities = append(c.identities, value)
	case 'o':
		key, v, ok := strings.Cut(value, "=")
		if !ok {
			key, v, _ = strings.Cut(value, " ")
		}
		return c.setting(strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(v))
	}
	return nil // there is no configuration that -F could replace
}

func (c *sshCommand) setting(key, value string) error {
	switch key {
	case "port":
		c.port = value
	case "user":
		c.user = value
	case "identityfile":
		c.identities = append(c.identities, value)
	case "userknownhostsfile":
		c.known = value
	case "sendenv":
		c.protocol = c.protocol || value == "GIT_PROTOCOL"
	// Of these there is nothing here, or they ask for what is so anyway. A key that isn't known is refused, whatever
	// StrictHostKeyChecking says.
	case "stricthostkeychecking", "batchmode", "connecttimeout", "identitiesonly", "loglevel", "compression", "serveraliveinterval",
		"serveralivecountmax", "checkhostip", "hashknownhosts", "updatehostkeys", "globalknownhostsfile", "passwordauthentication",
		"controlmaster", "controlpath", "controlpersist", "addressfamily", "requesttty", "forwardagent", "forwardx11":
	default:
		return fmt.Errorf("option %s is not supported here", key)
	}
	return nil
}

// destination reads [user@]host or ssh://[user@]host[:port].
func (c *sshCommand) destination(to string) error {
	rest, isURL := strings.CutPrefix(to, "ssh://")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if c.user == "" {
			c.user = rest[:i]
		}
		rest = rest[i+1:]
	}
	if isURL {
		rest = strings.TrimSuffix(rest, "/")
		if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
			rest, c.port = rest[:i], rest[i+1:]
		}
	}
	c.host = strings.Trim(rest, "[]")
	if c.host == "" || strings.HasPrefix(c.host, "-") || strings.ContainsAny(c.host, " \t\n\"'\\/") {
		return fmt.Errorf("hostname contains invalid characters")
	}
	return nil
}

// gitCommand takes a command apart that git makes for the other side: a service and a quoted path. Nothing else is run
// there: what lets the host in is for git, not for a shell.
func gitCommand(text string) (service, path string, err error) {
	service, quoted, _ := strings.Cut(text, " ")
	switch service {
	case "git-upload-pack", "git-receive-pack", "git-upload-archive":
		if path, ok := unquoteShell(quoted); ok {
			return service, path, nil
		}
	}
	return "", "", fmt.Errorf("only git's own transfers are possible here: git-upload-pack, git-receive-pack and git-upload-archive of a quoted path")
}

// unquoteShell reads what git quotes for a shell: in single quotes, with \' and \! outside of them.
func unquoteShell(s string) (string, bool) {
	var out strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			inside = !inside
		case inside:
			out.WriteByte(c)
		case c == '\\' && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '!'):
			i++
			out.WriteByte(s[i])
		default:
			return "", false
		}
	}
	return out.String(), !inside && s != ""
}

// quoteShell is git's quoting.
func quoteShell(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}
