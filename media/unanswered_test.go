package media_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"b2bua/media"
	"b2bua/media/codec"
)

// Who asks to receive only is never missed. Sound for a host that only the
// description names stops after a minute all the same, whatever reports come from
// there; not where the signalling comes from, nor where sound comes back from.
func TestAttack23ReceiveOnly(t *testing.T) {
	const stream = 50
	for name, c := range map[string]struct {
		signals string
		back    string // what comes from there in the first minute
		stops   bool
	}{
		"a third host":              {"10.0.1.9", "", true},
		"where it signals":          {"10.0.1.1", "", false},
		"a third host that reports": {"10.0.1.9", "report", true},
		"a third host that speaks":  {"10.0.1.9", "sound", false},
	} {
		onBench(t, media.Config{}, func(b *bench) {
			alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
			s := b.open(media.Options{})
			s.ExpectFrom(netip.MustParseAddr(c.signals))
			if _, err := s.Answer(alice.describe("a=recvonly")); err != nil {
				t.Fatal(err)
			}
			alice.to = s.Stats().Local
			speak := func() { alice.talk(1, func(i int) []byte { return alice.tone(i, 500, 8000) }) }
			s.Play(media.HoldMusic())
			switch c.back {
			case "report":
				report(alice)
			case "sound":
				speak()
			}
			time.Sleep(59 * time.Second)
			if n := len(alice.all()); n < 59*stream-20 || n > 59*stream+20 {
				t.Errorf("%s: %d packets in the first minute", name, n)
			}
			time.Sleep(2 * time.Second)
			alice.forget()
			time.Sleep(10 * time.Second)
			if n := len(alice.all()); (n == 0) != c.stops {
				t.Errorf("%s: %d packets in ten seconds after it", name, n)
			}
			speak() // somebody is there after all
			alice.forget()
			time.Sleep(time.Second)
			if n := len(alice.all()); n < stream-2 {
				t.Errorf("%s: %d packets in a second once it has spoken", name, n)
			}
		})
	}
}

// report sends one from the peer's RTP port.
func report(p *peer) {
	p.b.t.Helper()
	raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7}})
	if err != nil {
		p.b.t.Fatal(err)
	}
	if _, err := p.conn.WriteToUDPAddrPort(raw, netip.AddrPortFrom(p.to.Addr(), p.to.Port()+1)); err != nil {
		p.b.t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
}

// To answer for one third host and then to name another gains nothing: the time is
// that of all that never answered.
func TestAttack23AnsweredElsewhere(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		own, victim := b.newPeer("10.0.7.1:4000", codec.PCMU), b.newPeer("10.0.7.2:4000", codec.PCMU)
		s := b.open(media.Options{})
		s.ExpectFrom(netip.MustParseAddr("10.0.1.9"))
		s.Play(media.HoldMusic())
		own.to = s.Stats().Local
		for range 8 {
			for _, p := range []*peer{own, victim} {
				if _, err := s.Answer(p.describe("a=recvonly")); err != nil {
					t.Fatal(err)
				}
				if p == own {
					own.talk(2, func(i int) []byte { return own.tone(i, 500, 8000) })
					report(own)
				}
				time.Sleep(20 * time.Second)
			}
		}
		if n := len(victim.all()); n > 62*50 {
			t.Errorf("%d packets", n)
		}
		if n := len(own.all()); n < 150*50 {
			t.Errorf("%d packets for the host that answers", n)
		}
	})
}

// To name one third host after the other prolongs nothing.
func TestAttack23OneHostAfterTheOther(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		first, second := b.newPeer("10.0.7.1:4000", codec.PCMU), b.newPeer("10.0.7.2:4000", codec.PCMU)
		s := b.open(media.Options{})
		s.ExpectFrom(netip.MustParseAddr("10.0.1.9"))
		s.Play(media.HoldMusic())
		for i := range 8 {
			to := []*peer{first, second}[i%2]
			if _, err := s.Answer(to.describe("a=recvonly")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
		}
		if n := len(first.all()) + len(second.all()); n > 62*50 {
			t.Errorf("%d packets", n)
		}
	})
}
