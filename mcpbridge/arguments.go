package mcpbridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// arguments are what a tool takes: its schema's properties, by name.
type arguments struct {
	names      []string // sorted
	properties map[string]property
}

type property struct {
	kind, description string
	required          bool
	values            []string // that it may have; nil: any
}

// readArguments takes from a schema what check needs.
func readArguments(schema json.RawMessage) (a arguments) {
	var s struct {
		Properties map[string]struct {
			Type, Description string
			Enum              []string
		}
		Required []string
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		panic(fmt.Sprintf("a tool's schema: %v", err)) // this program has made it
	}
	a.properties = map[string]property{}
	for name, p := range s.Properties {
		a.names = append(a.names, name)
		a.properties[name] = property{p.Type, p.Description, slices.Contains(s.Required, name), p.Enum}
	}
	slices.Sort(a.names)
	return a
}

// bind checks the arguments of a call and puts them into a struct. Errors say what to do, for a model to read.
func (a arguments) bind(raw any, in any) error {
	given, ok := raw.(map[string]any)
	if raw != nil && !ok {
		return fmt.Errorf("the arguments have to be an object with %s", strings.Join(a.names, ", "))
	}
	for name, value := range given {
		p, ok := a.properties[name]
		if !ok {
			return fmt.Errorf("argument %.100q is unknown: use %s", name, strings.Join(a.names, ", "))
		}
		if value == nil && !p.required {
			delete(given, name) // as some clients say that it is not given
		}
	}
	for _, name := range a.names {
		p := a.properties[name]
		value, there := given[name]
		switch {
		case p.required && !there:
			return fmt.Errorf("argument %q is needed%s", name, p.hint())
		case there && !p.fits(value):
			return fmt.Errorf("argument %q has to be of type %s%s", name, p.kind, p.hint())
		case there && p.values != nil && !slices.ContainsFunc(p.values, func(v string) bool { return v == value }):
			return fmt.Errorf("%s %.100q: use %s", name, value, strings.Join(p.values, ", "))
		}
	}
	text, err := json.Marshal(given)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return fmt.Errorf("the arguments don't fit the schema: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (p property) hint() string {
	if p.values != nil {
		return ": " + strings.Join(p.values, ", ")
	}
	if p.description == "" {
		return ""
	}
	return ": " + p.description
}

// fits reports whether a value that was decoded from JSON is of the property's type.
func (p property) fits(value any) bool {
	switch v := value.(type) {
	case string:
		return p.kind == "string"
	case bool:
		return p.kind == "boolean"
	case float64:
		return p.kind == "number" || p.kind == "integer" && v == float64(int64(v))
	case []any:
		return p.kind == "array"
	case map[string]any:
		return p.kind == "object"
	}
	return false
}
