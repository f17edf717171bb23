package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// entry is a server as clients list it.
type entry struct {
	Type    string            `json:"type,omitempty"`
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
}

func (c Client) entry(s Server) entry {
	e := entry{Command: s.Command, Args: s.Args, Env: map[string]string{}}
	if e.Args == nil {
		e.Args = []string{}
	}
	if c.typed {
		e.Type = "stdio"
	}
	return e
}

// Document is a whole file that lists nothing but the server.
func (c Client) Document(s Server) []byte {
	return encode(map[string]map[string]entry{c.list: {s.Name: c.entry(s)}}, "")
}

func encode(v any, prefix string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // maps and strings
	}
	return b.Bytes()
}

// Add enters the server into a client's file, whose content is old, and answers the new content. Comments, unknown
// keys and the order of what is there stay. A file that lists the server as it should is answered as it is.
func (c Client) Add(old []byte, s Server) ([]byte, error) {
	doc, blank, err := c.parse(old)
	if err != nil {
		return nil, err
	}
	if blank {
		return c.Document(s), nil
	}
	want := c.entry(s)
	if have := doc.Find(pointer(c.list, s.Name)); have != nil && same(have, want) {
		return old, nil
	}
	var ops []op
	if list := doc.Find(pointer(c.list)); list == nil {
		ops = append(ops, op{Op: "add", Path: pointer(c.list), Value: map[string]entry{s.Name: want}})
	} else if _, ok := list.Value.(*hujson.Object); !ok {
		return nil, fmt.Errorf("%q is not an object", c.list)
	} else {
		ops = append(ops, op{Op: "add", Path: pointer(c.list, s.Name), Value: want})
	}
	return patch(doc, ops)
}

// Remove takes the server out of a client's file. A file that doesn't list it is answered as it is.
func (c Client) Remove(old []byte, name string) ([]byte, error) {
	doc, blank, err := c.parse(old)
	if err != nil {
		return nil, err
	}
	if blank || doc.Find(pointer(c.list, name)) == nil {
		return old, nil
	}
	return patch(doc, []op{{Op: "remove", Path: pointer(c.list, name)}})
}

// parse reads a file that may be empty.
func (c Client) parse(old []byte) (doc hujson.Value, blank bool, err error) {
	if len(bytes.TrimSpace(old)) == 0 {
		return doc, true, nil
	}
	if doc, err = hujson.Parse(bytes.TrimPrefix(old, []byte("\ufeff"))); err != nil {
		return doc, false, fmt.Errorf("the file is not JSON: %w", err)
	}
	if _, ok := doc.Value.(*hujson.Object); !ok {
		return doc, false, fmt.Errorf("the file is not a JSON object")
	}
	return doc, false, nil
}

// pointer is the JSON pointer of nested keys, https://www.rfc-editor.org/rfc/rfc6901.
func pointer(keys ...string) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
	}
	return b.String()
}

// op is an operation of https://www.rfc-editor.org/rfc/rfc6902.
type op struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patch applies operations and lays out what they added, which the rest of the file is not touched for.
func patch(doc hujson.Value, ops []op) ([]byte, error) {
	if err := doc.Patch(encode(ops, "")); err != nil {
		return nil, fmt.Errorf("change the file: %w", err)
	}
	for _, o := range ops {
		if v := doc.Find(o.Path); v != nil {
			layOut(doc, o.Path)
		}
	}
	return doc.Pack(), nil
}

// layOut puts a member on a line of its own, indented by the depth of its pointer.
func layOut(doc hujson.Value, path string) {
	depth := strings.Count(path, "/")
	indent := "\n" + strings.Repeat("  ", depth)
	cut := strings.LastIndexByte(path, '/')
	parent := &doc
	if cut > 0 {
		parent = doc.Find(path[:cut])
	}
	object := parent.Value.(*hujson.Object)
	n := len(object.Members)
	member := &object.Members[n-1]
	if pointer(member.Name.Value.(hujson.Literal).String()) != path[cut:] {
		return // it replaced one that has its place
	}
	member.Name.BeforeExtra = hujson.Extra(indent)
	std := member.Value.Clone()
	std.Standardize()
	inner := strings.Repeat("  ", depth)
	if v, err := hujson.Parse(bytes.TrimSpace(encode(json.RawMessage(std.Pack()), inner))); err == nil {
		v.BeforeExtra = hujson.Extra(" ")
		member.Value = v
	}
	if len(object.AfterExtra) == 0 || !bytes.Contains(object.AfterExtra, []byte("\n")) {
		object.AfterExtra = append(object.AfterExtra, []byte("\n"+strings.Repeat("  ", depth-1))...)
	}
}

func same(have *hujson.Value, want entry) bool {
	std := have.Clone()
	std.Standardize()
	var got entry
	d := json.NewDecoder(bytes.NewReader(std.Pack()))
	d.DisallowUnknownFields()
	if d.Decode(&got) != nil {
		return false
	}
	return bytes.Equal(encode(got, ""), encode(want, ""))
}
