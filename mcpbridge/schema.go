package mcpbridge

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// inputSchema is the JSON schema of a tool's arguments, https://json-schema.org/draft/2020-12. A field's tag "enum" lists
// the values that it may have.
func inputSchema[T any]() json.RawMessage {
	s := decode(mcp.NewTool("", mcp.WithInputSchema[T]()).RawInputSchema)
	properties, _ := s["properties"].(map[string]any)
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		property, ok := properties[name].(map[string]any)
		if values := f.Tag.Get("enum"); ok && values != "" {
			property["enum"] = strings.Split(values, ",")
		}
	}
	prune(s)
	return encode(s)
}

// outputSchema is the JSON schema of a tool's structured result. It is open: what a later version adds breaks no client.
func outputSchema[T any]() json.RawMessage {
	s := decode(mcp.NewTool("", mcp.WithInputSchema[T]()).RawInputSchema)
	prune(s)
	openAll(s)
	return encode(s)
}

// prune leaves out what costs a model's attention and says little: that a list may be null, which none is, and that there
// is nothing else, which arguments.bind says where it matters.
func prune(node map[string]any) {
	if values, isMap := node["additionalProperties"].(map[string]any); isMap {
		prune(values)
	} else {
		delete(node, "additionalProperties")
	}
	if types, ok := node["type"].([]any); ok {
		for _, t := range types {
			if t != "null" {
				node["type"] = t
			}
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		prune(items)
	}
	properties, _ := node["properties"].(map[string]any)
	for _, p := range properties {
		if child, ok := p.(map[string]any); ok {
			prune(child)
		}
	}
}

// openAll leaves out which properties are always there: programs look for what they need.
func openAll(node map[string]any) {
	delete(node, "required")
	if items, ok := node["items"].(map[string]any); ok {
		openAll(items)
	}
	properties, _ := node["properties"].(map[string]any)
	for _, p := range properties {
		if child, ok := p.(map[string]any); ok {
			openAll(child)
		}
	}
}

// decode and encode work on what this program has made: errors are faults of it.
func decode(raw json.RawMessage) map[string]any {
	var s map[string]any
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(fmt.Sprintf("a tool's schema: %v", err))
	}
	return s
}

func encode(s map[string]any) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a tool's schema: %v", err))
	}
	return b
}
