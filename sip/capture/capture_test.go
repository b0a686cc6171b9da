package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	us    = netip.MustParseAddrPort("10.0.0.1:5060")
	them  = netip.MustParseAddrPort("10.0.1.1:5060")
	third = netip.MustParseAddrPort("[2001:db8::7]:5061")
)

func sipMessage(first, callID string, more ...string) []byte {
	return []byte(first + "\r\nVia: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bK1\r\nTo: <sip:a@b>\r\nCall-ID: " + callID +
		"\r\nCSeq: 1 INVITE\r\n" + strings.Join(more, "\r\n"))
}

// clock steps on by a millisecond at each look.
func clock() func() time.Time {
	now := time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func TestRedacted(t *testing.T) {
	for name, c := range map[string]struct{ in, secret, stays string }{
		"digest response": {"REGISTER sip:x SIP/2.0\r\nAuthorization: Digest username=\"alex\", response=\"0123abcd\", uri=\"sip:x\"\r\n\r\n",
			"0123abcd", `uri="sip:x"`},
		"digest response, odd case":     {"INVITE sip:x SIP/2.0\r\nPROXY-authorization : Digest Response = x, RESPONSE=0123abcd\r\n\r\n", "0123abcd", "Digest"},
		"key in INFO":                   {"INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal= 7\r\nDuration=160\r\n", "7", "Duration=160"},
		"digest response, spaces":       {"INVITE sip:x SIP/2.0\r\nAuthorization: Digest response = \"0123abcd\", realm=\"here\"\r\n\r\n", "0123abcd", "here"},
		"digest response in a name":     {"INVITE sip:x SIP/2.0\r\nAuthorization: Digest username=\"response=x\", response=\"0123abcd\"\r\n\r\n", "0123abcd", "response=x"},
		"digest response twice":         {"INVITE sip:x SIP/2.0\r\nAuthorization: Digest response=\"\", realm=\"here\", response=\"0123abcd\"\r\n\r\n", "0123abcd", "here"},
		"digest with open quotes":       {"INVITE sip:x SIP/2.0\r\nAuthorization: Digest username=\"a\\\", response=\"0123abcd\"\r\n\r\n", "0123abcd", "Authorization"},
		"digest, folded":                {"INVITE sip:x SIP/2.0\r\nAuthorization: Digest realm=\"here\",\r\n response=\r\n\t\"0123abcd\"\r\n\r\n", "0123abcd", "here"},
		"digest of the answer":          {"SIP/2.0 200 OK\r\nAuthentication-Info: rspauth=\"0123abcd\", qop=auth\r\n\r\n", "0123abcd", "qop=auth"},
		"key after a space":             {"INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal = 7\r\nDuration = 160\r\n", "7", "Duration = 160"},
		"key, folded type":              {"INFO sip:x SIP/2.0\r\nContent-Type:\r\n application/dtmf-relay\r\n\r\nSignal=7\r\n", "7", "INFO"},
		"key after bare line feeds":     {"INFO sip:x SIP/2.0\nContent-Type: application/dtmf\n\n7\r\n\r\n", "7", "INFO"},
		"key in a multipart":            {"INFO sip:x SIP/2.0\r\nContent-Type: multipart/mixed;boundary=\"b b\"\r\n\r\n--b b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b b\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=7\r\n--b b--\r\n", "7", "hello"},
		"SRTP key in a multipart":       {"INVITE sip:x SIP/2.0\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: application/sdp\r\n\r\na=crypto:1 X inline:c2VjcmV0|2\r\n--b--\r\n", "c2VjcmV0", "inline:"},
		"multipart without bounds":      {"INFO sip:x SIP/2.0\r\nContent-Type: multipart/mixed\r\n\r\n--b\r\n\r\nSignal=7", "7", "INFO"},
		"keys by KPML":                  {"NOTIFY sip:x SIP/2.0\r\nContent-Type: application/kpml-response+xml\r\n\r\n<kpml-response code=\"200\" digits = '9753' tag=\"t\"/>", "9753", `code="200"`},
		"bare key in INFO":              {"INFO sip:x SIP/2.0\r\nc: application/dtmf\r\n\r\n9", "9", "INFO"},
		"MIKEY":                         {"INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\na=key-mgmt:mikey c2VjcmV0c2VjcmV0\r\n", "c2VjcmV0c2VjcmV0", "mikey "},
		"k line":                        {"INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nk=base64:c2VjcmV0c2VjcmV0\r\nm=audio", "c2VjcmV0c2VjcmV0", "m=audio"},
		"two SRTP keys of an attribute": {"INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\na=crypto:1 X inline:b3RoZXI=|1:4;inline:c2VjcmV0c2VjcmV0|2:4\r\n", "c2VjcmV0c2VjcmV0", "|2:4"},
		"SRTP key": {"INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0c2VjcmV0|2^31\r\na=sendrecv\r\n",
			"c2VjcmV0c2VjcmV0", "|2^31"},
	} {
		t.Run(name, func(t *testing.T) {
			in := []byte(c.in)
			out := redacted(in)
			switch {
			case len(out) != len(in):
				t.Errorf("%d octets of %d", len(out), len(in))
			case !bytes.Equal(in, []byte(c.in)):
				t.Error("the message itself was changed")
			case strings.Contains(string(out), c.secret):
				t.Errorf("%q is still in %q", c.secret, out)
			case !strings.Contains(string(out), c.stays):
				t.Errorf("%q is gone from %q", c.stays, out)
			}
		})
	}
}

func TestMessagesInOrderOfTheWire(t *testing.T) {
	r := New(Config{Now: clock()})
	r.Received("udp", us, them, sipMessage("INVITE sip:x SIP/2.0", "one"))
	r.Sent("udp", us, third, sipMessage("INVITE sip:y SIP/2.0", "two"))
	r.Sent("udp", us, them, sipMessage("SIP/2.0 180 Ringing", "one"))
	r.Received("udp", us, them, []byte("\r\n\r\n"))
	r.Received("udp", us, them, []byte("OPTIONS sip:x SIP/2.0\r\ni: three\r\n\r\n"))
	var got []string
	for _, m := range r.Messages("two", "one") {
		got = append(got, m.Summary())
	}
	if want := "INVITE sip:x, INVITE sip:y, 180 Ringing"; strings.Join(got, ", ") != want {
		t.Errorf("got %s", got)
	}
	if len(r.Messages("three")) != 1 {
		t.Error("a compact Call-ID was not found")
	}
	var none *Recorder
	none.Sent("udp", us, them, nil)
	none.Keep("x")
	if none.Messages("x") != nil {
		t.Error("nil remembers")
	}
}

func TestFloodLeavesCallsAlone(t *testing.T) {
	r := New(Config{Now: clock(), MaxUnproven: 10_000})
	r.Received("udp", us, them, sipMessage("INVITE sip:x SIP/2.0", "call"))
	r.Keep("call")
	for i := range 1000 {
		r.Received("udp", us, third, sipMessage("INVITE sip:x SIP/2.0", fmt.Sprint("flood", i)))
	}
	r.Sent("udp", us, them, sipMessage("SIP/2.0 200 OK", "call"))
	if n := len(r.Messages("call")); n != 2 {
		t.Errorf("%d messages of the call are left", n)
	}
	if r.unproven.size > 10_000 {
		t.Errorf("%d octets of a flood", r.unproven.size)
	}
}

// TestBounds: whatever comes, the sizes add up and stay within their limits.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New(Config{Now: clock(), MaxBytes: 4000, MaxUnproven: 2000, MaxMessages: 5})
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			id := fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "call"))
			if rapid.Bool().Draw(t, "keep") {
				r.Keep(id)
				continue
			}
			r.Sent("udp", us, them, sipMessage("INVITE sip:x SIP/2.0", id, strings.Repeat("x", rapid.IntRange(0, 900).Draw(t, "size"))))
		}
		for _, s := range []*shelf{&r.kept, &r.unproven} {
			size := 0
			for e := s.order.Front(); e != nil; e = e.Next() {
				d := e.Value.(*dialog)
				size += d.size
				if len(d.messages) > 5 || r.dialogs[d.callID] != d {
					t.Fatalf("dialog %s with %d messages", d.callID, len(d.messages))
				}
			}
			if size != s.size || size > s.max {
				t.Fatalf("%d octets, counted %d, at most %d", size, s.size, s.max)
			}
		}
		if r.kept.order.Len()+r.unproven.order.Len() != len(r.dialogs) {
			t.Fatal("a dialog is on no shelf")
		}
	})
}

