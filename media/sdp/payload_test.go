package sdp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	opus = Format{PT: 255, Name: "opus", Rate: 48000, Channels: 2, FMTP: "useinbandfec=1"}
	l16  = Format{PT: 255, Name: "L16", Rate: 16000, Channels: 1}
	g722 = Format{PT: 9, Name: "G722", Rate: 8000, Channels: 1}
)

func wide() Local {
	l := local("PCMU")
	l.Codecs = append([]Format{opus, g722}, append(l.Codecs, l16)...)
	l.ComfortNoise = true
	return l
}

// maps lists the formats of a stream as its attributes do.
func maps(m Media) string {
	var all []string
	for _, f := range m.Formats {
		s := fmt.Sprintf("%d %s/%d", f.PT, f.Name, f.Rate)
		if f.Channels > 1 {
			s += fmt.Sprintf("/%d", f.Channels)
		}
		if f.FMTP != "" {
			s += " " + f.FMTP
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

// RFC 3551 §6: codecs without a number of their own get a free one; RFC 4733
// §2.1: events tick like their codec, so there are as many kinds as clocks.
func TestOfferHasNumbersForAll(t *testing.T) {
	const want = "96 opus/48000/2 useinbandfec=1, 9 G722/8000, 0 PCMU/8000, 97 L16/16000, " +
		"98 telephone-event/48000 0-15, 101 telephone-event/8000 0-15, 99 telephone-event/16000 0-15, 13 CN/8000"
	if got := maps(mustReparse(wide().Offer()).Media[0]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Answers to offers of all kinds, and what is sent under which number.
func TestPayloadTypes(t *testing.T) {
	for name, c := range map[string]struct{ offer, answer, use string }{
		"RFC 7587 §7 opus has two channels and a clock of 48 kHz": {
			"m=audio 4000 RTP/AVP 111 0\r\na=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 maxplaybackrate=16000; cbr=1\r\n",
			"111 opus/48000/2 useinbandfec=1", "send 111 maxplaybackrate=16000; cbr=1, event -1, noise -1"},
		"RFC 7587 §7 opus with one channel is another codec": {
			"m=audio 4000 RTP/AVP 111 0\r\na=rtpmap:111 opus/48000\r\n", "0 PCMU/8000", "send 0 , event -1, noise -1"},
		"RFC 4733 §2.1 events of the codec's clock": {
			"m=audio 4000 RTP/AVP 111 0 100 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:100 telephone-event/8000\r\na=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-16\r\n",
			"111 opus/48000/2 useinbandfec=1, 110 telephone-event/48000 0-15", "send 111 , event 110, noise -1"},
		"RFC 3551 §4.5.2 G.722 has a clock of 8 kHz, and so have its events": {
			"m=audio 4000 RTP/AVP 9 100 13\r\na=rtpmap:100 telephone-event/8000\r\n",
			"9 G722/8000, 100 telephone-event/8000 0-15, 13 CN/8000", "send 9 , event 100, noise 13"},
		"RFC 3389 §5 comfort noise at 8 kHz only": {
			"m=audio 4000 RTP/AVP 111 13\r\na=rtpmap:111 opus/48000/2\r\n", "111 opus/48000/2 useinbandfec=1", "send 111 , event -1, noise -1"},
		"RFC 3389 §5 comfort noise under another number": {
			"m=audio 4000 RTP/AVP 0 98\r\na=rtpmap:98 CN/8000\r\n", "0 PCMU/8000, 98 CN/8000", "send 0 , event -1, noise 98"},
		"a static codec under a number of its own": {
			"m=audio 4000 RTP/AVP 120\r\na=rtpmap:120 g722/8000\r\n", "120 G722/8000", "send 120 , event -1, noise -1"},
	} {
		t.Run(name, func(t *testing.T) {
			d, a, err := wide().Answer(mustParse(t, v4+c.offer))
			if err != nil {
				t.Fatal(err)
			}
			use := fmt.Sprintf("send %d %s, event %d, noise %d", a.Send[0].PT, a.Send[0].FMTP, a.SendEvent, a.SendNoise)
			if got := maps(mustReparse(d).Media[0]); got != c.answer || use != c.use {
				t.Errorf("got  %s; %s\nwant %s; %s", got, use, c.answer, c.use)
			}
		})
	}
}

// RFC 3264 §5.1: each side has its own numbers, and is sent what it asked for
// under them.
func TestNumbersDiffer(t *testing.T) {
	l := wide()
	a, err := l.Accept(mustParse(t, v4+"m=audio 4000 RTP/AVP 120 121 0\r\na=rtpmap:120 opus/48000/2\r\na=fmtp:120 stereo=0\r\na=rtpmap:121 telephone-event/48000\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Send[0].PT != 120 || a.Send[0].FMTP != "stereo=0" || a.Recv[0].PT != 96 || a.SendEvent != 121 || a.RecvEvent != 98 || len(a.RecvEvents) != 3 {
		t.Errorf("%+v", a)
	}
}

// RFC 8866 §6.4, §6.5: what the far end wants in a packet.
func TestPacketTime(t *testing.T) {
	for lines, want := range map[string]int{
		"": 20, "a=ptime:10\r\n": 10, "a=ptime:30\r\n": 30, "a=ptime:60\r\n": 60, "a=ptime:120\r\n": 60, "a=ptime:5\r\n": 10,
		"a=ptime:25\r\n": 20, "a=maxptime:10\r\n": 10, "a=ptime:60\r\na=maxptime:40\r\n": 40, "a=maxptime:5\r\n": 10, "a=maxptime:100\r\n": 20,
	} {
		_, a, err := local("PCMU").Answer(mustParse(t, v4+pcm+lines))
		if err != nil || a.PTime != time.Duration(want)*time.Millisecond {
			t.Errorf("%q: %s, want %d ms (%v)", lines, a.PTime, want, err)
		}
		if a, err = local("PCMU").Accept(mustParse(t, v4+pcm+lines)); err != nil || a.PTime != time.Duration(want)*time.Millisecond {
			t.Errorf("%q in an answer: %s, want %d ms (%v)", lines, a.PTime, want, err)
		}
	}
}

// RFC 5761 §5.1.1: RTCP on the RTP port when both want it.
func TestMux(t *testing.T) {
	l := local("PCMU")
	l.RTCPMux = true
	if text := string(l.Offer().Bytes()); !strings.Contains(text, "a=rtcp-mux\r\n") || !strings.Contains(text, "a=rtcp:20001\r\n") {
		t.Errorf("an offer needs both, for those who do not know it:\n%s", text)
	}
	for lines, want := range map[string]string{
		"": "false 192.0.2.1:4001", "a=rtcp-mux\r\n": "true 192.0.2.1:4000", "a=rtcp-mux\r\na=rtcp:5001\r\n": "true 192.0.2.1:4000", "a=rtcp:5001\r\n": "false 192.0.2.1:5001",
	} {
		d, a, err := l.Answer(mustParse(t, v4+pcm+lines))
		if got := fmt.Sprint(a.RTCPMux, " ", a.RemoteRTCP); err != nil || got != want {
			t.Errorf("%q: %s, want %s (%v)", lines, got, want, err)
		}
		if text := string(d.Bytes()); strings.Contains(text, "a=rtcp-mux") != a.RTCPMux || strings.Contains(text, "a=rtcp:") == a.RTCPMux {
			t.Errorf("%q is answered by\n%s", lines, text)
		}
		b, err := l.Accept(mustParse(t, v4+pcm+lines))
		if got := fmt.Sprint(b.RTCPMux, " ", b.RemoteRTCP); err != nil || got != want {
			t.Errorf("%q in an answer: %s, want %s (%v)", lines, got, want, err)
		}
	}
	if d, a, _ := local("PCMU").Answer(mustParse(t, v4+pcm+"a=rtcp-mux\r\n")); a.RTCPMux || d.Media[0].RTCPMux {
		t.Error("taken without being wanted")
	}
}

// RFC 3264 §8.3.2: through any number of exchanges, a number in our descriptions
// never stands for something else.
func TestNumbersKeepTheirMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sides := [2]Local{wide(), wide()}
		for i := range sides {
			sides[i].Codecs = rapid.Permutation(sides[i].Codecs).Draw(t, "codecs")[:rapid.IntRange(1, 4).Draw(t, "n")]
			sides[i].EventPT = rapid.SampledFrom([]int{NoPT, 96, 97, 101}).Draw(t, "events")
		}
		meaning := map[uint8]Format{}
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			from, to := &sides[0], &sides[1]
			if rapid.Bool().Draw(t, "turn") {
				from, to = to, from
			}
			offer := from.Offer()
			answer, theirs, err := to.Answer(mustReparse(offer))
			if err != nil {
				return
			}
			ours, err := from.Accept(mustReparse(answer))
			if err != nil {
				t.Fatal(err)
			}
			if ours.SendEvent != theirs.RecvEvent || theirs.SendEvent != ours.RecvEvent || ours.SendNoise != theirs.RecvNoise || theirs.SendNoise != ours.RecvNoise {
				t.Fatalf("events or noise differ: %+v and %+v", ours, theirs)
			}
			for _, m := range []Media{offer.Media[0], answer.Media[0]} {
				seen := map[uint8]bool{}
				for _, f := range m.Formats {
					if was, ok := meaning[f.PT]; ok && !was.same(f) || seen[f.PT] || f.PT > lastDynamic {
						t.Fatalf("%d was %v and is %v in %s", f.PT, was, f, maps(m))
					}
					seen[f.PT], meaning[f.PT] = true, f
				}
			}
			for side, a := range map[*Local]Agreement{from: ours, to: theirs} {
				side.Layout, side.Index, side.Bound = a.Layout, a.Index, a.Bound
			}
		}
	})
}
