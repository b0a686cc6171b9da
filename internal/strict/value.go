package strict

import (
	"bytes"
	"encoding/json"
)

// Kind is what a value is.
type Kind uint8

// The kinds of JSON and of the part of YAML that configuration needs.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Object
)

// String names the kind as a sentence needs it: "must be a string, not …".
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// Value is one value of a document, with the line it was written on.
type Value struct {
	Kind   Kind
	Text   string // Bool ("true", "false"), Number (as written) or String
	Items  []*Value
	Fields []Field
	Line   int
}

// Field is one name of an object, in the order of the document.
type Field struct {
	Name  string
	Line  int
	Value *Value
}

// Get finds a field by its exact name.
func (v *Value) Get(name string) (*Value, bool) {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			return v.Fields[i].Value, true
		}
	}
	return nil, false
}

// Set gives a field a value, adding the field when it is new.
func (v *Value) Set(name string, to *Value) {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			v.Fields[i].Value = to
			return
		}
	}
	v.Fields = append(v.Fields, Field{Name: name, Line: to.Line, Value: to})
}

// Remove drops a field; a name that is not there is no error.
func (v *Value) Remove(name string) {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			v.Fields = append(v.Fields[:i:i], v.Fields[i+1:]...)
			return
		}
	}
}

// JSON writes the value as JSON.
func (v *Value) JSON() []byte {
	var b bytes.Buffer
	v.write(&b)
	return b.Bytes()
}

func (v *Value) write(b *bytes.Buffer) {
	switch v.Kind {
	case Null:
		b.WriteString("null")
	case Bool, Number:
		b.WriteString(v.Text)
	case String:
		quote(b, v.Text)
	case List:
		b.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case Object:
		b.WriteByte('{')
		for i, f := range v.Fields {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, f.Name)
			b.WriteByte(':')
			f.Value.write(b)
		}
		b.WriteByte('}')
	}
}

func quote(b *bytes.Buffer, s string) {
	q, err := json.Marshal(s)
	if err != nil { // a string always marshals
		q = []byte(`""`)
	}
	b.Write(q)
}

// Merge applies a merge patch (RFC 7396 §2): objects merge name by name, null
// removes a name, anything else replaces what was there. Neither argument is
// changed.
func Merge(target, patch *Value) *Value {
	if patch.Kind != Object {
		return patch
	}
	out := &Value{Kind: Object, Line: patch.Line}
	if target != nil && target.Kind == Object {
		out.Fields = append(out.Fields, target.Fields...)
	}
	for _, f := range patch.Fields {
		if f.Value.Kind == Null {
			out.Remove(f.Name)
			continue
		}
		old, _ := out.Get(f.Name)
		out.Set(f.Name, Merge(old, f.Value))
	}
	return out
}
