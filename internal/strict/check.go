package strict

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is one thing wrong with a document.
type Problem struct {
	Path    string // routing[0].fallback.timeout; empty is the whole document
	Line    int
	Message string
	Unknown bool // the name itself is the problem
}

// Error reads well in a log and on a terminal.
func (p Problem) Error() string {
	where := fmt.Sprintf("line %d", p.Line)
	if p.Path != "" {
		where += ": " + p.Path
	}
	return where + ": " + p.Message
}

// Decode compares v with dst's type, reports everything wrong with it, and
// fills dst when nothing is. Fields that v does not name keep their value.
func Decode(v *Value, dst any) []Problem {
	if ps := Check(v, reflect.TypeOf(dst).Elem()); len(ps) > 0 {
		return ps
	}
	if err := json.Unmarshal(v.JSON(), dst); err != nil {
		return []Problem{{Line: v.Line, Message: err.Error()}}
	}
	return nil
}

// Check compares a value with the type it is meant for.
func Check(v *Value, t reflect.Type) []Problem {
	var c checker
	c.check(v, t, "")
	return c.problems
}

type checker struct{ problems []Problem }

func (c *checker) add(v *Value, path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Line: v.Line, Message: fmt.Sprintf(format, args...)})
}

var (
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType            = reflect.TypeFor[time.Time]()
)

func (c *checker) check(v *Value, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer && !t.Implements(unmarshalerType) && !t.Implements(textUnmarshalerType) {
		t = t.Elem()
	}
	if v.Kind == Null || t.Kind() == reflect.Interface {
		return // null means: not given
	}
	if t == timeType {
		if v.Kind != String {
			c.wrong(v, path, "a time such as 2024-01-15T10:30:00Z")
		} else if _, err := time.Parse(time.RFC3339, v.Text); err != nil {
			c.add(v, path, "must be a time such as 2024-01-15T10:30:00Z")
		}
		return
	}
	if reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textUnmarshalerType) || t.Implements(unmarshalerType) {
		if err := json.Unmarshal(v.JSON(), reflect.New(t).Interface()); err != nil {
			c.add(v, path, "%s", strings.TrimPrefix(err.Error(), "json: "))
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.object(v, t, path)
	case reflect.Map:
		if v.Kind != Object {
			c.wrong(v, path, "an object")
			return
		}
		for _, f := range v.Fields {
			c.check(f.Value, t.Elem(), join(path, f.Name))
		}
	case reflect.Slice, reflect.Array:
		c.list(v, t, path)
	default:
		c.scalar(v, t, path)
	}
}

func (c *checker) wrong(v *Value, path, want string) {
	c.add(v, path, "must be %s, not %s", want, v.Kind)
}

func (c *checker) list(v *Value, t reflect.Type, path string) {
	if v.Kind != List {
		c.wrong(v, path, "a list")
		return
	}
	for i, item := range v.Items {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item.Kind == Null {
			c.add(item, at, "must not be null")
			continue
		}
		c.check(item, t.Elem(), at)
	}
}

func (c *checker) object(v *Value, t reflect.Type, path string) {
	if v.Kind != Object {
		c.wrong(v, path, "an object")
		return
	}
	fields := Fields(t)
	for _, f := range v.Fields {
		i := slices.IndexFunc(fields, func(k StructField) bool { return k.Name == f.Name })
		if i < 0 {
			c.problems = append(c.problems, Problem{
				Path: join(path, f.Name), Line: f.Line, Unknown: true, Message: unknown(f.Name, names(fields)),
			})
			continue
		}
		c.check(f.Value, fields[i].Type, join(path, f.Name))
	}
}

func unknown(name string, known []string) string {
	near, close := Nearest(name, known)
	switch {
	case near == "":
		return fmt.Sprintf("unknown field %q; nothing is known here", name)
	case close:
		return fmt.Sprintf("unknown field %q; did you mean %q?", name, near)
	}
	return fmt.Sprintf("unknown field %q; the nearest known name is %q", name, near)
}

func (c *checker) scalar(v *Value, t reflect.Type, path string) {
	switch t.Kind() {
	case reflect.String:
		if v.Kind != String {
			c.wrong(v, path, "a string")
		}
	case reflect.Bool:
		if v.Kind != Bool {
			c.wrong(v, path, "true or false")
		}
	case reflect.Float32, reflect.Float64:
		if v.Kind != Number {
			c.wrong(v, path, "a number")
		} else if _, err := strconv.ParseFloat(v.Text, t.Bits()); err != nil {
			c.add(v, path, "%s is out of range", v.Text)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		c.integer(v, t, path)
	default:
		c.add(v, path, "cannot be given")
	}
}

func (c *checker) integer(v *Value, t reflect.Type, path string) {
	if v.Kind != Number {
		c.wrong(v, path, "a whole number")
		return
	}
	if strings.ContainsAny(v.Text, ".eE") {
		c.add(v, path, "must be a whole number, not %s", v.Text)
		return
	}
	var err error
	if t.Kind() >= reflect.Uint {
		_, err = strconv.ParseUint(v.Text, 10, t.Bits())
	} else {
		_, err = strconv.ParseInt(v.Text, 10, t.Bits())
	}
	if err != nil {
		c.add(v, path, "%s is out of range", v.Text)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
