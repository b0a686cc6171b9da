package media_test

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// talkBoth lets both talk and gives the levels at which each hears the other.
func talkBoth(alice, bob *peer) (aliceHears, bobHears float64) {
	tones := func() {
		together(
			func() { alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) }) },
			func() { bob.talk(50, func(i int) []byte { return bob.tone(i, 700, 8000) }) })
	}
	tones() // until the way of the bridge has settled
	alice.forget()
	bob.forget()
	tones()
	return level(alice.audio(), 700), level(bob.audio(), 500)
}

// A far end changes its codec, its payload type, its port and its host: the
// bridge goes on, by packets where both speak the same, else by frames.
func TestRenegotiationUnderABridge(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		tape := &ear{}
		media.Bridge(a, z)
		check := func(what string, alice *peer, relayed bool) {
			t.Helper()
			x, y := talkBoth(alice, bob)
			if x < -14 || y < -14 {
				t.Errorf("%s: heard at %.1f and %.1f dB", what, x, y)
			}
			if a.Stats().Relayed != relayed || z.Stats().Relayed != relayed {
				t.Errorf("%s: relayed %v and %v, want %v", what, a.Stats().Relayed, z.Stats().Relayed, relayed)
			}
		}
		check("PCMU", alice, true)

		alice.c, _ = codec.New(codec.PCMA)
		alice.pt = 8
		mustAnswer(t, a, alice.describe())
		check("PCMA", alice, false)

		alice.c, _ = codec.New(codec.PCMU)
		alice.pt = 97
		mustAnswer(t, a, alice.describe())
		check("PCMU as 97", alice, true)

		// Without telephone-events digits must become tones: no relay from a
		// leg that has them.
		mustAnswer(t, a, without101(alice.describe()))
		x, y := talkBoth(alice, bob)
		if x < -14 || y < -14 || z.Stats().Relayed {
			t.Errorf("no events: heard at %.1f and %.1f dB, relayed %v", x, y, z.Stats().Relayed)
		}
		mustAnswer(t, a, alice.describe())
		check("with events again", alice, true)

		for _, at := range []string{"10.0.1.1:4100", "10.0.1.9:4000"} {
			moved := b.newPeer(at, codec.PCMU)
			moved.pt, moved.to = 97, alice.to
			mustAnswer(t, a, moved.describe())
			alice.forget()
			check("at "+at, moved, true)
			if n := len(alice.all()); n > 0 {
				t.Errorf("%d packets to where it was", n)
			}
			alice = moved
		}
		a.AddTap(tape)
		check("recorded", alice, true)
		a.RemoveTap(tape)
		if x, y := level(tape.in[8000:16000], 500), level(tape.out[8000:16000], 700); x < -14 || y < -14 {
			t.Errorf("recorded at %.1f and %.1f dB", x, y)
		}
	})
}

func mustAnswer(t *testing.T, s *media.Session, offer []byte) *sdp.Description {
	t.Helper()
	answer, err := s.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	d, err := sdp.Parse(answer)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func without101(b []byte) []byte {
	s := strings.ReplaceAll(string(b), " 101\r\n", "\r\n")
	return []byte(strings.ReplaceAll(s, "a=rtpmap:101 telephone-event/8000\r\n", ""))
}

// Behind a NAT the source is learnt, kept while the far end tells the same
// address, and learnt anew when it tells another one.
func TestLearntSourceAndReoffers(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		told := func(at string) []byte {
			return describe(netip.MustParseAddrPort(at), 0, "PCMU")
		}
		outside := b.newPeer("198.51.100.7:40000", codec.PCMU)
		s := b.open(media.Options{})
		s.ExpectFrom(netip.MustParseAddr("198.51.100.7"))
		mustAnswer(t, s, told("192.168.0.5:4000"))
		outside.to = s.Stats().Local
		say := func(p *peer) { p.talk(10, func(i int) []byte { return p.tone(i, 500, 8000) }) }
		say(outside)
		if got := s.Stats().Remote.String(); got != "198.51.100.7:40000" {
			t.Fatalf("sends to %s", got)
		}
		mustAnswer(t, s, told("192.168.0.5:4000"))
		if got := s.Stats().Remote.String(); got != "198.51.100.7:40000" {
			t.Errorf("the same address told again: sends to %s", got)
		}
		mustAnswer(t, s, told("192.168.0.5:4002"))
		other := b.newPeer("198.51.100.7:40002", codec.PCMU)
		other.to = outside.to
		say(other)
		if got := s.Stats().Remote.String(); got != "198.51.100.7:40002" {
			t.Errorf("another port told: sends to %s", got)
		}
	})
}

