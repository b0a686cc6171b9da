package sip

import (
	"strings"
	"testing"
)

var referTos = []struct {
	value string
	user  string
	host  string
	code  int
	call  string // of Replaces
}{
	{"<sip:ben@10.0.0.1>", "ben", "10.0.0.1", 0, ""},
	{"sip:ben@10.0.0.1;x=y", "ben", "10.0.0.1", 0, ""},
	{`"Ben, \"the\" man" <sip:ben@10.0.0.1;user=phone>;p=1`, "ben", "10.0.0.1", 0, ""},
	{"tel:+1-415-555-2673", "+14155552673", "", 0, ""},
	{"<sips:ben@pbx.example.com>", "ben", "pbx.example.com", 0, ""},
	{"<sip:ben@h;method=INVITE>", "ben", "h", 0, ""},
	{"<sip:ben@h;method=BYE>", "", "", 403, ""},
	{"<sip:ben@h?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces>", "ben", "h", 0, "a@b"},
	{"<sip:h?replaces=a%3Bfrom-tag%3D2%3Bto-tag%3D1%3Bearly-only>", "", "h", 0, "a"},
	{"<sip:h?Replaces=a%3Bto-tag%3D1>", "", "", 400, ""},
	{"<sip:h?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>", "", "", 400, ""},
	{"<https://example.com/>", "", "", 416, ""},
	{"<cid:list@example.com>", "", "", 416, ""},
	{"<sip:ben@h>, <sip:carol@h>", "", "", 400, ""},
	{"sip:ben@h, sip:carol@h", "", "", 400, ""},
	{"<sip:ben@h", "", "", 400, ""},
	{"ben", "", "", 400, ""},
	{"", "", "", 400, ""},
}

func TestReferTo(t *testing.T) {
	for _, c := range referTos {
		to, code := parseReferTo(c.value)
		if code != c.code {
			t.Errorf("%s: %d, want %d", c.value, code, c.code)
			continue
		}
		call := ""
		if to.Replaces != nil {
			call = to.Replaces.CallID
		}
		if code == 0 && (to.User != c.user || to.Host != c.host || call != c.call) {
			t.Errorf("%s: %+v", c.value, to)
		}
	}
}

func TestReplacesValue(t *testing.T) {
	for value, want := range map[string]Replaces{
		"a@b;to-tag=1;from-tag=2":               {CallID: "a@b", ToTag: "1", FromTag: "2"},
		" a ; From-Tag=2 ;to-tag = 1;x=y":       {CallID: "a", ToTag: "1", FromTag: "2"},
		"a;early-only;to-tag=1;from-tag=2":      {CallID: "a", ToTag: "1", FromTag: "2", EarlyOnly: true},
		"a":                                     {},
		";to-tag=1;from-tag=2":                  {},
		"a;to-tag=1;to-tag=3;from-tag=2":        {},
		"a;to-tag=1;from-tag=2,b;to-tag=1":      {},
		"a b;to-tag=1;from-tag=2":               {},
		"a;to-tag=;from-tag=2":                  {},
		strings.Repeat("a", 2000) + ";to-tag=1": {},
	} {
		got, ok := parseReplaces(value)
		if ok != (want.CallID != "") || ok && got != want {
			t.Errorf("%q: %+v %v", value, got, ok)
		}
	}
}

// FuzzReferTo holds that what is accepted can go into a message and names
// somebody, whatever a phone writes.
func FuzzReferTo(f *testing.F) {
	for _, c := range referTos {
		f.Add(c.value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		to, code := parseReferTo(value)
		if code != 0 {
			return
		}
		if strings.ContainsFunc(to.URI+to.User+to.Host, isControl) || to.Host != "" && !isHost(to.Host) {
			t.Errorf("%q: %+v", value, to)
		}
		if r := to.Replaces; r != nil && (!isWord(r.CallID) || !isToken(r.ToTag) || !isToken(r.FromTag)) {
			t.Errorf("%q: %+v", value, r)
		}
	})
}
