package sip

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"
)

// told is an INVITE from a trunk with these headers.
func told(headers map[string]string) *Invitation {
	return &Invitation{Trunk: &Trunk{ID: "trunk_1"}, headers: headers}
}

func TestAssertedIdentity(t *testing.T) {
	for header, want := range map[string]Party{
		`<sip:+14155552671@carrier.example>`:                                {User: "+14155552671", Host: "carrier.example"},
		`"Alice \"A\" Smith" <sip:+14155552671@carrier.example;user=phone>`: {User: "+14155552671", Display: `Alice "A" Smith`, Host: "carrier.example"},
		`tel:+14155552671`: {User: "+14155552671"},
		`"A, B" <tel:+1-415-555-2671;isub=1>, <sip:other@x>`:           {User: "+14155552671", Display: "A, B"},
		`<tel:5552671;phone-context=+1415>`:                            {User: "+14155552671"},
		`<tel:5552671;phone-context=example.com>`:                      {User: "5552671"},
		`<sip:5552671;phone-context=+1415@carrier.example;user=phone>`: {User: "+14155552671", Host: "carrier.example"},
		`<sip:anonymous@anonymous.invalid>, <tel:+14155552671>`:        {User: "+14155552671"},
		`<sip:carrier.example>, <sip:%2B14155552671@x>`:                {User: "+14155552671", Host: "x"},
		`<mailto:a@b>, <sip:a b@c>, "x" <sip:a@b, <tel:+14155552671>`:  {},
		``:                    {},
		`,,,`:                 {},
		`<sip:a%0d%0aEvil@h>`: {},
		`<sip:` + strings.Repeat("1", 300) + `@h>`: {},
		`"unclosed <sip:1@h>`:                      {},
	} {
		got, ok := told(map[string]string{"p-asserted-identity": header}).Asserted()
		if got != want || ok != (want.User != "") {
			t.Errorf("%s: %+v, %v", header, got, ok)
		}
	}
	device := &Invitation{Device: &Device{ID: "d"}, headers: map[string]string{"p-asserted-identity": "<sip:1@h>", "diversion": "<sip:1@h>"}}
	if _, ok := device.Asserted(); ok {
		t.Error("a device asserts itself")
	}
	if list, n := device.Diversions(); len(list) != 0 || n != 0 {
		t.Error("a device tells of diversions")
	}
}

