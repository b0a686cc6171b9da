package sdp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"b2bua/media/srtp"
)

const (
	key30 = "MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0"
	cm80  = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n"
	cm32  = "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" + key30 + "|2^31|1:4\r\n"
	f8    = "a=crypto:3 F8_128_HMAC_SHA1_80 inline:" + key30 + "\r\n"
	bare  = "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTP\r\n"
	savp  = "m=audio 4000 RTP/SAVP 0\r\n"
)

func securely(p Policy) Local {
	l := local("PCMU", "PCMA")
	if l.SRTP = p; p != Off {
		l.Keys = srtp.NewSet()
	}
	return l
}

// What becomes of offers by each policy: profile, suite and tag of the answer, or
// the code of the refusal.
func TestSecureAnswers(t *testing.T) {
	for name, c := range map[string]struct{ offer, off, optional, required string }{
		"RFC 4568 §5.1.2 the first suite that is known": {savp + f8 + cm32 + cm80, "302", "RTP/SAVP 2 AES_CM_128_HMAC_SHA1_32", "RTP/SAVP 2 AES_CM_128_HMAC_SHA1_32"},
		"RFC 4568 §5.1.2 no suite that is known":        {savp + f8, "302", "302", "302"},
		"RFC 4568 §5.1.2 no key at all":                 {savp, "302", "302", "302"},
		"RFC 4568 §6.3.2 nothing is sent in the clear":  {savp + bare, "302", "302", "302"},
		"RFC 4568 §4.1 a tag twice is its first use":    {savp + cm80 + strings.Replace(cm32, "crypto:2", "crypto:1", 1), "302", "RTP/SAVP 1 AES_CM_128_HMAC_SHA1_80", "RTP/SAVP 1 AES_CM_128_HMAC_SHA1_80"},
		"a hundred keys":                                 {savp + strings.Repeat(f8+bare, 50) + cm80, "302", "RTP/SAVP 1 AES_CM_128_HMAC_SHA1_80", "RTP/SAVP 1 AES_CM_128_HMAC_SHA1_80"},
		"RFC 3711 §12 RTP/AVP stays RTP/AVP":             {pcm, "RTP/AVP", "RTP/AVP", "302"},
		"RFC 5124 §3.3 SAVPF is answered as SAVPF":       {"m=audio 4000 RTP/SAVPF 0\r\n" + cm80, "302", "RTP/SAVPF 1 AES_CM_128_HMAC_SHA1_80", "RTP/SAVPF 1 AES_CM_128_HMAC_SHA1_80"},
		"RFC 5763 §8 keys by DTLS are not had":           {"m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-256 AA\r\n" + cm80, "302", "302", "302"},
		"RFC 8643 §3 keys in RTP/AVP are used":           {pcm + cm80, "RTP/AVP", "RTP/AVP 1 AES_CM_128_HMAC_SHA1_80", "RTP/AVP 1 AES_CM_128_HMAC_SHA1_80"},
		"RFC 8643 §3 keys in RTP/AVP that are not known": {pcm + f8, "RTP/AVP", "RTP/AVP", "302"},
		"two streams, the encrypted one behind":          {pcm + savp + cm80, "RTP/AVP", "RTP/SAVP 1 AES_CM_128_HMAC_SHA1_80", "RTP/SAVP 1 AES_CM_128_HMAC_SHA1_80"},
		"two streams, the encrypted one of no use":       {savp + f8 + pcm, "RTP/AVP", "RTP/AVP", "302"},
	} {
		t.Run(name, func(t *testing.T) {
			for p, want := range []string{Off: c.off, Optional: c.optional, Required: c.required} {
				l := securely(Policy(p))
				answer, a, err := l.Answer(mustParse(t, v4+c.offer))
				if err != nil {
					code, _ := Warning(err)
					if !errors.Is(err, ErrNoCommonCodec) || fmt.Sprint(code) != want {
						t.Errorf("policy %d: %v, want %s", p, err, want)
					}
					continue
				}
				m := mustReparse(answer).Media[a.Index]
				got := m.Proto
				for _, k := range m.Crypto {
					got += " " + k.String()
				}
				if got != want || len(m.Crypto) > 1 || a.Ours.Valid() != a.Theirs.Valid() || a.Ours.Valid() != (len(m.Crypto) == 1) {
					t.Errorf("policy %d: %s, want %s", p, got, want)
				}
				if len(m.Crypto) == 1 && (!m.Crypto[0].Same(a.Ours) || a.Ours.Same(a.Theirs)) {
					t.Errorf("policy %d: our key is not in the answer", p)
				}
			}
		})
	}
}

