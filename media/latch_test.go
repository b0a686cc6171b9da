package media_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"

	"b2bua/media"
	"b2bua/media/codec"
)

// Where the far end says it is, where its signalling comes from, and where its
// packets come from in truth.
var layouts = map[string]struct{ told, trusted, sends string }{
	"private, signalling from there":       {"10.0.1.1:4000", "10.0.1.1", "10.0.1.1:4000"},
	"private, signalling from a LAN":       {"10.0.1.1:4000", "10.0.2.2", "10.0.1.1:4000"},
	"behind a NAT":                         {"192.168.1.5:4000", "203.0.113.9", "203.0.113.9:7000"},
	"public, signalling from there":        {"203.0.113.9:4000", "203.0.113.9", "203.0.113.9:4000"},
	"public, from another port":            {"203.0.113.9:4000", "203.0.113.9", "203.0.113.9:4002"},
	"public, signalling from elsewhere":    {"203.0.113.9:4000", "198.51.100.7", "203.0.113.9:4000"},
	"public, sound from where it signals":  {"203.0.113.9:4000", "198.51.100.7", "198.51.100.7:4000"},
	"public, signalling unknown":           {"203.0.113.9:4000", "", "203.0.113.9:4000"},
	"private, signalling behind a gateway": {"10.0.1.1:4000", "203.0.113.9", "10.0.1.1:4000"},
}

// A stranger who sprays the port gets nothing and is not heard, for as long as the
// far end is silent and after it has shown itself; nor do its reports and BYEs
// matter.
func TestStrangerGetsNothing(t *testing.T) {
	for name, c := range layouts {
		for _, from := range []string{"10.6.6.6:6666", "192.0.2.66:6666"} {
			t.Run(name+", stranger at "+from, func(t *testing.T) {
				onBench(t, media.Config{}, func(b *bench) {
					alice, mallory := b.newPeer(c.sends, codec.PCMU), b.newPeer(from, codec.PCMU)
					s := b.open(media.Options{})
					if c.trusted != "" {
						s.ExpectFrom(netip.MustParseAddr(c.trusted))
					}
					if _, err := s.Answer(describe(netip.MustParseAddrPort(c.told), 0, codec.PCMU)); err != nil {
						t.Fatal(err)
					}
					alice.to = s.Stats().Local
					strange(t, s, alice, mallory)
				})
			})
		}
	}
}

// strange lets a stranger begin two seconds ahead of the far end, and go on.
func strange(t *testing.T, s *media.Session, alice, mallory *peer) {
	t.Helper()
	mallory.to = alice.to
	tap := &ear{}
	s.AddTap(tap)
	spray := func(n int) func() {
		return func() {
			mallory.talk(n, func(i int) []byte { return mallory.tone(i, 1000, 16000) })
			mallory.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96}, Payload: []byte("junk")})
			_, _ = mallory.conn.WriteToUDPAddrPort([]byte("\x80\xc8\x00\x01\x00\x00\x00\x01"), mallory.to)
			_, _ = mallory.conn.WriteToUDPAddrPort([]byte("junk"), netip.AddrPortFrom(mallory.to.Addr(), mallory.to.Port()+1))
		}
	}
	spray(100)()
	together(spray(100), func() { alice.talk(100, func(i int) []byte { return alice.tone(i, 500, 8000) }) })
	s.RemoveTap(tap)
	if n := len(mallory.all()); n != 0 {
		t.Errorf("the stranger got %d packets", n)
	}
	if l := level(tap.in, 1000); l > -60 {
		t.Errorf("the stranger is heard at %.1f dB", l)
	}
	if l := level(tap.in[20000:28000], 500); l < -14 {
		t.Errorf("the far end is heard at %.1f dB", l)
	}
	if st := s.Stats(); st.Refused < 200 || st.Remote != alice.conn.AddrPort() {
		t.Errorf("refused %d, sending to %s", st.Refused, st.Remote)
	}
}

// A third host that was believed, because nobody could know better, loses the call
// to the far end as soon as that shows itself.
func TestFarEndDisplacesStranger(t *testing.T) {
	for name, c := range map[string]struct{ trusted, sends string }{
		"the address told":                {"", "192.168.1.5:4000"},
		"another port of the host told":   {"", "192.168.1.5:4002"},
		"where signalling turns out from": {"203.0.113.9", "203.0.113.9:7000"},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, media.Config{}, func(b *bench) {
				alice, mallory := b.newPeer(c.sends, codec.PCMU), b.newPeer("192.0.2.66:6666", codec.PCMU)
				s := b.open(media.Options{})
				if _, err := s.Answer(describe(netip.MustParseAddrPort("192.168.1.5:4000"), 0, codec.PCMU)); err != nil {
					t.Fatal(err)
				}
				alice.to, mallory.to = s.Stats().Local, s.Stats().Local
				mallory.talk(10, func(i int) []byte { return mallory.tone(i, 500, 8000) })
				if got := s.Stats().Remote; got != mallory.conn.AddrPort() {
					t.Fatalf("sending to %s", got)
				}
				if c.trusted != "" {
					s.ExpectFrom(netip.MustParseAddr(c.trusted))
				}
				alice.talk(1, func(i int) []byte { return alice.tone(i, 500, 8000) })
				mallory.forget()
				mallory.talk(100, func(i int) []byte { return mallory.tone(i, 500, 8000) })
				if got := s.Stats().Remote; got != alice.conn.AddrPort() || len(mallory.all()) > 0 {
					t.Errorf("sending to %s, the stranger got %d packets", got, len(mallory.all()))
				}
			})
		})
	}
}

