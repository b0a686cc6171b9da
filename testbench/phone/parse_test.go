package phone

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

func FuzzMessage(f *testing.F) {
	f.Add([]byte("INVITE sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: c\r\nCSeq: 1 INVITE\r\nl: 2\r\n\r\nab"))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		if err != nil {
			return
		}
		_, _ = m.cseq()
		_ = m.branch() + uriOf(m.get("Contact")) + userOf(m.uri) + caption(m)
		_, _ = hostOf(m.uri)
		again, err := parse(m.bytes())
		if err == nil && (again.code != m.code || again.uri != m.uri || !bytes.Equal(again.body, m.body) && m.get("Content-Length") == "") {
			t.Errorf("%q is written as %q", data, m.bytes())
		}
	})
}

func FuzzSDP(f *testing.F) {
	at := netip.MustParseAddrPort("10.0.0.1:4000")
	f.Add(describe(1, 1, at, []string{PCMU, PCMA}, nil, eventType, SendOnly, protection{secure, []cryptoLine{randomLine(1, CM80)}}))
	f.Add([]byte("v=0\nm=audio 1 RTP/AVP 0\nc=IN IP6 ::1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSDP(data)
		if err != nil {
			return
		}
		var plain []string
		types := map[string]int{}
		for _, c := range s.codecs {
			if _, ok := payloadTypes[c]; ok && !contains(plain, c) {
				plain = append(plain, c)
				types[c] = s.types[c]
			}
		}
		if len(plain) == 0 || s.at.Addr().Zone() != "" {
			return
		}
		again, err := parseSDP(describe(1, 1, s.at, plain, types, -1, s.direction, protection{s.profile, s.crypto}))
		if err != nil || again.at != s.at || again.direction != s.direction || !reflect.DeepEqual(again.codecs, plain) {
			t.Errorf("%+v reads again as %+v, %v", s, again, err)
		}
	})
}

func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xff})
	f.Add([]byte{0xb1, 101, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, ok := parseRTP(data); ok && len(p.payload) > len(data) {
			t.Error("more payload than packet")
		}
	})
}
