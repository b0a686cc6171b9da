package sdp

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func local(codecs ...string) Local {
	l := Local{Addr: netip.MustParseAddr("198.51.100.1"), Port: 20000, RTCP: 20001, EventPT: 101}
	for _, c := range codecs {
		l.Codecs = append(l.Codecs, Format{PT: map[string]uint8{"PCMU": 0, "PCMA": 8}[c], Name: c, Rate: 8000, Channels: 1})
	}
	return l
}

func mustParse(t testing.TB, body string) *Description {
	t.Helper()
	d, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// With offers on the left and our answers' m= lines and directions on the
// right.
func TestAnswer(t *testing.T) {
	const audio = "m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"
	for name, c := range map[string]struct {
		local Local
		offer string
		want  string
		held  bool
		err   error
	}{
		"their order":     {local("PCMU", "PCMA"), audio, "audio 20000 8 96 sendrecv", false, nil},
		"only ours":       {local("PCMU"), audio, "audio 20000 0 96 sendrecv", false, nil},
		"preferred":       {Local{Prefer: "PCMU", Port: 1024, EventPT: NoPT, Codecs: local("PCMA", "PCMU").Codecs}, audio, "audio 1024 0 sendrecv", false, nil},
		"no events":       {local("PCMU"), "m=audio 4000 RTP/AVP 0\r\n", "audio 20000 0 sendrecv", false, nil},
		"hold":            {local("PCMU"), audio + "a=sendonly\r\n", "audio 20000 0 96 recvonly", true, nil},
		"hold, inactive":  {local("PCMU"), audio + "a=inactive\r\n", "audio 20000 0 96 inactive", true, nil},
		"hold, 2543":      {local("PCMU"), "c=IN IP4 0.0.0.0\r\n" + audio, "audio 20000 0 96 recvonly", true, nil},
		"recvonly":        {local("PCMU"), audio + "a=recvonly\r\n", "audio 20000 0 96 sendonly", false, nil},
		"video first":     {local("PCMU"), "m=video 5000 RTP/AVP 99\r\n" + audio + "m=image 6000 udptl t38\r\n", "video 0 99, audio 20000 0 96 sendrecv, image 0 t38", false, nil},
		"secure and not":  {local("PCMU"), "m=audio 5000 RTP/SAVP 0\r\n" + audio, "audio 0 0, audio 20000 0 96 sendrecv", false, nil},
		"AVPF stays AVPF": {local("PCMU"), "m=audio 4000 RTP/AVPF 0\r\n", "audio 20000 0 sendrecv", false, nil},
		"removed":         {local("PCMU"), "m=audio 0 RTP/AVP 0\r\n", "audio 0 0", true, nil},
		"other codec":     {local("PCMU"), "m=audio 4000 RTP/AVP 18\r\n", "", false, ErrNoCommonCodec},
		"unnamed":         {local("PCMU"), "m=audio 4000 RTP/AVP 96\r\n", "", false, ErrNoCommonCodec},
		"only secure":     {local("PCMU"), "m=audio 4000 RTP/SAVP 0\r\n", "", false, ErrNoCommonCodec},
		"only video":      {local("PCMU"), "m=video 4000 RTP/AVP 0\r\n", "", false, ErrNoCommonCodec},
		"no stream":       {local("PCMU"), "", "", false, ErrNoCommonCodec},
		"wrong rate":      {local("PCMU"), "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\n", "", false, ErrNoCommonCodec},
	} {
		t.Run(name, func(t *testing.T) {
			offer := mustParse(t, "v=0\r\nc=IN IP4 192.0.2.1\r\n"+c.offer)
			answer, a, err := c.local.Answer(offer)
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if got := outline(answer); got != c.want || a.Held != c.held {
				t.Errorf("got  %s, held %v\nwant %s, held %v", got, a.Held, c.want, c.held)
			}
			for i := range offer.Media {
				if offer.Media[i].Proto != answer.Media[i].Proto {
					t.Errorf("stream %d: %s answered by %s", i, offer.Media[i].Proto, answer.Media[i].Proto)
				}
			}
		})
	}
}

func outline(d *Description) string {
	var all []string
	for _, m := range mustReparse(d).Media {
		parts := append([]string{m.Kind, map[bool]string{true: "0"}[m.Port == 0]}, m.Fmt...)
		if m.Port != 0 {
			parts[1] = portOf(m)
			parts = append(parts, m.Direction.String())
		}
		all = append(all, strings.Join(parts, " "))
	}
	return strings.Join(all, ", ")
}

func portOf(m Media) string { return strings.Fields(m.String())[1] }

func mustReparse(d *Description) *Description {
	again, err := Parse(d.Bytes())
	if err != nil {
		panic(err)
	}
	return again
}

func TestAccept(t *testing.T) {
	l := local("PCMU", "PCMA")
	for name, c := range map[string]struct {
		answer string
		use    uint8
		event  int
		held   bool
		err    error
	}{
		"first":         {"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", 0, 101, false, nil},
		"second":        {"m=audio 4000 RTP/AVP 8\r\n", 8, NoPT, false, nil},
		"own PTs":       {"m=audio 4000 RTP/AVP 110 97\r\na=rtpmap:110 pcma/8000\r\na=rtpmap:97 telephone-event/8000\r\n", 110, 97, false, nil},
		"on hold":       {"a=inactive\r\nm=audio 4000 RTP/AVP 0\r\n", 0, NoPT, true, nil},
		"refused":       {"m=audio 0 RTP/AVP 0\r\n", 0, 0, false, ErrNoCommonCodec},
		"codec unasked": {"m=audio 4000 RTP/AVP 18\r\n", 0, 0, false, ErrNoCommonCodec},
		"no stream":     {"", 0, 0, false, ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := l.Accept(mustParse(t, "v=0\r\nc=IN IP4 192.0.2.1\r\n"+c.answer))
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			if err == nil && (a.Send[0].PT != c.use || a.SendEvent != c.event || a.Held != c.held || a.Remote.String() != "192.0.2.1:4000" || a.RemoteRTCP.Port() != 4001) {
				t.Errorf("%+v", a)
			}
		})
	}
}

