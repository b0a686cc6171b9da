package api

import (
	"strconv"
	"strings"
)

// dot and index build the paths that point into a body.
func dot(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// camel is an operation id: "call-flows" and "list" make "listCallFlows".
func camel(words ...string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(strings.Join(words, "-"), func(r rune) bool {
		return r == '-' || r == ' ' || r == '/' || r == '_'
	}) {
		if b.Len() > 0 {
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		b.WriteString(w)
	}
	return b.String()
}

// plural is the plural of a name that stands in an English sentence.
func plural(name string) string {
	if strings.HasSuffix(name, "x") {
		return name + "es"
	}
	return name + "s"
}