// A far end behind a NAT is learnt once, with proof, and not again; the address
// its signalling comes from is proof enough.
func TestNATIsLearntOnce(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		nat, other := b.newPeer("203.0.113.9:7000", codec.PCMU), b.newPeer("203.0.113.66:7000", codec.PCMU)
		private := describe(netip.MustParseAddrPort("192.168.1.5:4000"), 0, codec.PCMU)
		for _, told := range []bool{false, true} {
			s := b.open(media.Options{})
			if _, err := s.Answer(private); err != nil {
				t.Fatal(err)
			}
			if told {
				s.ExpectFrom(nat.conn.AddrPort().Addr())
			}
			nat.to = s.Stats().Local
			nat.forget()
			nat.talk(1, func(i int) []byte { return nat.tone(i, 500, 8000) })
			if learnt := s.Stats().Remote == nat.conn.AddrPort(); learnt != told {
				t.Errorf("learnt after one packet: %v", learnt)
			}
			nat.talk(9, func(i int) []byte { return nat.tone(i, 500, 8000) })
			other.to = nat.to
			other.talk(80, func(i int) []byte { return other.tone(i, 500, 8000) })
			if got := s.Stats().Remote; got != nat.conn.AddrPort() {
				t.Errorf("sending to %s", got)
			}
			if len(nat.all()) == 0 || len(other.all()) != 0 {
				t.Errorf("the far end got %d, the stranger %d", len(nat.all()), len(other.all()))
			}
			s.Close()
		}
	})
}

// New SSRCs, jumps of the timestamp and of the sequence numbers from the right
// source are followed within a moment.
func TestStreamChanges(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		for name, change := range map[string]func(){
			"ssrc":               func() { alice.ssrc++; alice.seq += 20000; alice.ts += 1 << 30 },
			"timestamp forward":  func() { alice.ts += 1 << 20 },
			"timestamp backward": func() { alice.ts -= 1 << 20 },
			"sequence":           func() { alice.seq -= 10000 },
			"pause":              func() { time.Sleep(3 * time.Second); alice.ts += 24000 },
		} {
			alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
			change()
			tap := &ear{}
			s.AddTap(tap)
			alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
			s.RemoveTap(tap)
			if l := level(tap.in[1600:8000], 500); l < -14 {
				t.Errorf("%s: %.1f dB after it", name, l)
			}
		}
	})
}

// A far end behind a NAT that holds us by 0.0.0.0 and comes back is sent to
// where it was learnt to be, not to the private address it tells again.
func TestLearntSourceSurvivesHold(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		nat := b.newPeer("203.0.113.9:7000", codec.PCMU)
		private := describe(netip.MustParseAddrPort("192.168.1.5:4000"), 0, codec.PCMU)
		nowhere := describe(netip.MustParseAddrPort("0.0.0.0:4000"), 0, codec.PCMU)
		s := b.open(media.Options{})
		s.ExpectFrom(nat.conn.AddrPort().Addr())
		for _, sdp := range [][]byte{private, nowhere, private} {
			if _, err := s.Answer(sdp); err != nil {
				t.Fatal(err)
			}
			nat.to = s.Stats().Local
			nat.talk(10, func(i int) []byte { return nat.tone(i, 500, 8000) })
		}
		if got := s.Stats().Remote; got != nat.conn.AddrPort() {
			t.Errorf("sending to %s", got)
		}
		moved := b.newPeer("203.0.113.9:7002", codec.PCMU)
		if _, err := s.Answer(moved.describe()); err != nil {
			t.Fatal(err)
		}
		moved.to = nat.to
		time.Sleep(100 * time.Millisecond)
		if len(moved.all()) == 0 {
			t.Error("a new address told is not sent to")
		}
		moved.talk(5, func(i int) []byte { return moved.tone(i, 500, 8000) })
		nat.forget()
		nat.talk(20, func(i int) []byte { return nat.tone(i, 500, 8000) })
		if len(nat.all()) != 0 || s.Stats().Remote != moved.conn.AddrPort() {
			t.Errorf("the old address still gets %d packets", len(nat.all()))
		}
	})
}

