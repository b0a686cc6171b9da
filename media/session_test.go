package media_test

import (
	"errors"
	"math"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"b2bua/dtmf"
	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// Digits arrive once each, in order, with every third event packet lost and
// with bursts of three, and the bridge peer gets them once too, by relay and by
// frames.
func TestDigitsOnceUnderLoss(t *testing.T) {
	for _, far := range []string{codec.PCMU, codec.PCMA} {
		t.Run(far, func(t *testing.T) {
			onBench(t, media.Config{}, func(b *bench) {
				alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", far)
				var told, passed []byte
				a := alice.call(media.Options{OnDigit: func(d dtmf.Digit) { told = append(told, d.Symbol) }})
				z := bob.call(media.Options{})
				media.Bridge(a, z)
				const dialled = "1122334455667788990011#"
				lose := func(n int) bool { return n%33 < 1 || n%100 > 60 && n%100 < 64 }
				alice.talk(20, func(i int) []byte { return alice.tone(i, 500, 3000) })
				for i := range len(dialled) {
					alice.press(dialled[i], 5, lose)
					alice.talk(3, func(i int) []byte { return alice.tone(i, 500, 3000) })
				}
				alice.talk(100, func(i int) []byte { return alice.tone(i, 500, 3000) })
				synctest.Wait()
				var r dtmf.Receiver
				for _, h := range bob.all() {
					if h.PayloadType != 101 {
						continue
					}
					for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, time.Since(time.Time{})) {
						passed = append(passed, d.Symbol)
					}
				}
				if string(told) != dialled {
					t.Errorf("told %s, dialled %s", told, dialled)
				}
				if string(passed) != dialled {
					t.Errorf("passed %s, dialled %s", passed, dialled)
				}
			})
		})
	}
}

// press sends one digit as telephone-events: updates every 20 ms and three end
// packets, except those that are lost.
func (p *peer) press(symbol byte, updates int, lose func(n int) bool) {
	s := dtmf.NewSender(20 * time.Millisecond)
	if err := s.Queue(string(symbol), time.Duration(updates)*20*time.Millisecond, 0); err != nil {
		p.b.t.Fatal(err)
	}
	began := p.ts
	for {
		step, busy := s.Next()
		if !busy {
			return
		}
		if step.Send {
			if !lose(int(p.seq)) {
				p.raw(&rtp.Packet{Header: rtp.Header{
					Version: 2, Marker: step.First, PayloadType: 101, SequenceNumber: p.seq, Timestamp: began, SSRC: p.ssrc,
				}, Payload: step.Payload[:]})
			}
			p.seq++
		}
		p.ts += 160
		time.Sleep(20 * time.Millisecond)
	}
}

// What we send as digits is heard once each; a far end without telephone-events
// hears tones.
func TestSendDigits(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		if err := s.SendDigits("15#", 0, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		var r dtmf.Receiver
		var got []byte
		ends := 0
		for _, h := range alice.all() {
			if h.PayloadType != 101 {
				continue
			}
			if h.Payload[1]&0x80 != 0 {
				ends++
			}
			for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, 0) {
				got = append(got, d.Symbol)
				if d.Duration != dtmf.DefaultDuration {
					t.Errorf("duration %s", d.Duration)
				}
			}
		}
		if string(got) != "15#" || ends != 9 {
			t.Errorf("heard %q with %d end packets", got, ends)
		}
		continuousSeq(t, alice.all())

		plain := strings.Replace(string(alice.describe()), " 101\r\n", "\r\n", 1)
		if _, err := s.Answer([]byte(plain)); err != nil {
			t.Fatal(err)
		}
		alice.forget()
		if err := s.SendDigits("5", 200*time.Millisecond, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		pcm := alice.audio()[320:1280]
		if low, high := level(pcm, 770), level(pcm, 1336); low < -14 || high < -12 {
			t.Errorf("tones at %.1f and %.1f dB", low, high)
		}
		if err := s.SendDigits("1x", 0, 0); err == nil {
			t.Error("a letter was sent")
		}
	})
}

func continuousSeq(t *testing.T, got []heard) {
	t.Helper()
	for i := 1; i < len(got); i++ {
		if got[i].SequenceNumber != got[i-1].SequenceNumber+1 {
			t.Fatalf("sequence %d after %d", got[i].SequenceNumber, got[i-1].SequenceNumber)
		}
	}
}