// What is offered by each policy, and which answers are taken.
func TestSecureOffers(t *testing.T) {
	for p, want := range []string{Off: "RTP/AVP 0", Optional: "RTP/SAVP 4", Required: "RTP/SAVP 4"} {
		m := mustReparse(securely(Policy(p)).Offer()).Media
		if got := fmt.Sprint(m[0].Proto, " ", len(m[0].Crypto)); len(m) != 1 || got != want {
			t.Errorf("policy %d: %s in %d streams, want %s", p, got, len(m), want)
		}
	}
	l := securely(Optional)
	offered := l.Offer().Media[0].Crypto
	line := func(tag int, s srtp.Suite) string { return "a=crypto:" + srtp.New(tag, s).Attribute() + "\r\n" }
	taken := line(3, srtp.AESCM128SHA1x80)
	for name, c := range map[string]struct {
		answer             string
		optional, required bool
	}{
		"RFC 4568 §5.1.3 one of ours":        {savp + taken, true, true},
		"RFC 4568 §5.1.3 two of ours":        {savp + taken + line(4, srtp.AESCM128SHA1x32), false, false},
		"RFC 4568 §5.1.3 another tag":        {savp + line(9, srtp.AESCM128SHA1x80), false, false},
		"RFC 4568 §5.1.3 another suite":      {savp + line(3, srtp.AEAD128GCM), false, false},
		"RFC 4568 §5.1.3 no key":             {savp, false, false},
		"RFC 4568 §6.3.2 one that weakens":   {savp + strings.TrimSpace(taken) + " UNENCRYPTED_SRTP\r\n", false, false},
		"RTP/AVP, as if it had been offered": {pcm, true, false},
		"RTP/AVP, but with our key":          {pcm + taken, true, true},
	} {
		for p, want := range map[Policy]bool{Optional: c.optional, Required: c.required} {
			l.SRTP = p
			a, err := l.Accept(mustParse(t, v4+c.answer))
			if (err == nil) != want {
				t.Errorf("%s, policy %d: %v", name, p, err)
			}
			if err == nil && strings.Contains(c.answer, "crypto") != a.Ours.Valid() {
				t.Errorf("%s: %v and %v", name, a.Ours, a.Theirs)
			}
			if err == nil && a.Ours.Valid() && !a.Ours.Same(offered[2]) {
				t.Errorf("%s: %v is not what was offered", name, a.Ours)
			}
		}
	}
	if _, err := securely(Off).Accept(mustParse(t, v4+savp+taken)); err == nil {
		t.Error("a key that was not asked for")
	}
}

// RFC 4568 §5.1.4: a later offer says again what is in use, in front; what was
// encrypted is not taken in the clear.
func TestSecureReoffers(t *testing.T) {
	l := securely(Optional)
	_, a, err := l.Answer(mustParse(t, v4+savp+strings.Replace(cm32, "crypto:2", "crypto:1", 1)))
	if err != nil {
		t.Fatal(err)
	}
	l.Layout, l.Index, l.Bound, l.InUse = a.Layout, a.Index, a.Bound, a.Ours
	m := l.Offer().Media[0]
	if m.Proto != "RTP/SAVP" || !m.Crypto[0].Same(a.Ours) || m.Crypto[0].Tag != 1 || len(m.Crypto) != 4 {
		t.Errorf("%s, %v", m.Proto, m.Crypto)
	}
	for _, p := range []Policy{Optional, Required} {
		l.SRTP = p
		if _, err := l.Accept(mustParse(t, v4+pcm)); err == nil {
			t.Error("goes on in the clear")
		}
	}
	again, err := l.Accept(mustParse(t, v4+savp+strings.Replace(cm32, "crypto:2", "crypto:1", 1)))
	if err != nil || !again.Ours.Same(a.Ours) {
		t.Error(again.Ours, err)
	}
	if _, b, err := l.Answer(mustParse(t, v4+savp+cm32)); err != nil || !b.Ours.Same(a.Ours) || b.Ours.Tag != 2 {
		t.Error(b.Ours, err)
	}
	l.Layout[0].Port, l.InUse = 0, srtp.Crypto{}
	l.SRTP, l.Keys = Off, nil
	if m := l.Offer().Media[0]; m.Proto != "RTP/AVP" {
		t.Errorf("offers %s without keys", m.Proto)
	}
}

// Whatever the policies: both sides encrypt or neither, each with what the other
// expects, and never in the clear where one requires more.
func TestBothSidesProtect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sides [2]Local
		for i := range sides {
			sides[i] = securely(Policy(rapid.IntRange(0, 2).Draw(t, "policy")))
			if n := len(sides[i].Keys); n > 0 {
				sides[i].Keys = rapid.Permutation(sides[i].Keys).Draw(t, "keys")[:rapid.IntRange(1, n).Draw(t, "suites")]
			}
			sides[i].RTCPMux = rapid.Bool().Draw(t, "mux")
		}
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			from, to := &sides[0], &sides[1]
			if rapid.Bool().Draw(t, "turn") {
				from, to = to, from
			}
			answer, theirs, err := to.Answer(mustReparse(from.Offer()))
			if err != nil {
				return
			}
			ours, err := from.Accept(mustReparse(answer))
			if err != nil {
				t.Fatal(err)
			}
			if !ours.Ours.Same(theirs.Theirs) || !ours.Theirs.Same(theirs.Ours) || ours.Ours.Valid() != ours.Theirs.Valid() {
				t.Fatalf("%v and %v here, %v and %v there", ours.Ours, ours.Theirs, theirs.Ours, theirs.Theirs)
			}
			if !ours.Ours.Valid() && (from.SRTP == Required || to.SRTP == Required) {
				t.Fatal("in the clear")
			}
			if ours.RTCPMux != theirs.RTCPMux || ours.RTCPMux != (from.RTCPMux && to.RTCPMux) || ours.RTCPMux && ours.RemoteRTCP != ours.Remote {
				t.Fatalf("mux %v and %v, reports to %s", ours.RTCPMux, theirs.RTCPMux, ours.RemoteRTCP)
			}
			for side, a := range map[*Local]Agreement{from: ours, to: theirs} {
				side.Layout, side.Index, side.Bound, side.InUse = a.Layout, a.Index, a.Bound, a.Ours
			}
		}
	})
}

// No key is in what is said about a description.
func TestAttackRefusalsTellNoKeys(t *testing.T) {
	d := mustParse(t, v4+"m=audio 4000 RTP/SAVP 18\r\n"+cm80)
	_, _, err := securely(Required).Answer(d)
	if err == nil {
		t.Fatal("taken")
	}
	_, warning := Warning(err)
	for _, text := range []string{err.Error(), warning, fmt.Sprintf("%+v", d), fmt.Sprint(d.Media[0]), fmt.Sprintf("%#v", *d)} {
		if strings.Contains(text, key30[:10]) {
			t.Error(text)
		}
	}
}
