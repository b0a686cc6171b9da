package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"unicode/utf8"
)

// MaxDepth bounds nesting: nothing the switch reads is nested deeper, and a
// bomb of brackets must not cost a stack.
const MaxDepth = 64

// SyntaxError says where a document is not what it claims to be.
type SyntaxError struct {
	Line    int
	Column  int
	Message string
}

// Error names the place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// ParseJSON reads one JSON document (RFC 8259). Two fields of one name are an
// error here, as readers disagree about which of them counts (RFC 8259 §4).
func ParseJSON(data []byte) (*Value, error) {
	r := &jsonReader{data: data}
	for i, c := range data {
		if c == '\n' {
			r.lines = append(r.lines, i)
		}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, r.fault(0, "the document is empty")
	}
	if !utf8.Valid(data) {
		return nil, r.fault(invalidAt(data), "the document is not valid UTF-8")
	}
	r.dec = json.NewDecoder(bytes.NewReader(data))
	r.dec.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.fault(r.offset(), "there is more after the end of the document")
	}
	return v, nil
}

func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

type jsonReader struct {
	data  []byte
	lines []int // offsets of the newlines
	dec   *json.Decoder
}

func (r *jsonReader) offset() int { return int(r.dec.InputOffset()) }

func (r *jsonReader) place(offset int) (line, column int) {
	n := sort.SearchInts(r.lines, offset)
	if n == 0 {
		return 1, offset + 1
	}
	return n + 1, offset - r.lines[n-1]
}

func (r *jsonReader) fault(offset int, message string) error {
	line, column := r.place(offset)
	return &SyntaxError{Line: line, Column: column, Message: message}
}

// token reads on and puts the decoder's complaint into our words.
func (r *jsonReader) token() (json.Token, error) {
	t, err := r.dec.Token()
	if err == nil {
		return t, nil
	}
	var se *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, r.fault(len(r.data), "the document ends too early")
	case errors.As(err, &se):
		// The tokenizer's offset may lie before blanks and line ends; that of
		// the whole-document check is exact.
		var whole json.RawMessage
		if errors.As(json.Unmarshal(r.data, &whole), &se) {
			return nil, r.fault(max(int(se.Offset)-1, 0), se.Error())
		}
	}
	return nil, r.fault(r.offset(), err.Error())
}

func (r *jsonReader) value(depth int) (*Value, error) {
	if depth > MaxDepth {
		return nil, r.fault(r.offset(), fmt.Sprintf("nested deeper than %d levels", MaxDepth))
	}
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	line, _ := r.place(max(r.offset()-1, 0))
	v := &Value{Line: line}
	switch t := t.(type) {
	case nil:
		v.Kind = Null
	case bool:
		v.Kind, v.Text = Bool, fmt.Sprint(t)
	case json.Number:
		v.Kind, v.Text = Number, t.String()
	case string:
		v.Kind, v.Text = String, t
	case json.Delim:
		if t == '[' {
			return v, r.list(v, depth)
		}
		return v, r.object(v, depth)
	}
	return v, nil
}

func (r *jsonReader) list(v *Value, depth int) error {
	v.Kind = List
	for r.dec.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		v.Items = append(v.Items, item)
	}
	_, err := r.token()
	return err
}

func (r *jsonReader) object(v *Value, depth int) error {
	v.Kind = Object
	seen := map[string]bool{}
	for r.dec.More() {
		t, err := r.token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return r.fault(r.offset(), "a name in double quotes is wanted here")
		}
		at := r.offset() - 1
		if seen[name] {
			return r.fault(at, fmt.Sprintf("the field %q is given twice", name))
		}
		seen[name] = true
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		line, _ := r.place(at)
		v.Fields = append(v.Fields, Field{Name: name, Line: line, Value: value})
	}
	_, err := r.token()
	return err
}
