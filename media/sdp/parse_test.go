package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/sdp/v3"

	"b2bua/media/srtp"
)

func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

// audioOffer is a plain description of a phone, with more lines behind it.
func audioOffer(more ...string) string {
	return lines(append([]string{
		"v=0", "o=alice 123 456 IN IP4 192.0.2.1", "s=call", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000",
	}, more...)...)
}

// casesParse are descriptions that must be understood, with what the first
// stream must come to.
var casesParse = map[string]struct {
	body string
	want string // Media.String, address and more
}{
	"plain":            {audioOffer(), "audio 4000 RTP/AVP [0=PCMU 8=PCMA 101=telephone-event] sendrecv 192.0.2.1"},
	"LF only":          {strings.ReplaceAll(audioOffer("a=sendonly"), "\r\n", "\n"), "audio 4000 RTP/AVP [0=PCMU 8=PCMA 101=telephone-event] sendonly 192.0.2.1"},
	"no t=, no s=":     {lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8"), "audio 4000 RTP/AVP [8=PCMA] sendrecv 192.0.2.1"},
	"b= before c=":     {lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "b=AS:80", "c=IN IP4 192.0.2.2", "t=0 0", "m=audio 4000 RTP/AVP 0", "b=TIAS:64000", "c=IN IP4 192.0.2.3"), "audio 4000 RTP/AVP [0=PCMU] sendrecv 192.0.2.3"},
	"unknown lines":    {"x=1\r\nwhat is this\r\n" + audioOffer("y=2", "a=unknown:thing", "a="), "audio 4000 RTP/AVP [0=PCMU 8=PCMA 101=telephone-event] sendrecv 192.0.2.1"},
	"no trailing EOL":  {strings.TrimSpace(audioOffer("a=recvonly")), "audio 4000 RTP/AVP [0=PCMU 8=PCMA 101=telephone-event] recvonly 192.0.2.1"},
	"session hold":     {lines("v=0", "c=IN IP4 0.0.0.0", "a=inactive", "m=audio 4000 RTP/AVP 0"), "audio 4000 RTP/AVP [0=PCMU] inactive 0.0.0.0"},
	"IPv6":             {lines("v=0", "c=IN IP6 2001:db8::1", "m=audio 4000 RTP/AVP 0"), "audio 4000 RTP/AVP [0=PCMU] sendrecv 2001:db8::1"},
	"host name":        {lines("v=0", "c=IN IP4 media.example.com", "m=audio 4000 RTP/AVP 0"), "audio 4000 RTP/AVP [0=PCMU] sendrecv invalid IP"},
	"port count":       {lines("v=0", "m=audio 4000/2 RTP/AVP 0"), "audio 4000 RTP/AVP [0=PCMU] sendrecv invalid IP"},
	"dynamic unnamed":  {lines("v=0", "m=audio 4000 RTP/AVP 96"), "audio 4000 RTP/AVP [96=] sendrecv invalid IP"},
	"renamed static":   {lines("v=0", "m=audio 4000 RTP/AVP 0", "a=rtpmap:0 opus/48000/2", "a=rtpmap:77 ghost/8000"), "audio 4000 RTP/AVP [0=opus] sendrecv invalid IP"},
	"not RTP":          {lines("v=0", "m=image 4000 udptl t38", "a=rtpmap:x", "a=fmtp:y z"), "image 4000 udptl [] sendrecv invalid IP"},
	"v= missing":       {lines("m=audio 4000 RTP/AVP 0"), "audio 4000 RTP/AVP [0=PCMU] sendrecv invalid IP"},
	"ptime fraction":   {audioOffer("a=ptime:20.0", "a=maxptime:0"), "audio 4000 RTP/AVP [0=PCMU 8=PCMA 101=telephone-event] sendrecv 192.0.2.1"},
	"spaces all about": {lines("v=0 ", "c= IN IP4 192.0.2.1 ", "m= audio  4000 RTP/AVP  0 8 ", "a=rtpmap:8  PCMA/8000 "), "audio 4000 RTP/AVP [0=PCMU 8=PCMA] sendrecv 192.0.2.1"},
}

