package strict_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"b2bua/internal/strict"
)

type inner struct {
	Timeout int      `json:"timeout"`
	Days    []string `json:"days"`
}

type base struct {
	ID string `json:"id"`
}

type doc struct {
	base
	Name    string            `json:"name"`
	Ratio   float64           `json:"ratio"`
	Small   int8              `json:"small"`
	On      *bool             `json:"on"`
	Inner   *inner            `json:"fallback"`
	List    []inner           `json:"list"`
	Tags    map[string]string `json:"tags"`
	At      time.Time         `json:"at"`
	Any     any               `json:"any"`
	private int
	Hidden  string `json:"-"`
}

func TestCheck(t *testing.T) {
	cases := []struct{ json, path, message string }{
		{`{"nam":"x"}`, "nam", `unknown field "nam"; did you mean "name"?`},
		{`{"NAME":"x"}`, "NAME", `did you mean "name"?`},
		{`{"zzzzzzzzzz":1}`, "zzzzzzzzzz", "the nearest known name is"},
		{`{"fallback":{"timeut":1}}`, "fallback.timeut", `did you mean "timeout"?`},
		{`{"list":[{},{"timeout":"5"}]}`, "list[1].timeout", "must be a whole number, not a string"},
		{`{"list":[null]}`, "list[0]", "must not be null"},
		{`{"list":{}}`, "list", "must be a list, not an object"},
		{`{"fallback":[]}`, "fallback", "must be an object, not a list"},
		{`{"name":5}`, "name", "must be a string, not a number"},
		{`{"on":"yes"}`, "on", "must be true or false, not a string"},
		{`{"small":128}`, "small", "128 is out of range"},
		{`{"small":1.5}`, "small", "must be a whole number, not 1.5"},
		{`{"ratio":1e999}`, "ratio", "out of range"},
		{`{"ratio":true}`, "ratio", "must be a number, not a boolean"},
		{`{"tags":{"a":1}}`, "tags.a", "must be a string"},
		{`{"at":"yesterday"}`, "at", "must be a time"},
		{`{"Hidden":"x"}`, "Hidden", "unknown field"},
		{`{"private":1}`, "private", "unknown field"},
		{`{"Any":1,"any":{"x":[1,null]}}`, "Any", "unknown field"},
	}
	for _, tc := range cases {
		v, err := strict.ParseJSON([]byte(tc.json))
		if err != nil {
			t.Fatalf("%s: %v", tc.json, err)
		}
		ps := strict.Check(v, reflect.TypeFor[doc]())
		if len(ps) != 1 || ps[0].Path != tc.path || !strings.Contains(ps[0].Message, tc.message) {
			t.Errorf("%s: got %v, want %s: %s", tc.json, ps, tc.path, tc.message)
		}
	}
	_ = doc{}.private
}

func TestEverythingIsReported(t *testing.T) {
	v, err := strict.ParseJSON([]byte("{\n\"nam\": 1,\n\"on\": 2,\n\"list\": [\n{\"timeout\": \"x\"}]}"))
	if err != nil {
		t.Fatal(err)
	}
	ps := strict.Check(v, reflect.TypeFor[doc]())
	var lines []int
	for _, p := range ps {
		lines = append(lines, p.Line)
	}
	if !reflect.DeepEqual(lines, []int{2, 3, 5}) {
		t.Errorf("problems are %v", ps)
	}
}

func TestDecode(t *testing.T) {
	v, err := strict.ParseJSON([]byte(`{"id":"x","name":"ü\u0000","small":-128,"on":false,"fallback":null,"list":[{"days":["MON"]}],"at":"2024-01-15T10:30:00Z","any":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	d := doc{Ratio: 2.5}
	if ps := strict.Decode(v, &d); len(ps) > 0 {
		t.Fatal(ps)
	}
	if d.ID != "x" || d.Name != "ü\x00" || d.Small != -128 || d.On == nil || *d.On || d.Inner != nil || d.Ratio != 2.5 || d.List[0].Days[0] != "MON" {
		t.Errorf("decoded %+v", d)
	}
}

func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "empty",
		"{":                         "too early",
		`{"a":1,}`:                  "line 1",
		"{\n\"a\" 1}":               "line 2",
		`{"a":1}{"b":2}`:            "more after the end",
		`{"a":1,"a":2}`:             `"a" is given twice`,
		"{\"a\":\"\xff\"}":          "UTF-8",
		strings.Repeat("[", 100000): "deeper",
		`{"a":tru}`:                 "line 1",
		`[1 2]`:                     "line 1",
		`{'a':1}`:                   "line 1",
	} {
		_, err := strict.ParseJSON([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q", text, err, want)
		}
	}
}

// The examples of RFC 7396, appendix A.
func TestMerge(t *testing.T) {
	for _, tc := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		target, _ := strict.ParseJSON([]byte(tc[0]))
		patch, _ := strict.ParseJSON([]byte(tc[1]))
		if got := string(strict.Merge(target, patch).JSON()); got != tc[2] {
			t.Errorf("%s patched with %s is %s, want %s", tc[0], tc[1], got, tc[2])
		}
		if string(target.JSON()) != tc[0] || string(patch.JSON()) != tc[1] {
			t.Errorf("an argument was changed: %s, %s", target.JSON(), patch.JSON())
		}
	}
}

// A patch made of a whole document, without nulls, gives that document's fields.
func TestMergeIsIdempotent(t *testing.T) {
	gen := rapid.MapOf(rapid.StringMatching(`[a-d]`), rapid.IntRange(0, 3))
	rapid.Check(t, func(t *rapid.T) {
		a, b := parse(t, gen.Draw(t, "a")), parse(t, gen.Draw(t, "b"))
		once := strict.Merge(a, b)
		if twice := strict.Merge(once, b); string(once.JSON()) != string(twice.JSON()) {
			t.Fatalf("once %s, twice %s", once.JSON(), twice.JSON())
		}
	})
}

func parse(t *rapid.T, m map[string]int) *strict.Value {
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	v, err := strict.ParseJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNearest(t *testing.T) {
	known := []string{"fallback", "pattern", "destination", "destination_type"}
	for name, want := range map[string]string{"fallbak": "fallback", "patern": "pattern", "Destination": "destination", "destinationtype": "destination_type"} {
		if near, close := strict.Nearest(name, known); near != want || !close {
			t.Errorf("nearest to %q is %q, %v", name, near, close)
		}
	}
	if _, close := strict.Nearest(strings.Repeat("x", 1000), known); close {
		t.Error("a name of a thousand letters is near")
	}
	if near, _ := strict.Nearest("x", nil); near != "" {
		t.Errorf("near %q", near)
	}
}

// Whatever is read must be what encoding/json reads, and must be written so
// that it reads the same.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e9\n",null,true]}`, `[]`, `"\ud800"`, `{"a":{"a":{}}}`, `-0`, "{\"\":0}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := strict.ParseJSON(data)
		if err != nil {
			return
		}
		var want, got any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("read what encoding/json refuses (%v): %q", err, data)
		}
		if err := json.Unmarshal(v.JSON(), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q was written as %s (%v)", data, v.JSON(), err)
		}
		strict.Check(v, reflect.TypeFor[doc]())
	})
}
