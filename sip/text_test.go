package sip

import (
	"strings"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"
)

// Whatever an owner gives, the message has the headers it should have and no
// other, and the values come back as they were, but for control characters.
func TestAttack34NothingAnOwnerGivesBreaksAMessage(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"a\r\nEvil: 1", "\"", "\\", "\\\"", "x\" <sip:evil@h>", "a@b", "a;tag=1", "<>", "%00", "%0d%0aEvil: 1", "\x00", "\u2028", strings.Repeat("é", 300),
	}))
	rapid.Check(t, func(t *rapid.T) {
		user, display, name, v := text.Draw(t, "user"), text.Draw(t, "display"), text.Draw(t, "name"), text.Draw(t, "value")
		why := Reason{Protocol: name, Cause: 16, Text: v}
		r := request{method: "INVITE", uri: "sip:" + escapeUser(user) + "@10.0.0.1", via: "SIP/2.0/UDP h;branch=z9hG4bK1",
			from: quoted(display) + " <sip:" + escapeUser(user) + "@h>;tag=t", to: "<sip:x@h>", callID: "c", cseq: 1,
			headers: append(safe([]Header{{name, v}, {"X-Given", v}}, ""), why.header()...)}
		msg, err := sipmsg.ParseMessage(r.bytes())
		if err != nil {
			t.Fatalf("%v in %q", err, r.bytes())
		}
		req := msg.(*sipmsg.Request)
		want := 8 + 1 // of ours, X-Given and Reason
		if isToken(name) && !owned[canonical(name)] {
			want++
		}
		if n := len(req.Headers()); n != want {
			t.Fatalf("%d headers, want %d, in %q", n, want, r.bytes())
		}
		if got := req.GetHeader("x-given").Value(); got != strings.TrimSpace(plain(v)) {
			t.Fatalf("value %q became %q", v, got)
		}
		if tagOf(req.From().Params) != "t" || req.From().Address.Host != "h" {
			t.Fatalf("From in %q", r.bytes())
		}
		if len(user) <= maxText && !strings.Contains(user, "%") && userOf(req.Recipient) != plain(user) {
			t.Fatalf("user %q became %q", user, userOf(req.Recipient))
		}
		if len(display) <= maxText && display == strings.Trim(strings.TrimSpace(printable(display)), `"\`) && displayOf(req.From().DisplayName) != display {
			t.Fatalf("display %q became %q", display, displayOf(req.From().DisplayName))
		}
	})
}

func TestSeconds(t *testing.T) {
	for v, want := range map[string]int{"17": 17, "0": 0, "5 (busy)": 5, "3;duration=9": 3, "": -1, "x": -1, "-1": -1, "2000000": 1 << 20, "99999999999999": 1 << 20, "99999999999999999999999999": 1 << 20} {
		if got, ok := seconds(v); ok && got != want || !ok && want != -1 {
			t.Errorf("%q: %d, %v", v, got, ok)
		}
	}
}

func TestStrictRouteOfAURIWithHeaders(t *testing.T) {
	var u sipmsg.Uri
	if err := sipmsg.ParseUri("sip:a@h:5070;lr?Evil=1", &u); err != nil {
		t.Fatal(err)
	}
	if got := uriText(u); got != "sip:a@h:5070;lr" {
		t.Errorf("got %s", got)
	}
}
