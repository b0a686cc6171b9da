package sip

import (
	"strings"
	"testing"
)

var nameAddrs = []struct{ value, display, uri, params string }{
	{"<sip:a@h>", "", "sip:a@h", ""},
	{"sip:a@h", "", "sip:a@h", ""},
	{" sip:a@h ;tag=1", "", "sip:a@h", ";tag=1"},
	{`"A, \"B\" <sip:evil@h>" <sip:a@h;p?x=y> ;tag=1;q="a,b"`, `A, "B" <sip:evil@h>`, "sip:a@h;p?x=y", `;tag=1;q="a,b"`},
	{"Alice Smith <tel:+1>", "Alice Smith", "tel:+1", ""},
	{`"" <sip:h>`, "", "sip:h", ""},
	{"", "", "", ""},
	{"<>", "", "", ""},
	{"<sip:a@h", "", "", ""},
	{"<sip:a@h>, <sip:b@h>", "", "", ""},
	{"<sip:a@h>;x=1, <sip:b@h>", "", "", ""},
	{"<sip:a@h>,", "", "", ""},
	{"sip:a@h, sip:b@h", "", "", ""},
	{"sip:a@h;x=1, sip:b@h", "", "", ""},
	{"<sip:a@h> x", "", "", ""},
	{"sip:a@h <sip:b@h>", "", "", ""},
	{`"A" sip:a@h`, "", "", ""},
	{`"A <sip:a@h>`, "", "", ""},
	{`A "B" <sip:a@h>`, "", "", ""},
	{"<<sip:a@h>>", "", "", ""},
	{"sip:a@h>", "", "", ""},
}

func TestNameAddr(t *testing.T) {
	for _, c := range nameAddrs {
		a, ok := readNameAddr(c.value)
		if ok != (c.uri != "") || ok && a != (nameAddr{c.display, c.uri, c.params}) {
			t.Errorf("%s: %+v, %v", c.value, a, ok)
		}
	}
	a, _ := readNameAddr(`<sip:a@h> ; Reason = "busy";x`)
	if a.param("reason") != `"busy"` || a.param("x") != "" || a.param("y") != "" {
		t.Errorf("%+v", a)
	}
}

// What is read of an address and written again is the same address.
func FuzzNameAddr(f *testing.F) {
	for _, c := range nameAddrs {
		f.Add(c.value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		a, ok := readNameAddr(value)
		if !ok {
			return
		}
		if a.uri == "" || strings.Contains(a.uri, "<") || a.uri != strings.TrimSpace(a.uri) || len(elements(a.params)) > 1 {
			t.Fatalf("%q: %+v", value, a)
		}
		if strings.Contains(a.uri, ">") {
			t.Fatalf("%q: %+v", value, a)
		}
		again, ok := readNameAddr("<" + a.uri + ">" + a.params)
		if !ok || again.uri != a.uri || again.params != strings.TrimSpace(a.params) {
			t.Fatalf("%q: %+v, then %+v", value, a, again)
		}
		if len(a.display) > maxText || a.display != printable(a.display) || strings.HasPrefix(a.display, `"`) || strings.TrimSpace(a.display) != a.display {
			return // is written otherwise than it was read
		}
		again, ok = readNameAddr(quoted(a.display) + " <" + a.uri + ">")
		if !ok || again.uri != a.uri {
			t.Fatalf("%q: %+v, then %+v", value, a, again)
		}
	})
}