// A stranger who sprays the port gets nothing and is not heard, before and
// after the far end has shown itself; nor do its reports and BYEs matter.
func TestStrangerGetsNothing(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, mallory := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.6.6.6:6666", codec.PCMU)
		s := alice.call(media.Options{})
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
		spray(3)()
		together(spray(100), func() { alice.talk(100, func(i int) []byte { return alice.tone(i, 500, 8000) }) })
		s.RemoveTap(tap)
		if n := len(mallory.all()); n != 0 {
			t.Errorf("the stranger got %d packets", n)
		}
		if l := level(tap.in, 1000); l > -60 {
			t.Errorf("the stranger is heard at %.1f dB", l)
		}
		if l := level(tap.in[4000:12000], 500); l < -14 {
			t.Errorf("the far end is heard at %.1f dB", l)
		}
		if st := s.Stats(); st.Refused < 100 || st.Remote != alice.conn.AddrPort() {
			t.Errorf("refused %d, sending to %s", st.Refused, st.Remote)
		}
	})
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
// source are followed at once.
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

// Silence of the far end is told once per silence, and not while on hold.
func TestLost(t *testing.T) {
	onBench(t, media.Config{Timeout: 10 * time.Second}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		var told atomic.Int32
		lost := func() int { return int(told.Load()) }
		s := alice.call(media.Options{OnLost: func() { told.Add(1) }})
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		time.Sleep(9 * time.Second)
		if lost() != 0 {
			t.Error("told too early")
		}
		time.Sleep(10 * time.Second)
		if lost() != 1 {
			t.Errorf("told %d times", lost())
		}
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		if _, err := s.Answer(alice.describe("a=sendonly")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if lost() != 1 || !s.Held() {
			t.Errorf("told %d times, held %v", lost(), s.Held())
		}
		if _, err := s.Answer(alice.describe()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if lost() != 1 {
			t.Error("time on hold was counted")
		}
		time.Sleep(2 * time.Second)
		if lost() != 2 {
			t.Errorf("told %d times", lost())
		}
	})
}

// A far end that holds us is sent nothing, in whichever way it says so; then
// the stream goes on.
func TestHoldStopsSending(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		nowhere := strings.Replace(string(alice.describe()), "c=IN IP4 10.0.1.1", "c=IN IP4 0.0.0.0", 1)
		together(func() {
			bob.talk(300, func(i int) []byte { return bob.tone(i, 500, 8000) })
		}, func() {
			for _, hold := range [][]byte{alice.describe("a=sendonly"), alice.describe("a=inactive"), []byte(nowhere)} {
				time.Sleep(500 * time.Millisecond)
				if len(alice.all()) == 0 {
					t.Error("nothing before the hold")
				}
				answer, err := a.Answer(hold)
				if err != nil || !a.Held() {
					t.Errorf("held %v: %v", a.Held(), err)
				}
				if d, _ := sdp.Parse(answer); d.Media[0].Direction.Sends() {
					t.Errorf("answered the hold with %s", d.Media[0].Direction)
				}
				time.Sleep(40 * time.Millisecond)
				alice.forget()
				time.Sleep(500 * time.Millisecond)
				if n := len(alice.all()); n != 0 {
					t.Errorf("%d packets into the hold", n)
				}
				if _, err := a.Answer(alice.describe()); err != nil || a.Held() {
					t.Errorf("resumed %v: %v", !a.Held(), err)
				}
				alice.forget()
			}
		})
		if n := len(alice.all()); n < 100 {
			t.Errorf("%d packets after the last hold", n)
		}
	})
}

// Our own hold is offered, and what comes meanwhile is not heard.
func TestOwnHold(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := b.open(media.Options{})
		first, err := sdp.Parse(s.Offer())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Accept(alice.describe()); err != nil {
			t.Fatal(err)
		}
		alice.to = s.Stats().Local
		s.SetHold(true)
		hold, _ := sdp.Parse(s.Offer())
		if hold.Media[0].Direction != sdp.SendOnly || hold.Origin.Version != first.Origin.Version+1 {
			t.Errorf("hold offers %s, version %d after %d", hold.Media[0].Direction, hold.Origin.Version, first.Origin.Version)
		}
		if err := s.Accept(alice.describe("a=recvonly")); err != nil || s.Held() {
			t.Errorf("held %v: %v", s.Held(), err)
		}
		tap := &ear{}
		s.AddTap(tap)
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		s.RemoveTap(tap)
		if l := level(tap.in, 500); l > -60 {
			t.Errorf("heard at %.1f dB", l)
		}
		if len(alice.all()) < 45 {
			t.Errorf("the held far end got %d packets", len(alice.all()))
		}
		s.SetHold(false)
		back, _ := sdp.Parse(s.Offer())
		if back.Media[0].Direction != sdp.SendRecv || back.Origin.Version != first.Origin.Version+2 {
			t.Errorf("resume offers %s, version %d", back.Media[0].Direction, back.Origin.Version)
		}
	})
}

