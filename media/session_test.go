package media_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// Digits arrive once each, in order, with every third event packet lost and
// with bursts of three, and the bridge peer gets them once too, by relay and by
// press sends one digit as telephone-events: updates every 20 ms and three end
// What we send as digits is heard once each; a far end without telephone-events
// A stranger who sprays the port gets nothing and is not heard, before and
// A far end behind a NAT is learnt once, with proof, and not again; the address
// New SSRCs, jumps of the timestamp and of the sequence numbers from the right
// A far end that holds us is sent nothing, in whichever way it says so; then
// Reports tell both sides of loss and round-trip time; a BYE ends nothing.
func TestReports(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		b.net.Latency = 30 * time.Millisecond
		far := startBench(b.t, b.net, "10.0.0.2", media.Config{})
		a, z := b.open(media.Options{}), far.open(media.Options{})
		answer, err := z.Answer(a.Offer())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Accept(answer); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		for _, s := range []*media.Session{a, z} {
			st := s.Stats()
			if st.Reports < 3 || st.RTT < 55*time.Millisecond || st.RTT > 65*time.Millisecond || st.RemoteLost != 0 {
				t.Errorf("%d reports, rtt %s, lost %.2f", st.Reports, st.RTT, st.RemoteLost)
			}
		}
		a.Close()
		time.Sleep(time.Second)
		if st := z.Stats(); st.PacketsSent == 0 || st.Codec != codec.PCMU {
			t.Errorf("after the BYE: %+v", st)
		}
	})
}

// What is bound and what is advertised are of one family, or no far end is heard.
func TestAddressFamiliesAgree(t *testing.T) {
	for _, c := range []struct {
		bind, advertise string
		ok              bool
	}{
		{"0.0.0.0", "192.0.2.1", true}, {"::", "2001:db8::1", true}, {"::", "192.0.2.1", true},
		{"0.0.0.0", "2001:db8::1", false}, {"2001:db8::1", "192.0.2.1", false},
	} {
		err := media.Config{Bind: netip.MustParseAddr(c.bind), Advertise: netip.MustParseAddr(c.advertise)}.Validate()
		if (err == nil) != c.ok {
			t.Errorf("%s and %s: %v", c.bind, c.advertise, err)
		}
	}
}

// Ports run out with an error of their own and come back after a while.
func TestPortsRunOut(t *testing.T) {
	onBench(t, media.Config{PortMin: 20001, PortMax: 20005}, func(b *bench) {
		a, z := b.open(media.Options{}), b.open(media.Options{})
		if a.Stats().Local.Port()%2 != 0 || a.Stats().Local == z.Stats().Local || b.engine.PortsInUse() != 2 {
			t.Errorf("ports %s and %s", a.Stats().Local, z.Stats().Local)
		}
		if _, err := b.engine.Open(media.Options{}); !errors.Is(err, media.ErrNoPorts) {
			t.Errorf("a third session: %v", err)
		}
		a.Close()
		a.Close()
		if _, err := b.engine.Open(media.Options{}); !errors.Is(err, media.ErrNoPorts) {
			t.Errorf("a port still warm was given: %v", err)
		}
		time.Sleep(6 * time.Second)
		b.open(media.Options{})
	})
}

// Offers we cannot take leave everything as it was.
func TestRefusedOffers(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		if _, err := s.Answer(describe(alice.conn.AddrPort(), 18, "G729")); !errors.Is(err, media.ErrNoCommonCodec) {
			t.Errorf("G729: %v", err)
		}
		if _, err := s.Answer([]byte("nonsense")); !errors.Is(err, sdp.ErrSyntax) {
			t.Errorf("nonsense: %v", err)
		}
		if _, err := b.engine.Open(media.Options{Codecs: []string{"G729"}}); err == nil {
			t.Error("a codec we do not have was taken")
		}
		time.Sleep(time.Second)
		if s.Codec() != codec.PCMU || len(alice.all()) < 45 {
			t.Errorf("codec %q, %d packets", s.Codec(), len(alice.all()))
		}
	})
}
