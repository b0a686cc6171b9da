package configs

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"b2bua/internal/strict"
)

const prefix = "B2BUA_"

// key is one setting: where it stands in the file and how the environment
// calls it.
type key struct {
	path string // http.tls.mode
	env  string // B2BUA_HTTP_TLS_MODE
	kind reflect.Type
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// keys lists every setting. Lists of nouns count as one setting.
func keys() []key { return keysOf(reflect.TypeFor[Config](), "") }

func keysOf(t reflect.Type, path string) []key {
	var out []key
	for _, f := range strict.Fields(t) {
		at := f.Name
		if path != "" {
			at = path + "." + f.Name
		}
		opaque := reflect.PointerTo(f.Type).Implements(jsonUnmarshaler) || reflect.PointerTo(f.Type).Implements(textUnmarshaler)
		if f.Type.Kind() == reflect.Struct && !opaque {
			out = append(out, keysOf(f.Type, at)...)
			continue
		}
		out = append(out, key{path: at, env: prefix + strings.ToUpper(strings.ReplaceAll(at, ".", "_")), kind: f.Type})
	}
	return out
}

// environment reads B2BUA_… variables into a tree like that of a file. A name
// that is not a key is only a warning: container platforms put variables of
// their own (B2BUA_SERVICE_HOST, B2BUA_PORT, …) beside ours.
func environment(environ []string) (tree *strict.Value, warnings []string, err error) {
	set := map[string]string{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, prefix) {
			set[name] = value
		}
	}
	tree = &strict.Value{Kind: strict.Object}
	var known []string
	for _, k := range keys() {
		known = append(known, k.env)
		text, given := set[k.env]
		if !given {
			continue
		}
		delete(set, k.env)
		v, err := k.value(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", k.env, err)
		}
		if ps := strict.Check(v, k.kind); len(ps) > 0 {
			return nil, nil, fmt.Errorf("%s: %s", k.env, ps[0].Message)
		}
		place(tree, k.path, v)
	}
	for name := range set {
		near, close := strict.Nearest(name, known)
		if close {
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is not known; did you mean %s?", name, near))
		} else {
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is not known", name))
		}
	}
	sort.Strings(warnings)
	return tree, warnings, nil
}

// value reads the text of a variable: a list of strings is comma separated, a
// list of nouns is YAML (or JSON) as it would stand in the file.
func (k key) value(text string) (*strict.Value, error) {
	switch {
	case k.kind == reflect.TypeFor[[]string]():
		v := &strict.Value{Kind: strict.List}
		for _, item := range strings.Split(strings.Trim(strings.TrimSpace(text), "[]"), ",") {
			if item = strings.Trim(strings.TrimSpace(item), `"'`); item != "" {
				v.Items = append(v.Items, &strict.Value{Kind: strict.String, Text: item})
			}
		}
		return v, nil
	case k.kind.Kind() == reflect.String:
		return &strict.Value{Kind: strict.String, Text: text}, nil
	case k.kind == reflect.TypeFor[Duration](), k.kind.Kind() == reflect.Bool:
		text = strings.TrimSpace(text)
	}
	return parseYAMLValue(text)
}

func parseYAMLValue(text string) (*strict.Value, error) {
	v, err := parseYAML([]byte("value: " + text))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	got, ok := v.Get("value")
	if !ok || len(v.Fields) != 1 {
		return nil, fmt.Errorf("cannot be read as one value")
	}
	return got, nil
}

func place(tree *strict.Value, path string, v *strict.Value) {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		tree.Set(head, v)
		return
	}
	child, ok := tree.Get(head)
	if !ok {
		child = &strict.Value{Kind: strict.Object}
		tree.Set(head, child)
	}
	place(child, rest, v)
}