// The number that is judged is the one that the call is shown with: From, unless
// the trunk asserts another and is believed, or From says nothing.
func TestWhichNumberIsVouchedFor(t *testing.T) {
	const pai = "<sip:carrier.example>, <tel:+12155550112;verstat=TN-Validation-Passed>"
	for _, c := range []struct {
		believed, withheld bool
		asserted           string
		number, verstat    string
	}{
		{true, false, pai, "+12155550112", "passed"},
		{false, false, pai, "+12155550113", "failed"},
		{false, true, pai, "+12155550112", "passed"},
		{true, true, pai, "+12155550112", "passed"},
		{true, false, "<sip:anonymous@anonymous.invalid>", "+12155550113", "failed"},
		{true, false, "", "+12155550113", "failed"},
	} {
		msg, err := sipmsg.ParseMessage([]byte("INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nTo: <sip:1@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" +
			"From: <sip:+12155550113;verstat=TN-Validation-Failed@carrier.example>;tag=1\r\nP-Asserted-Identity: " + c.asserted + "\r\nContent-Length: 0\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		req := msg.(*sipmsg.Request)
		in := told(map[string]string{"p-asserted-identity": c.asserted})
		in.From.User, in.Trunk.Believed, in.Anonymous = userOf(req.From().Address), c.believed, c.withheld
		verstat, _ := in.trunkVerstat(req)
		if got := in.shownNumber(); got != c.number || verstat != c.verstat {
			t.Errorf("%+v: %s, %s", c, got, verstat)
		}
	}
}

func TestDiversionsAreRead(t *testing.T) {
	for _, c := range []struct {
		diversion, history string
		want               []Diversion
		count              int
	}{
		{`<sip:+14155550002@h>;reason=no-answer;counter=1, "B" <sip:+14155550001@h>;reason=User-Busy`, "",
			[]Diversion{{"+14155550001", "user-busy"}, {"+14155550002", "no-answer"}}, 2},
		{`<sip:+14155550001@h>;reason="unconditional";counter=7;privacy=full`, "", []Diversion{{"+14155550001", "unconditional"}}, 7},
		{`<tel:+14155550001>`, "", []Diversion{{"+14155550001", "unknown"}}, 1},
		{`<sip:+1@h>;reason=a b;counter=999`, "", []Diversion{{"+1", "unknown"}}, 1},
		{"", `<sip:+14155550001@h>;index=1, <sip:+14155550002@h;cause=486>;index=1.1;mp=1, <sip:+14155550003@h?Reason=SIP%3Bcause%3D408>;index=1.1.1`,
			[]Diversion{{"+14155550001", "user-busy"}, {"+14155550002", "no-answer"}}, 2},
		{"", `<sip:+14155550001@a>;index=1, <sip:+14155550001@b>;index=1.1;rc=1`, nil, 0},
		{`<sip:+14155550009@h>;reason=deflection`, `<sip:+14155550001@h>;index=1, <sip:+14155550002@h;cause=302>;index=1.1, <sip:+14155550003@h;cause=999>;index=1.2`,
			[]Diversion{{"+14155550001", "unconditional"}, {"+14155550002", "unknown"}}, 2},
		{`garbage`, `;;;`, nil, 0},
	} {
		got, n := told(map[string]string{"diversion": c.diversion, "history-info": c.history}).Diversions()
		if !slices.Equal(got, c.want) || n != c.count {
			t.Errorf("%q %q: %v, %d", c.diversion, c.history, got, n)
		}
	}
}

func TestIdentityIsWritten(t *testing.T) {
	stations := []Diversion{{"+14155550001", "user-busy"}, {"+14155550002", "no\r\nanswer"}}
	got := Identity{
		Asserted: Party{User: "+14155552671", Display: "A \"B\"\r\nEvil: 1\u202e🙂"}, Withheld: true, Diversion: stations, History: stations,
	}.headers("10.0.0.1", "+14155550003", "carrier.example")
	want := []Header{
		{"P-Asserted-Identity", `"A \"B\"Evil: 1🙂" <sip:+14155552671@10.0.0.1>`},
		{"Privacy", "id"},
		{"Diversion", "<sip:+14155550002@10.0.0.1>;reason=unknown"},
		{"Diversion", "<sip:+14155550001@10.0.0.1>;reason=user-busy"},
		{"History-Info", "<sip:+14155550001@10.0.0.1>;index=1"},
		{"History-Info", "<sip:+14155550002@10.0.0.1;cause=486>;index=1.1;mp=1"},
		{"History-Info", "<sip:+14155550003@carrier.example;cause=404>;index=1.1.1;mp=1.1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if got := (Identity{}).headers("h", "1", "t"); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
}

// The chain that we write is the one that we read, in either form.
func TestDiversionsGoThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []Diversion
		for range rapid.IntRange(1, 9).Draw(t, "stations") {
			d := Diversion{rapid.StringMatching(`\+[1-9][0-9]{6,14}`).Draw(t, "number"),
				rapid.SampledFrom([]string{"unconditional", "user-busy", "no-answer", "deflection", "unavailable", "unknown"}).Draw(t, "reason")}
			if len(list) == 0 || list[len(list)-1].Number != d.Number { // History-Info has no word for that
				list = append(list, d)
			}
		}
		for _, i := range []Identity{{Diversion: list}, {History: list}, {Diversion: list, History: list}} {
			headers := map[string]string{}
			for _, h := range i.headers("h", "callee", "t") {
				name := canonical(h.Name)
				headers[name] = strings.TrimPrefix(headers[name]+", "+h.Value, ", ")
			}
			if got, n := told(headers).Diversions(); !slices.Equal(got, list) || n != len(list) {
				t.Fatalf("%v became %v, %d, by %v", list, got, n, headers)
			}
		}
	})
}

func TestContactsOfRedirects(t *testing.T) {
	for uri, want := range map[string]Contact{
		"sip:+14155552671@10.0.2.1:5070;transport=TCP": {User: "+14155552671", Host: "10.0.2.1", Port: 5070, Transport: "tcp"},
		"sip:bob@h?Route=%3Csip:evil%3E":               {User: "bob", Host: "h"},
		"tel:+1-415-555-2671":                          {User: "+14155552671"},
		"sip:h":                                        {Host: "h"},
		"sips:bob@h":                                   {},
		"http://h/":                                    {},
		"":                                             {},
	} {
		if got, ok := ParseContact(uri); got != want || ok != (want != Contact{}) {
			t.Errorf("%s: %+v, %v", uri, got, ok)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	for _, s := range []string{`"A" <sip:1@h;cause=486>;reason=x;counter=2, tel:+1`, `<sip:1@h?Reason=SIP%3Bcause%3D486>;index=1`, `",<,>`, `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		in := told(map[string]string{"p-asserted-identity": header, "diversion": header, "history-info": header})
		if p, ok := in.Asserted(); ok && (!userForm.MatchString(p.User) || strings.ContainsFunc(p.Display, isControl)) {
			t.Errorf("%+v", p)
		}
		list, n := in.Diversions()
		if len(list) > maxElements || n < len(list) {
			t.Errorf("%d stations, %d counted", len(list), n)
		}
		for _, d := range list {
			if !userForm.MatchString(d.Number) || !isToken(d.Reason) {
				t.Errorf("%+v", d)
			}
		}
		ParseContact(header)
	})
}
