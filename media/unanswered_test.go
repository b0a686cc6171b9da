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
// description names stops after a minute all the same; not where the signalling
// comes from, nor where reports come back from.
func TestAttack23ReceiveOnly(t *testing.T) {
	const stream = 50
	for name, c := range map[string]struct {
		signals string
		reports bool
		stops   bool
	}{
		"a third host":              {"10.0.1.9", false, true},
		"where it signals":          {"10.0.1.1", false, false},
		"a third host that reports": {"10.0.1.9", true, false},
	} {
		onBench(t, media.Config{}, func(b *bench) {
			alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
			s := b.open(media.Options{})
			s.ExpectFrom(netip.MustParseAddr(c.signals))
			if _, err := s.Answer(alice.describe("a=recvonly")); err != nil {
				t.Fatal(err)
			}
			at := s.Stats().Local
			report := func() {
				raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := alice.conn.WriteToUDPAddrPort(raw, netip.AddrPortFrom(at.Addr(), at.Port()+1)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
			s.Play(media.HoldMusic())
			if c.reports {
				report()
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
			report() // somebody is there after all
			alice.forget()
			time.Sleep(time.Second)
			if n := len(alice.all()); n < stream-2 {
				t.Errorf("%s: %d packets in a second once it has reported", name, n)
			}
		})
	}
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