func TestLadder(t *testing.T) {
	r := New(Config{Now: clock()})
	r.Received("udp", us, them, sipMessage("INVITE sip:x SIP/2.0", "a", "Content-Type: application/sdp", "", "v=0"))
	r.Sent("udp", us, third, sipMessage("INVITE sip:y SIP/2.0", "b"))
	r.Received("udp", us, third, sipMessage("SIP/2.0 180 Ringing", "b"))
	r.Sent("udp", us, them, []byte("SIP/2.0 200 OK\r\nCall-ID: a\r\nCSeq: 2 BYE\r\n\r\n"))
	got := Ladder(r.Messages("a", "b"), func(a netip.AddrPort) string {
		if a == them {
			return "caller"
		}
		return ""
	})
	want := `                        caller                            switch                      [2001:db8::7]:5061
    0.000                  |---------- INVITE SDP ---------->|                                 |
    0.001                  |                                 |------------ INVITE ------------>|
    0.002                  |                                 |<--------- 180 Ringing ----------|
    0.003                  |<-------- 200 OK (BYE) ----------|                                 |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if Ladder(nil, nil) != "" {
		t.Error("a ladder of nothing")
	}
}

func TestPCAPChecksums(t *testing.T) {
	for _, m := range []Message{
		{Local: us, Remote: them, Data: []byte("odd")},
		{Local: netip.MustParseAddrPort("[2001:db8::1]:5060"), Remote: third, Out: true, Data: []byte("even")},
		{Local: us, Remote: third, Data: bytes.Repeat([]byte("x"), 100_000)},
	} {
		p := packet(m)
		begin, at := 40, 8
		if p[0] == 0x45 {
			begin, at = 20, 12
			if sum(0, p[:20]) != 0xffff {
				t.Error("IP checksum")
			}
		}
		addresses, udp := p[at:begin], p[begin:]
		if sum(uint32(sum(protocolUDP+uint32(len(udp)), addresses)), udp) != 0xffff {
			t.Error("UDP checksum")
		}
		if len(p) > 1<<16 || int(binary.BigEndian.Uint16(udp[4:])) != len(udp) {
			t.Errorf("length %d", len(p))
		}
	}
	var file bytes.Buffer
	if err := WritePCAP(&file, []Message{{At: time.Unix(7, 9000), Local: us, Remote: them, Data: []byte("abc")}}); err != nil {
		t.Fatal(err)
	}
	if got := file.Len(); got != 24+16+20+8+3 {
		t.Errorf("%d octets", got)
	}
}

func FuzzRedactAndDraw(f *testing.F) {
	f.Add(sipMessage("INVITE sip:x SIP/2.0", "a", "Content-Type: application/sdp", "", "a=crypto:1 X inline:abc|2"))
	f.Add([]byte("INFO sip:x SIP/2.0\nc: application/dtmf-relay\n\nSignal=5"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := New(Config{Now: clock()})
		r.Received("tcp", us, them, data)
		r.Sent("tcp", us, third, data)
		if out := redacted(data); len(out) != len(data) {
			t.Fatalf("%d octets of %d", len(out), len(data))
		}
		for id := range r.dialogs {
			messages := r.Messages(id)
			if Ladder(messages, nil) == "" || WritePCAP(&bytes.Buffer{}, messages) != nil {
				t.Fatal("not drawn")
			}
			e := NewExporter(ExporterConfig{}, nil)
			for _, m := range messages {
				if p := e.encode(m); int(binary.BigEndian.Uint16(p[4:])) != len(p) {
					t.Fatalf("a packet of %d", len(p))
				}
			}
		}
	})
}