// casesRefused must be called malformed.
var casesRefused = map[string]string{
	"empty":            "",
	"junk":             "hello",
	"port too big":     lines("v=0", "m=audio 65536 RTP/AVP 0"),
	"port negative":    lines("v=0", "m=audio -1 RTP/AVP 0"),
	"payload type":     lines("v=0", "m=audio 4000 RTP/AVP 128"),
	"payload type -1":  lines("v=0", "m=audio 4000 RTP/AVP -1"),
	"no profile":       lines("v=0", "m=audio 4000"),
	"rtpmap PT":        audioOffer("a=rtpmap:300 x/8000"),
	"clock rate 0":     audioOffer("a=rtpmap:8 PCMA/0"),
	"clock rate":       audioOffer("a=rtpmap:8 PCMA/99999999999"),
	"channels":         audioOffer("a=rtpmap:8 PCMA/8000/1000"),
	"ptime negative":   audioOffer("a=ptime:-20"),
	"ptime huge":       audioOffer("a=ptime:2147483648"),
	"ptime word":       audioOffer("a=ptime:short"),
	"ptime NaN":        audioOffer("a=ptime:NaN"),
	"short c=":         lines("v=0", "c=IN", "m=audio 4000 RTP/AVP 0"),
	"rtcp port":        audioOffer("a=rtcp:70000"),
	"rtcp empty":       audioOffer("a=rtcp:"),
	"control":          lines("v=0", "m=audio\x00 4000 RTP/AVP 0"),
	"bare CR":          lines("v=0", "m=audio 4000 RTP/AVP 0\rm=x"),
	"nine streams":     lines("v=0") + strings.Repeat(lines("m=audio 4000 RTP/AVP 0"), 9),
	"many formats":     lines("v=0", "m=audio 4000 RTP/AVP"+strings.Repeat(" 0", 100)),
	"many attributes":  audioOffer() + strings.Repeat("a=x\r\n", 8000),
	"larger than 64kB": audioOffer() + "a=" + strings.Repeat("x", 70000),
}

func (m *Media) told() string { return m.String() + " " + m.Addr.String() }

func TestParse(t *testing.T) {
	for name, c := range casesParse {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Media) != 1 || d.Media[0].told() != c.want {
				t.Errorf("got  %s\nwant %s", d.Media[0].told(), c.want)
			}
		})
	}
}

func TestParseDetails(t *testing.T) {
	d, err := Parse([]byte(audioOffer("a=ptime:30", "a=maxptime:60", "a=rtcp:5001 IN IP4 192.0.2.9", "a=rtcp-mux", "a=fmtp:101 0-16")))
	if err != nil {
		t.Fatal(err)
	}
	m := d.Media[0]
	f, _ := m.FormatPT(101)
	if m.PTime != 30*time.Millisecond || m.MaxPTime != 60*time.Millisecond || !m.RTCPMux || f.FMTP != "0-16" ||
		m.RTCP != netip.MustParseAddrPort("192.0.2.9:5001") || d.Origin.ID != 123 || d.Origin.Version != 456 || d.Name != "call" {
		t.Errorf("%+v %+v", d, m)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, body := range casesRefused {
		t.Run(name, func(t *testing.T) {
			if d, err := Parse([]byte(body)); !errors.Is(err, ErrSyntax) {
				t.Errorf("%v, %v", d, err)
			}
		})
	}
}

// What parses must say the same when it is written and parsed again.
func FuzzParse(f *testing.F) {
	for _, c := range casesParse {
		f.Add([]byte(c.body))
	}
	f.Add([]byte(audioOffer(strings.TrimSpace(cm80), strings.TrimSpace(cm32), strings.TrimSpace(f8))))
	for _, body := range casesRefused {
		if len(body) < 4000 {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body)
		if err != nil {
			if !errors.Is(err, ErrSyntax) {
				t.Fatal(err)
			}
			return
		}
		agreesWithPion(t, body, d)
		again, err := Parse(d.Bytes())
		if err != nil {
			t.Fatalf("own description refused: %v\n%s", err, d.Bytes())
		}
		if len(again.Media) != len(d.Media) {
			t.Fatalf("%d streams became %d", len(d.Media), len(again.Media))
		}
		for i := range d.Media {
			was, is := d.Media[i].told(), again.Media[i].told()
			if d.Media[i].Port != 0 && !slices.EqualFunc(d.Media[i].Crypto, again.Media[i].Crypto, srtp.Crypto.Same) {
				t.Fatalf("keys %v became %v", d.Media[i].Crypto, again.Media[i].Crypto)
			}
			// A refused stream keeps its place only; an address a stream lost
			// to a name is the session's when read again.
			if d.Media[i].Port != 0 && d.Media[i].Addr.IsValid() && was != is {
				t.Fatalf("%s\nbecame %s", was, is)
			}
		}
	})
}

// agreesWithPion compares with another reader, where that one can read it.
func agreesWithPion(t *testing.T, body []byte, d *Description) {
	var p pion.SessionDescription
	if p.Unmarshal(body) != nil {
		return
	}
	if len(p.MediaDescriptions) != len(d.Media) {
		t.Fatalf("%d streams, pion sees %d", len(d.Media), len(p.MediaDescriptions))
	}
	for i, m := range p.MediaDescriptions {
		ours := d.Media[i]
		if m.MediaName.Port.Value != ours.Port || m.MediaName.Media != ours.Kind || fmt.Sprint(m.MediaName.Formats) != fmt.Sprint(ours.Fmt) {
			t.Fatalf("%v, pion sees %v", ours, m.MediaName)
		}
	}
}