// A leg nobody speaks to is sent silence, at a steady pace.
func TestSilenceKeepsTheStream(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		alice.call(media.Options{})
		time.Sleep(2 * time.Second)
		got := alice.all()
		if len(got) < 98 {
			t.Fatalf("%d packets in 2 s", len(got))
		}
		continuous(t, got, 20*time.Millisecond)
		for i := 1; i < len(got); i++ {
			if got[i].Timestamp-got[i-1].Timestamp != 160 {
				t.Fatalf("timestamp moved by %d", got[i].Timestamp-got[i-1].Timestamp)
			}
		}
	})
}

// Done closes with the last frame, with Stop, with another Play, with Close.
func TestPlaybackEnds(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		clip := audio.Clip{Rate: 16000, Samples: make([]int16, 16000)}
		for i := range clip.Samples {
			clip.Samples[i] = int16(8000 * math.Sin(2*math.Pi*1000*float64(i)/16000))
		}
		began := time.Now()
		p := s.Play(media.ClipSource(clip, false))
		<-p.Done()
		if d := time.Since(began); d < 980*time.Millisecond || d > 1020*time.Millisecond || !p.Finished() {
			t.Errorf("done after %s, finished %v", d, p.Finished())
		}
		time.Sleep(100 * time.Millisecond)
		if l := level(alice.audio()[800:7200], 1000); math.Abs(l+12.2) > 0.5 {
			t.Errorf("clip at %.1f dB", l)
		}
		loop := s.Play(media.ClipSource(clip, true))
		time.Sleep(5 * time.Second)
		loop.Stop()
		loop.Stop()
		<-loop.Done()
		if loop.Finished() || loop.Played() < 4900*time.Millisecond {
			t.Errorf("stopped loop: finished %v, played %s", loop.Finished(), loop.Played())
		}
		replaced := s.Play(media.Ringback())
		last := s.Play(media.RingbackEU())
		<-replaced.Done()
		s.Close()
		<-last.Done()
		<-s.Play(media.Busy()).Done()
	})
}

// Nothing plays before there is somebody to hear it.
func TestPlayWaitsForNegotiation(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := b.open(media.Options{})
		p := s.Play(media.Beep(200*time.Millisecond, -10))
		time.Sleep(time.Second)
		if p.Played() != 0 {
			t.Errorf("played %s to nobody", p.Played())
		}
		if _, err := s.Answer(alice.describe()); err != nil {
			t.Fatal(err)
		}
		<-p.Done()
	})
}

// A tap sees both directions on one time line, whatever is lost on the way.
func TestTapTimeLine(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		time.Sleep(500 * time.Millisecond)
		tap := &ear{}
		s.AddTap(tap)
		s.Play(media.Beep(10*time.Second, -10))
		alice.talk(500, func(i int) []byte {
			if i%10 == 3 || i > 100 && i < 104 {
				alice.seq, alice.ts = alice.seq+1, alice.ts+160
				time.Sleep(20 * time.Millisecond)
			}
			return alice.tone(i, 500, 8000)
		})
		s.RemoveTap(tap)
		n := len(tap.frames)
		if n%2 != 0 {
			t.Fatalf("%d frames", n)
		}
		for i := 0; i < n; i += 2 {
			in, out := tap.frames[i], tap.frames[i+1]
			if in.Dir != media.In || out.Dir != media.Out || in.Tick != out.Tick {
				t.Fatalf("frame %d: %v tick %d, %v tick %d", i, in.Dir, in.Tick, out.Dir, out.Tick)
			}
			if i > 0 && in.Tick != tap.frames[i-2].Tick+1 {
				t.Fatalf("tick %d after %d", in.Tick, tap.frames[i-2].Tick)
			}
		}
		if first := tap.frames[0].Tick; first < 24 || first > 27 {
			t.Errorf("first tick %d, opened half a second ago", first)
		}
		if l := level(tap.out[800:72000], 1000); l < -14 {
			t.Errorf("out at %.1f dB", l)
		}
		if st := s.Stats(); st.Lost == 0 || st.Concealed == 0 {
			t.Errorf("lost %d, concealed %s", st.Lost, st.Concealed)
		}
	})
}

// Reports tell both sides of loss and round-trip time; a BYE ends nothing.
func TestReports(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		b.net.Latency = 30 * time.Millisecond
		a, z := b.open(media.Options{}), b.open(media.Options{})
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
		if _, err := b.engine.Open(media.Options{Codecs: []string{"opus"}}); err == nil {
			t.Error("a codec we do not have was taken")
		}
		time.Sleep(time.Second)
		if s.Codec() != codec.PCMU || len(alice.all()) < 45 {
			t.Errorf("codec %q, %d packets", s.Codec(), len(alice.all()))
		}
	})
}