// A later offer keeps the streams where they were, refused ones too.
func TestOfferKeepsLayout(t *testing.T) {
	l := local("PCMU")
	_, a, err := l.Answer(mustParse(t, "v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 5000 RTP/AVP 99\r\nm=audio 4000 RTP/AVPF 0\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	l.Layout, l.Index = a.Layout, a.Index
	offer := l.Offer()
	if got := outline(offer); got != "video 0 99, audio 20000 0 101 sendrecv" || offer.Media[1].Proto != "RTP/AVPF" {
		t.Errorf("%s over %s", got, offer.Media[1].Proto)
	}
	if _, err := l.Accept(mustParse(t, "v=0\r\nm=video 0 RTP/AVP 99\r\nm=audio 4000 RTP/AVPF 0\r\n")); err != nil {
		t.Error(err)
	}
}

func TestOfferPrefers(t *testing.T) {
	l := local("PCMU", "PCMA")
	l.Prefer = "pcma"
	if got := outline(l.Offer()); got != "audio 20000 8 0 101 sendrecv" {
		t.Error(got)
	}
	if l.Codecs[0].Name != "PCMU" {
		t.Error("the list itself was changed")
	}
}

func TestVersions(t *testing.T) {
	v := NewVersions(7)
	version := func(d *Description) uint64 { return mustReparseBytes(v.Stamp(d)).Origin.Version }
	l := local("PCMU")
	first := version(l.Offer())
	if again := version(l.Offer()); again != first {
		t.Errorf("%d without a change, after %d", again, first)
	}
	l.Direction = SendOnly
	if hold := version(l.Offer()); hold != first+1 {
		t.Errorf("%d with one change, after %d", hold, first)
	}
	l.Direction = SendRecv
	if back := version(l.Offer()); back != first+2 {
		t.Errorf("%d with two changes, after %d", back, first)
	}
}

func mustReparseBytes(b []byte) *Description {
	d, err := Parse(b)
	if err != nil {
		panic(err)
	}
	return d
}

// Whoever offers and answers: both sides agree on codec, payload types and who
// sends.
func TestBothSidesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codecs := rapid.Permutation([]string{"PCMU", "PCMA"})
		sides := [2]Local{}
		for i := range sides {
			sides[i] = local(codecs.Draw(t, "codecs")[:rapid.IntRange(1, 2).Draw(t, "n")]...)
			sides[i].Direction = Direction(rapid.IntRange(0, 3).Draw(t, "direction"))
			sides[i].EventPT = rapid.SampledFrom([]int{NoPT, 96, 101}).Draw(t, "events")
			sides[i].Prefer = rapid.SampledFrom([]string{"", "PCMA"}).Draw(t, "prefer")
		}
		answer, theirs, err := sides[1].Answer(mustReparse(sides[0].Offer()))
		if err != nil {
			if !errors.Is(err, ErrNoCommonCodec) {
				t.Fatal(err)
			}
			return
		}
		ours, err := sides[0].Accept(mustReparse(answer))
		if err != nil {
			t.Fatal(err)
		}
		if ours.Send[0].Name != theirs.Send[0].Name || !slices.ContainsFunc(theirs.Recv, func(f Format) bool { return f.PT == ours.Send[0].PT }) {
			t.Fatalf("we send %v, they take %v", ours.Send, theirs.Recv)
		}
		if ours.SendEvent != theirs.RecvEvent || theirs.SendEvent != ours.RecvEvent {
			t.Fatalf("events %d/%d and %d/%d", ours.SendEvent, ours.RecvEvent, theirs.SendEvent, theirs.RecvEvent)
		}
		if ours.Direction != theirs.Direction.Reverse() {
			t.Fatalf("we %s, they %s", ours.Direction, theirs.Direction)
		}
	})
}

// Reports go to the stream's host, whatever address a=rtcp names.
func TestReportsGoToTheStreamsHost(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "192.0.2.1:4001",
		"a=rtcp:5001\r\n":              "192.0.2.1:5001",
		"a=rtcp:5001 IN IP4 192.0.2.1": "192.0.2.1:5001",
		"a=rtcp:53 IN IP4 192.0.2.9":   "192.0.2.1:53",
	} {
		d := mustParse(t, audioOffer(line))
		_, a, err := local("PCMU").Answer(d)
		if err != nil {
			t.Fatal(err)
		}
		want = strings.Replace(want, "192.0.2.1", a.Remote.Addr().String(), 1)
		if a.RemoteRTCP.String() != want {
			t.Errorf("%q: %s, want %s", line, a.RemoteRTCP, want)
		}
	}
}
