package sip_test

import (
	"testing"

	"b2bua/sip"
)

func TestWarning(t *testing.T) {
	for _, c := range []struct {
		code       int
		text, want string
	}{
		{305, "", `305 b2bua "Incompatible media format"`},
		{sip.WarnMediaType, `no "video"` + "\r\nX: y", `304 b2bua "no \"video\"X: y"`},
		{399, "why", `399 b2bua "why"`},
		{200, "", `399 b2bua "Miscellaneous warning"`},
	} {
		if h := sip.Warning(c.code, c.text); h.Name != "Warning" || h.Value != c.want {
			t.Errorf("%d %q: %s", c.code, c.text, h.Value)
		}
	}
}

func TestRefusalCarriesAWarning(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		b.invitation().Reject(488, "", sip.Warning(sip.WarnMediaFormat, ""))
		m := far.expect("488")
		if m.get("Warning") != `305 b2bua "Incompatible media format"` {
			t.Errorf("refused %+v", m)
		}
		d.ackFailure(m)
	})
	story(t, func(b *bench) {
		far, d, o := talking(b)
		d.send("INVITE", offerSDP, "Contact: <sip:far@10.0.0.2:5060>")
		far.expect("100")
		told[sip.Offered](o)
		o.do(func(l *sip.Leg) { l.RefuseOffer(o.offer, 488, sip.Warning(sip.WarnMediaType, "no video")) })
		m := far.expect("488")
		if m.get("Warning") != `304 b2bua "no video"` {
			t.Errorf("refused %+v", m)
		}
		d.ackFailure(m)
		hangUp(far, o)
	})
}