// Both sides' holds are apart: ours shows in what we offer and answer, theirs in
// Held.
func TestHoldAndUnhold(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		direction := func(body []byte) sdp.Direction {
			d, err := sdp.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			return d.Media[0].Direction
		}
		accept := func(lines ...string) {
			t.Helper()
			if err := s.Accept(alice.describe(lines...)); err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, held bool, d sdp.Direction) {
			t.Helper()
			if s.Held() != held || s.Direction() != d {
				t.Errorf("%s: held %v, we %s; want %v, %s", what, s.Held(), s.Direction(), held, d)
			}
		}
		if d := direction(s.Hold()); d != sdp.SendOnly {
			t.Errorf("hold offers %s", d)
		}
		accept("a=inactive")
		want("inactive for an answer", false, sdp.Inactive)
		if d := mustAnswer(t, s, alice.describe("a=sendonly")).Media[0].Direction; d != sdp.Inactive {
			t.Errorf("sendonly is answered %s while we hold", d)
		}
		want("both hold", true, sdp.Inactive)
		if d := direction(s.Hold()); d != sdp.Inactive {
			t.Errorf("hold of a far end that holds offers %s", d)
		}
		accept("a=inactive")
		want("both still hold", true, sdp.Inactive)
		if d := direction(s.Unhold()); d != sdp.SendRecv {
			t.Errorf("unhold offers %s", d)
		}
		accept("a=sendonly")
		want("they hold", true, sdp.RecvOnly)
		mustAnswer(t, s, alice.describe())
		want("nobody holds", false, sdp.SendRecv)
		// A hold that is refused leaves all as it was, and is taken back.
		s.Hold()
		if err := s.Accept([]byte("v=0\r\nm=audio 0 RTP/AVP 0\r\n")); err == nil {
			t.Error("took a refusal")
		}
		s.SetHold(false)
		want("refused", false, sdp.SendRecv)
		if d := mustAnswer(t, s, alice.describe("a=recvonly")).Media[0].Direction; d != sdp.SendOnly {
			t.Errorf("recvonly is answered %s", d)
		}
		want("they only listen", false, sdp.SendOnly)
	})
}

// A description that says by its version that nothing changed is answered with
// the codec in use, whatever its order (RFC 3264 §8).
func TestSameVersionSameAnswer(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		s := b.open(media.Options{})
		both := func(order, version string) []byte {
			return []byte("v=0\r\no=- 7 " + version + " IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP " + order + "\r\n")
		}
		first := mustAnswer(t, s, both("0 8", "1"))
		again := mustAnswer(t, s, both("8 0", "1"))
		if s.Codec() != "PCMU" || string(again.Bytes()) != string(first.Bytes()) {
			t.Errorf("%s, answered\n%s", s.Codec(), again.Bytes())
		}
		changed := mustAnswer(t, s, both("8 0", "2"))
		if s.Codec() != "PCMA" || changed.Origin.Version != first.Origin.Version+1 || changed.Origin.ID != first.Origin.ID {
			t.Errorf("%s, version %d after %d", s.Codec(), changed.Origin.Version, first.Origin.Version)
		}
	})
}

// Silence while either side holds is no loss; after it the whole time counts
// anew.
func TestLossIsParkedByOurHold(t *testing.T) {
	onBench(t, media.Config{Timeout: 10 * time.Second}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		var told atomic.Int32
		lost := func() int { return int(told.Load()) }
		s := alice.call(media.Options{OnLost: func() { told.Add(1) }})
		alice.talk(10, func(i int) []byte { return alice.tone(i, 500, 8000) })
		for _, answer := range []string{"a=recvonly", "a=inactive"} {
			s.Hold()
			if err := s.Accept(alice.describe(answer)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if lost() != 0 {
				t.Fatalf("%s: told %d times", answer, lost())
			}
		}
		s.Unhold()
		if err := s.Accept(alice.describe()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if lost() != 0 {
			t.Error("the hold was counted")
		}
		time.Sleep(2 * time.Second)
		if lost() != 1 {
			t.Errorf("told %d times", lost())
		}
	})
}

// Muted, a leg is not heard by its peer, and heard by taps; unmuted, packets are
// relayed again.
func TestMute(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		for _, muted := range []bool{false, true, false} {
			a.Mute(muted)
			x, y := talkBoth(alice, bob)
			if x < -14 || (y < -40) != muted || a.Stats().Relayed == muted {
				t.Errorf("muted %v: alice hears %.1f dB, bob %.1f, relayed %v", muted, x, y, a.Stats().Relayed)
			}
		}
	})
}
