package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"b2bua/media/srtp"
)

const (
	v4  = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	v4x = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
	pcm = "m=audio 4000 RTP/AVP 0\r\n"
)

// Each rule with the section that makes it. Offers on the left; our answer as
// an outline, and where we send, on the right.
var casesRules = map[string]struct{ offer, answer, sendTo string }{
	"RFC 3264 §6 as many lines, in order":           {v4 + "m=video 6000 RTP/AVP 96\r\n" + pcm + "m=application 9 TCP/MSRP *\r\n", "video 0 96, audio 20000 0 sendrecv, application 0 *", "192.0.2.1:4000"},
	"RFC 3264 §6 first usable audio line":           {v4 + "m=audio 4002 RTP/AVP 18\r\n" + pcm + "m=audio 4004 RTP/AVP 0\r\n", "audio 0 18, audio 20000 0 sendrecv, audio 0 0", "192.0.2.1:4000"},
	"RFC 3264 §5.1 port 0 stays 0":                  {v4 + "m=audio 0 RTP/AVP 0\r\n" + pcm, "audio 0 0, audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 3264 §6.1 sendonly is answered recvonly":   {v4 + pcm + "a=sendonly\r\n", "audio 20000 0 recvonly", "192.0.2.1:4000"},
	"RFC 3264 §6.1 recvonly is answered sendonly":   {v4 + pcm + "a=recvonly\r\n", "audio 20000 0 sendonly", "192.0.2.1:4000"},
	"RFC 3264 §6.1 inactive is answered inactive":   {v4 + pcm + "a=inactive\r\n", "audio 20000 0 inactive", "192.0.2.1:4000"},
	"RFC 3264 §8.4 hold by 0.0.0.0":                 {v4x + "c=IN IP4 0.0.0.0\r\n" + pcm, "audio 20000 0 recvonly", "invalid AddrPort"},
	"RFC 3264 §8.4 hold by 0.0.0.0 of the stream":   {v4 + pcm + "c=IN IP4 0.0.0.0\r\n", "audio 20000 0 recvonly", "invalid AddrPort"},
	"RFC 6157 §3 hold by ::":                        {v4x + "c=IN IP6 ::\r\n" + pcm, "audio 20000 0 recvonly", "invalid AddrPort"},
	"RFC 8866 §6.7 direction of the session":        {v4 + "a=sendonly\r\n" + pcm, "audio 20000 0 recvonly", "192.0.2.1:4000"},
	"RFC 8866 §6.7 direction of the stream wins":    {v4 + "a=sendonly\r\n" + pcm + "a=sendrecv\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 8866 §5.7 connection of the stream wins":   {v4 + pcm + "c=IN IP4 192.0.2.7\r\n", "audio 20000 0 sendrecv", "192.0.2.7:4000"},
	"RFC 8866 §5.7 each stream its own connection":  {v4x + "m=video 6000 RTP/AVP 96\r\nc=IN IP4 192.0.2.8\r\n" + pcm + "c=IN IP4 192.0.2.9\r\n", "video 0 96, audio 20000 0 sendrecv", "192.0.2.9:4000"},
	"RFC 3551 §6 static types need no rtpmap":       {v4 + "m=audio 4000 RTP/AVP 8 0\r\n", "audio 20000 8 sendrecv", "192.0.2.1:4000"},
	"RFC 8866 §6.6 rtpmap in any case":              {v4 + "m=audio 4000 RTP/AVP 97\r\na=RTPMAP:97 pcmu/8000/1\r\n", "audio 20000 97 sendrecv", "192.0.2.1:4000"},
	"RFC 3551 §6 dynamic type without rtpmap":       {v4 + "m=audio 4000 RTP/AVP 96 0\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 4733 §2.4.1 events we both know":           {v4 + "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-11,16\r\n", "audio 20000 0 96(0-11) sendrecv", "192.0.2.1:4000"},
	"RFC 4733 §2.4.1 events 0-16":                   {v4 + "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n", "audio 20000 0 96(0-15) sendrecv", "192.0.2.1:4000"},
	"RFC 4733 §2.4.1 events without a list":         {v4 + "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 Telephone-Event/8000\r\n", "audio 20000 0 96(0-15) sendrecv", "192.0.2.1:4000"},
	"RFC 4733 §2.4.1 no key among the events":       {v4 + "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 32-36\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 4733 §2.1 events tick like the codec":      {v4 + "m=audio 4000 RTP/AVP 0 96 97\r\na=rtpmap:96 telephone-event/48000\r\na=rtpmap:97 telephone-event/8000\r\n", "audio 20000 0 97(0-15) sendrecv", "192.0.2.1:4000"},
	"RFC 4733 §2.1 no events of another clock":      {v4 + "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/16000\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 4585 §4.2 AVPF is not answered as AVP":     {v4 + "m=audio 4000 RTP/AVPF 0\r\na=rtcp-fb:* trr-int 5000\r\n", "audio/RTP/AVPF 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 5124 §3.3 SAVPF beside AVP":                {v4 + "m=audio 4002 RTP/SAVPF 0\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n" + pcm, "audio/RTP/SAVPF 0 0, audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 4568 §5 a hundred keys beside a plain one": {v4 + "m=audio 4002 RTP/SAVP 0\r\n" + strings.Repeat("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n", 100) + pcm, "audio/RTP/SAVP 0 0, audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 5761 §5.1.1 rtcp-mux is not taken up":      {v4 + pcm + "a=rtcp-mux\r\na=rtcp:4001\r\na=ssrc:1 cname:x\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 8839 §4 ICE is not taken up":               {v4 + pcm + "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=candidate:1 1 UDP 1 10.0.0.9 9999 typ host\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 9143 §7 bundles are not taken up":          {v4 + "a=group:BUNDLE a v\r\n" + pcm + "a=mid:a\r\nm=video 4000 RTP/AVP 96\r\na=mid:v\r\n", "audio 20000 0 sendrecv, video 0 96", "192.0.2.1:4000"},
	"RFC 8866 §5.8 bandwidth is passed over":        {v4x + "b=AS:64\r\nc=IN IP4 192.0.2.1\r\n" + pcm + "b=RS:0\r\nb=RR:0\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 8866 §6.4 other packet times":              {v4 + pcm + "a=ptime:30\r\na=maxptime:60\r\n", "audio 20000 0 sendrecv", "192.0.2.1:4000"},
	"RFC 8866 §5 sloppy lines":                      {"\xef\xbb\xbfv=0\nm=audio 4000 RTP/AVP 0  \na=SendOnly \nc=IN IP4 192.0.2.1\nz=0 0\nwhatever\n", "audio 20000 0 recvonly", "192.0.2.1:4000"},
	"RFC 8866 §9 media and profile in lower case":   {v4 + "m=Audio 4000 rtp/avp 0\r\n", "Audio/rtp/avp 20000 0 sendrecv", "192.0.2.1:4000"},
	"own host is not aimed at":                      {v4 + pcm + "c=IN IP4 127.0.0.1\r\n", "audio 20000 0 sendrecv", "invalid AddrPort"},
}

// outlineOf is like outline, with profiles other than RTP/AVP and events.
func outlineOf(d *Description) string {
	var all []string
	for _, m := range mustReparse(d).Media {
		kind := m.Kind
		if m.Proto != "RTP/AVP" && m.RTPProfile() || strings.HasPrefix(m.Proto, "rtp/") {
			kind += "/" + m.Proto
		}
		parts := []string{kind, fmt.Sprint(m.Port)}
		for i, f := range m.Fmt {
			if i < len(m.Formats) && m.Formats[i].FMTP != "" {
				f += "(" + m.Formats[i].FMTP + ")"
			}
			parts = append(parts, f)
		}
		if m.Port != 0 {
			parts = append(parts, m.Direction.String())
		}
		all = append(all, strings.Join(parts, " "))
	}
	return strings.Join(all, ", ")
}

func TestRules(t *testing.T) {
	for name, c := range casesRules {
		t.Run(name, func(t *testing.T) {
			answer, a, err := local("PCMU", "PCMA").Answer(mustParse(t, c.offer))
			if err != nil {
				t.Fatal(err)
			}
			sendTo := a.Remote.String()
			if !a.Remote.Addr().IsValid() {
				sendTo = "invalid AddrPort"
			}
			if got := outlineOf(answer); got != c.answer || sendTo != c.sendTo {
				t.Errorf("got  %s, sent to %s\nwant %s, sent to %s", got, sendTo, c.answer, c.sendTo)
			}
			if body := string(answer.Bytes()); strings.Contains(body, "rtcp-mux") || strings.Contains(body, "ice") || strings.Contains(body, "group") || strings.Contains(body, "mid") {
				t.Errorf("took up what it does not do:\n%s", body)
			}
			if !strings.Contains(string(answer.Bytes()), "a=ptime:20\r\n") {
				t.Error("does not say what it sends")
			}
		})
	}
}

// What is refused, and how a Warning header says why.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		offer string
		code  int
	}{
		"RFC 3261 §20.43 305 no codec in common":        {v4 + "m=audio 4000 RTP/AVP 18 4\r\n", WarnFormat},
		"RFC 3261 §20.43 304 only video":                {v4 + "m=video 4000 RTP/AVP 0\r\n", WarnMediaType},
		"RFC 3261 §20.43 304 no stream":                 {v4, WarnMediaType},
		"RFC 3261 §20.43 302 SAVP":                      {v4 + "m=audio 4000 RTP/SAVP 0\r\n", WarnTransport},
		"RFC 3261 §20.43 302 SAVPF":                     {v4 + "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", WarnTransport},
		"RFC 3261 §20.43 302 over TCP":                  {v4 + "m=audio 4000 TCP/RTP/AVP 0\r\n", WarnTransport},
		"RFC 3261 §20.43 301 a name":                    {v4x + "c=IN IP4 media.example.com\r\n" + pcm, WarnAddress},
		"RFC 3261 §20.43 301 a name of the stream":      {v4 + pcm + "c=IN IP4 localhost\r\n", WarnAddress},
		"RFC 3261 §20.43 301 broadcast":                 {v4x + "c=IN IP4 255.255.255.255\r\n" + pcm, WarnAddress},
		"RFC 3261 §20.43 301 a zone":                    {v4x + "c=IN IP6 fe80::1%eth0\r\n" + pcm, WarnAddress},
		"RFC 3261 §20.43 330 multicast":                 {v4x + "c=IN IP4 224.2.36.42/127\r\n" + pcm, WarnMulticast},
		"RFC 3261 §20.43 330 multicast by IPv6":         {v4x + "c=IN IP6 ff15::101/3\r\n" + pcm, WarnMulticast},
		"RFC 3261 §20.43 300 IPv6 to an IPv4 host":      {v4x + "c=IN IP6 2001:db8::1\r\n" + pcm, WarnNetwork},
		"RFC 3261 §20.43 the stream that came nearest":  {v4 + "m=video 6000 RTP/AVP 96\r\nm=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 18\r\n", WarnFormat},
		"RFC 3551 §6 only a dynamic type, unnamed":      {v4 + "m=audio 4000 RTP/AVP 96\r\n", WarnFormat},
		"RFC 4733 §2.4 telephone-events are no codec":   {v4 + "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", WarnFormat},
		"RFC 3551 §6 static type renamed":               {v4 + "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 opus/48000/2\r\n", WarnFormat},
		"RFC 3551 §4.5.14 another clock rate":           {v4 + "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\n", WarnFormat},
		"RFC 3264 §5 a stream that would be two, named": {v4 + "m=audio 4000/2 RTP/AVP 18\r\n", WarnFormat},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := local("PCMU", "PCMA").Answer(mustParse(t, c.offer))
			if code, text := Warning(err); !errors.Is(err, ErrNoCommonCodec) || code != c.code || text == "" {
				t.Errorf("%d %q: %v", code, text, err)
			}
			// An answer of that kind is refused for the same reason, but for
			// the place of the stream.
			d := mustParse(t, c.offer)
			if len(d.Media) == 1 {
				if _, err := local("PCMU", "PCMA").Accept(d); err == nil {
					t.Error("taken as an answer")
				}
			}
		})
	}
	for _, body := range casesRefused {
		if len(body) > 0 {
			_, err := Parse([]byte(body))
			if code, _ := Warning(err); code != WarnOther {
				t.Errorf("%d for %v", code, err)
			}
			break
		}
	}
}

func TestIPv6(t *testing.T) {
	l := local("PCMU")
	l.Addr = netip.MustParseAddr("2001:db8::1")
	offer := v4x + "c=IN IP6 2001:db8::9\r\n" + pcm
	answer, a, err := l.Answer(mustParse(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	if a.Remote.String() != "[2001:db8::9]:4000" || !strings.Contains(string(answer.Bytes()), "c=IN IP6 2001:db8::1\r\n") {
		t.Errorf("sent to %s\n%s", a.Remote, answer.Bytes())
	}
	if _, _, err := l.Answer(mustParse(t, v4+pcm)); err == nil {
		t.Error("takes IPv4")
	}
}

// RFC 3264 §8: an answer has the streams of its offer, whatever they are, and a
// later offer those of the description before; a refused stream keeps profile
// and formats.
func TestStreamsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := rapid.SampledFrom([]string{
			pcm, "m=audio 0 RTP/AVP 0\r\n", "m=audio 4000 RTP/AVP 18\r\n", "m=video 4000 RTP/AVP 96\r\n",
			"m=image 4000 udptl t38\r\n", "m=audio 4000 RTP/SAVP 0 8\r\n", "m=audio 4000 RTP/AVPF 8\r\n",
		})
		body := v4 + strings.Join(rapid.SliceOfN(stream, 1, 8).Draw(t, "streams"), "")
		offer, err := Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		l := local("PCMU", "PCMA")
		answer, a, err := l.Answer(offer)
		if err != nil {
			return
		}
		l.Layout, l.Index = a.Layout, a.Index
		for what, d := range map[string]*Description{"answer": mustReparse(answer), "later offer": mustReparse(l.Offer())} {
			if len(d.Media) != len(offer.Media) {
				t.Fatalf("%s has %d streams, not %d", what, len(d.Media), len(offer.Media))
			}
			open := 0
			for i, m := range d.Media {
				was := offer.Media[i]
				if m.Kind != was.Kind || m.Proto != was.Proto || was.Port == 0 && m.Port != 0 && what == "answer" {
					t.Fatalf("%s: %s became %s", what, was.String(), m.String())
				}
				if m.Port != 0 {
					open++
				} else if fmt.Sprint(m.Fmt) != fmt.Sprint(was.Fmt) {
					t.Fatalf("%s: %v refused as %v", what, was.Fmt, m.Fmt)
				}
			}
			if open > 1 {
				t.Fatalf("%s: %d streams", what, open)
			}
		}
	})
}

func TestEventSet(t *testing.T) {
	for list, want := range map[string]string{
		"": "0-15", "0-15": "0-15", "0-16": "0-15", "0-11": "0-11", "0,1,2, 5": "0-2,5", "11": "11", "66,70": "",
		"x": "0-15", "5-3": "0-15", "0-300": "0-15", "15": "15", "0-9,10-15,32": "0-15",
	} {
		if got := eventSet(list).String(); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

// Whatever is offered: the answer keeps to the rules that hold for all of them.
func FuzzAnswer(f *testing.F) {
	for _, c := range casesRules {
		f.Add([]byte(c.offer))
	}
	f.Add([]byte(v4 + savp + cm80 + cm32))
	f.Add([]byte(v4 + "m=audio 4000 RTP/AVP 111 110 13\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n" + cm80))
	f.Fuzz(func(t *testing.T, body []byte) {
		offer, err := Parse(body)
		if err != nil {
			return
		}
		l := wide()
		l.SRTP, l.Keys, l.RTCPMux = Optional, fuzzKeys, true
		answer, a, err := l.Answer(offer)
		if err != nil {
			if !errors.Is(err, ErrNoCommonCodec) {
				t.Fatal(err)
			}
			return
		}
		again, err := Parse(answer.Bytes())
		if err != nil || len(again.Media) != len(offer.Media) {
			t.Fatalf("%v\n%s", err, answer.Bytes())
		}
		if to := a.Remote.Addr(); to.IsMulticast() || to == broadcast || to.IsUnspecified() || to.IsLoopback() {
			t.Fatalf("would send to %s", to)
		}
		if a.Direction.Sends() && !offer.Media[a.Index].Direction.Receives() {
			t.Fatalf("would send to a far end that is %s", offer.Media[a.Index].Direction)
		}
		if a.Ours.Valid() != a.Theirs.Valid() || !a.Ours.Valid() && len(a.Send) > 0 && !offer.Media[a.Index].plain() {
			t.Fatalf("encrypts with %v, decrypts with %v", a.Ours, a.Theirs)
		}
		l.Layout, l.Index, l.Bound, l.InUse = a.Layout, a.Index, a.Bound, a.Ours
		if n := len(l.Offer().Media); n != len(offer.Media) {
			t.Fatalf("%d streams became %d", len(offer.Media), n)
		}
		if _, err := Parse(l.Offer().Bytes()); err != nil {
			t.Fatalf("own offer refused: %v", err)
		}
	})
}

var fuzzKeys = srtp.NewSet()
