package esbuild

import "strings"

// maxInlined bounds the bytes that the strings of a source's enums can come to where they are used.
const maxInlined = 16 << 20

// inlines reports whether a TypeScript source's enums could make much code of little source. esbuild puts their values
// where they are used, and adds strings: in `enum E { A = "12345678", B = A + A, C = B + B, …}` each member doubles.
//
// It looks at what follows every "enum", in whatever it stands, and takes only the plainest bodies for harmless.
func inlines(source string) bool {
	longest, members := 0, 0
	for rest := source; ; {
		_, after, found := strings.Cut(rest, "enum")
		if !found {
			break
		}
		rest = after
		n, s, plain := plainEnum(after)
		if !plain {
			return true
		}
		members += n
		longest = max(longest, s)
	}
	uses := members + strings.Count(source, ".") + strings.Count(source, "[")
	return longest*uses > maxInlined
}

// plainEnum looks at what stands after an "enum": its name and its body. It answers how many members that can have and how
// long their longest string is. It isn't plain where anything in it could be an addition, a template, or something that
// ends elsewhere than it seems to.
func plainEnum(s string) (members, longest int, plain bool) {
	name := strings.TrimLeft(s, " \t\r\n")
	if len(name) == len(s) {
		return 0, 0, !hides(s) // part of a longer word, or of a string, or a property
	}
	i := 0
	for i < len(name) && isWord(name[i]) {
		i++
	}
	body := strings.TrimLeft(name[i:], " \t\r\n")
	if i == 0 || !strings.HasPrefix(body, "{") {
		return 0, 0, !hides(name[i:]) && !hides(body) // no enum has anything else there
	}
	return plainBody(body[1:])
}

// hides reports whether a comment, an odd space or an odd letter comes next: then it isn't seen what does.
func hides(s string) bool {
	return s != "" && (s[0] == '/' || s[0] == '\\' || s[0] >= 0x80 || s[0] < ' ' && !isSpace(s[0]))
}

// plainBody does for a body what plainEnum does, from after its brace.
func plainBody(s string) (members, longest int, plain bool) {
	members = 1
	for at := 0; at < len(s); at++ {
		switch c := s[at]; {
		case c == '}':
			return members, longest, true
		case c == ',':
			members++
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[at+1:], c)
			if end < 0 || strings.ContainsAny(s[at+1:at+1+end], "\\\n\r") {
				return 0, 0, false
			}
			longest = max(longest, end)
			at += end + 1
		case strings.HasPrefix(s[at:], "//"):
			end := strings.IndexByte(s[at:], '\n')
			// Lines end at two other characters, too, whose first byte this is.
			if end < 0 || strings.IndexByte(s[at:at+end], '\r') >= 0 || strings.IndexByte(s[at:at+end], 0xe2) >= 0 {
				return 0, 0, false
			}
			at += end
		case strings.HasPrefix(s[at:], "/*"):
			end := strings.Index(s[at+2:], "*/")
			if end < 0 {
				return 0, 0, false
			}
			at += end + 3
		case isWord(c), isSpace(c), strings.IndexByte("=<>|&~()-.^*", c) >= 0:
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
