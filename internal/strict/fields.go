package strict

import (
	"reflect"
	"strings"
)

// StructField is a field as documents see it: by its JSON name.
type StructField struct {
	Name  string
	Type  reflect.Type
	Index []int
}

// Fields lists what a document may say about a struct, in the order of the
// struct. Embedded structs count as their fields, as in encoding/json.
func Fields(t reflect.Type) []StructField {
	var out []StructField
	for f := range structFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				for _, g := range Fields(inner) {
					g.Index = append(append([]int(nil), f.Index...), g.Index...)
					out = append(out, g)
				}
				continue
			}
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		out = append(out, StructField{Name: name, Type: f.Type, Index: f.Index})
	}
	return out
}

func structFields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

func names(fields []StructField) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

// Nearest finds the known name that takes the fewest keystrokes to get from
// name (Levenshtein distance); close tells whether it is likely meant.
func Nearest(name string, known []string) (near string, close bool) {
	best := -1
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); best < 0 || d < best {
			near, best = k, d
		}
	}
	return near, best >= 0 && best <= max(2, min(len(name), 24)/3)
}

func distance(a, b string) int {
	if len(a) > 64 {
		a = a[:64] // names of ours are shorter; a long one is far from all of them
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