// Who may speak for a far end that stays silent itself.
func TestWhoIsLearnt(t *testing.T) {
	const lan, office, public, carrier = "10.0.1.1:4000", "10.0.2.2:4000", "203.0.113.9:4000", "198.51.100.7:4000"
	for _, c := range []struct {
		name, told, trusted, from string
		learnt                    bool
	}{
		{"private, signalling from there too, stranger outside", lan, lan, public, false},
		{"private, signalling from there too, stranger inside", lan, lan, office, false},
		{"private, signalling from there too, another port", lan, lan, "10.0.1.1:4002", true},
		{"private, signalling from another private host, stranger", lan, office, public, false},
		{"private, signalling from another private host, that host", lan, office, office, true},
		{"private, signalling through a NAT", lan, public, public, true},
		{"private, signalling from a proxy, stream from a third host", lan, carrier, public, false},
		{"private, signalling through a NAT, stranger inside", lan, public, office, false},
		{"private, signalling unknown, through a NAT", lan, "", public, true},
		{"private, signalling unknown, stranger inside", lan, "", office, false},
		{"public, signalling from there too, stranger", public, public, carrier, false},
		{"public, signalling unknown, stranger", public, "", carrier, false},
		{"public, signalling from elsewhere, a third", public, carrier, "192.0.2.3:4000", false},
		{"public, signalling from elsewhere, another port", public, carrier, "203.0.113.9:4002", true},
		{"public, signalling from elsewhere, that host", public, carrier, carrier, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBench(t, media.Config{}, func(b *bench) {
				p := b.newPeer(c.from, codec.PCMU)
				s := b.open(media.Options{})
				if _, err := s.Answer(describe(netip.MustParseAddrPort(c.told), 0, codec.PCMU)); err != nil {
					t.Fatal(err)
				}
				if c.trusted != "" {
					s.ExpectFrom(netip.MustParseAddrPort(c.trusted).Addr())
				}
				p.to = s.Stats().Local
				p.talk(100, func(i int) []byte { return p.tone(i, 500, 8000) })
				if learnt := s.Stats().Remote == p.conn.AddrPort(); learnt != c.learnt || learnt != (len(p.all()) > 0) {
					t.Errorf("learnt %v and sent %d packets, want learnt %v", learnt, len(p.all()), c.learnt)
				}
			})
		})
	}
}

// What is no RTP of this call, from whomever, ends nothing, reaches nobody, and is
// counted by kind: STUN, DTLS, rubbish, RTCP with a BYE, other payload types.
func TestRubbishIsCountedByKind(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, mallory := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.6.6.6:6666", codec.PCMU)
		lost := 0
		s := alice.call(media.Options{OnLost: func() { lost++ }})
		mallory.to = alice.to
		control := netip.AddrPortFrom(alice.to.Addr(), alice.to.Port()+1)
		alice.talk(10, func(i int) []byte { return alice.tone(i, 500, 8000) })
		throw := func(p *peer, to netip.AddrPort, raw string) {
			if _, err := p.conn.WriteToUDPAddrPort([]byte(raw), to); err != nil {
				t.Fatal(err)
			}
		}
		const (
			stun = "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"
			dtls = "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x01\x00\x00\x04abcd"
			bye  = "\x81\xcb\x00\x01\x00\x00\x0f\xa0"
		)
		for range 200 {
			throw(alice, alice.to, stun)
			throw(mallory, alice.to, dtls)
			throw(alice, control, "rubbish")
			throw(alice, control, bye)
			throw(mallory, control, bye)
			alice.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 99, SSRC: alice.ssrc}, Payload: []byte("x")})
			mallory.send(mallory.tone(0, 1000, 16000))
		}
		time.Sleep(100 * time.Millisecond)
		got := b.engine.Refusals()
		for why, want := range map[media.Refusal]uint64{
			media.NotRTP: 400, media.NotRTCP: 200, media.StrangeReport: 200, media.UnknownFormat: 200, media.Stranger: 200,
		} {
			if got[why] != want {
				t.Errorf("%s: %d, want %d", why, got[why], want)
			}
		}
		before := s.Stats().PacketsReceived
		alice.talk(10, func(i int) []byte { return alice.tone(i, 500, 8000) })
		if st := s.Stats(); st.PacketsReceived != before+10 || st.Refused != 400 || st.Invalid != 800 || lost != 0 {
			t.Errorf("%+v, lost %d times", st, lost)
		}
	})
}

// A loop that stands still for a while makes up for it, up to half a second, and
// says so; the far end hears one stream all the same.
func TestStallIsMadeUpFor(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		time.Sleep(time.Second)
		for _, c := range []struct {
			stall time.Duration
			late  uint64
		}{{300 * time.Millisecond, 14}, {2 * time.Second, 99}} {
			alice.forget()
			before := b.engine.LateTicks()
			tap := &staller{stall: c.stall}
			s.AddTap(tap)
			time.Sleep(c.stall + time.Second)
			s.RemoveTap(tap)
			time.Sleep(time.Second)
			if late := b.engine.LateTicks() - before; late != c.late {
				t.Errorf("%s: %d late ticks, want %d", c.stall, late, c.late)
			}
			continuousSeq(t, alice.all())
		}
	})
}

// staller keeps the clock waiting once.
type staller struct{ stall time.Duration }

func (s *staller) Frame(media.TapFrame) {
	time.Sleep(s.stall)
	s.stall = 0
}
