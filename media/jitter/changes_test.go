package jitter

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// level is the rms of x, in dB below full scale.
func level(x []int16) float64 {
	return 10*math.Log10(energy(x)/float64(len(x))+1e-9) - 20*math.Log10(math.MaxInt16)
}

// Another SSRC, or a timestamp that jumps, begins a new time line: a moment is
// bridged, and nothing clicks or is counted as lost.
func TestJumpsBeginAnew(t *testing.T) {
	for name, jump := range map[string]func(s *sender){
		"ssrc":     func(s *sender) { s.ssrc, s.seq, s.ts = 77, 4000, 123456 },
		"forward":  func(s *sender) { s.ts += 1 << 24 },
		"backward": func(s *sender) { s.ts -= 1 << 24 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(narrow, tone(8000, 300, 8000))
			p := NewPlayout(8000)
			out := listen(p, s, 200, func(i int, pk Packet) (Packet, bool) {
				if i == 99 {
					jump(s)
				}
				return pk, true
			})
			if st := p.Stats(); st.Resets != 1 || st.Concealed > 0 {
				t.Errorf("%+v", st)
			}
			if got, clean := step(out[2000:]), step(out[2000:8000]); got > 1.6*clean {
				t.Errorf("steps of %.0f, clean %.0f", got, clean)
			}
			if l := level(out[16800:]); math.Abs(l-level(out[2000:8000])) > 0.1 {
				t.Errorf("goes on at %.1f dB", l)
			}
		})
	}
}

// A far end that describes its silence is heard as it wants to be, without a
// click at either end, and silence is no loss.
func TestComfortNoise(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		pt := uint8(narrow)
		if rate == 16000 {
			pt = wideAs
		}
		s := newSender(pt, tone(rate, 300, 8000))
		p := NewPlayout(rate)
		out := listen(p, s, 300, func(i int, pk Packet) (Packet, bool) {
			switch {
			case i == 100 || i == 150:
				pk.PT, pk.Payload = noise1, []byte{50, 150, 120}
				return pk, true
			case i > 100 && i < 200:
				s.seq--
				return pk, false
			}
			return pk, true
		})
		if st := p.Stats(); st.Concealed > 0 || st.Resets > 0 || st.Late > 0 {
			t.Errorf("%+v", st)
		}
		sec := rate
		quiet := out[sec*22/10 : sec*38/10]
		t.Logf("%d Hz: noise asked for at -50 dB is at %.1f dB", rate, level(quiet))
		if math.Abs(level(quiet)+50) > 1 {
			t.Errorf("noise at %.1f dB", level(quiet))
		}
		if after := level(out[sec*42/10:]); math.Abs(after-level(out[sec:sec*18/10])) > 0.1 {
			t.Errorf("sound goes on at %.1f dB", after)
		}
		// Noise has steps of its own.
		if got, own := step(out[sec:]), step(quiet); got > 1.2*own {
			t.Errorf("steps of %.0f, those of the noise are %.0f", got, own)
		}
	}
}

// A far end that sends nothing while it is silent loses nothing, and speaks on
// without more delay.
func TestSilenceIsNoLoss(t *testing.T) {
	s := newSender(narrow, tone(8000, 300, 8000))
	p := NewPlayout(8000)
	out := listen(p, s, 1000, func(i int, pk Packet) (Packet, bool) {
		if i%100 >= 60 {
			s.seq--
			return pk, false
		}
		return pk, true
	})
	if st := p.Stats(); st.Concealed > 0 || st.Resets > 0 || st.Late > 0 {
		t.Errorf("%+v", st)
	}
	if quiet := level(out[8000*66/100*2 : 8000*98/100*2]); quiet > -60 {
		t.Errorf("silence of %.0f dB", quiet)
	}
	if p.Waiting() > 60*time.Millisecond {
		t.Errorf("%v held back", p.Waiting())
	}
}

// Telephone-events take sequence numbers, and are not missing.
func TestEventsAreNotLost(t *testing.T) {
	s := newSender(narrow, tone(8000, 300, 8000))
	p := NewPlayout(8000)
	listen(p, s, 200, func(i int, pk Packet) (Packet, bool) {
		if i%50 >= 40 {
			p.Other()
			return pk, false
		}
		return pk, true
	})
	if st := p.Stats(); st.Concealed > 0 {
		t.Errorf("%+v", st)
	}
}

// The far end may change its codec, and with it the rate of samples and clock.
func TestRateChanges(t *testing.T) {
	p := NewPlayout(8000)
	was := 0.0
	for i, pt := range []uint8{narrow, wideAs, narrow, wide, fine, narrow} {
		d := formats{}.Decoder(pt)
		s := newSender(pt, tone(d.SampleRate(), 300, 8000))
		s.seq, s.ts = uint16(i*100), uint32(i)*1e6
		out := listen(p, s, 100, whole)
		if p.Rate() != d.SampleRate() {
			t.Fatalf("frames of %d Hz", p.Rate())
		}
		rate := d.SampleRate()
		l := level(out[len(out)/2:])
		if i > 0 && math.Abs(l-was) > 0.1 {
			t.Errorf("payload type %d goes on at %.2f dB", pt, l)
		}
		was = l
		clean := 8000 * math.Pow(2*math.Pi*300/float64(rate), 2)
		if got := step(out[min(len(out)-1, rate/25):]); got > 2*clean+2 {
			t.Errorf("payload type %d: steps of %.0f, clean %.0f", pt, got, clean)
		}
	}
}

// The way here becomes unsteady: the delay grows as far as it must, and shrinks
// again when it is calm.
func TestDelayFollowsTheNetwork(t *testing.T) {
	s := newSender(narrow, tone(8000, 220, 8000))
	p := NewPlayout(8000)
	type late struct {
		Packet
		at time.Duration
	}
	var way []late
	seed := uint32(1)
	calm, rough := time.Duration(0), time.Duration(0)
	var missed uint64
	for i := range 4000 {
		now := time.Duration(i+1) * frameTime
		pk := s.packet()
		pk.Payload = append([]byte(nil), pk.Payload...)
		at := now - 15*time.Millisecond
		if i >= 500 && i < 2000 {
			seed = seed*1664525 + 1013904223
			at += time.Duration(seed%60) * time.Millisecond
		}
		way = append(way, late{pk, at})
		rest := way[:0]
		for _, l := range way {
			if l.at <= now {
				p.Push(formats{}, l.Packet, l.at)
			} else {
				rest = append(rest, l)
			}
		}
		way = rest
		p.Frame(formats{}, now)
		switch i {
		case 499:
			calm = p.Waiting()
		case 1000:
			missed = p.Stats().Late
		case 1999:
			rough = p.Waiting()
			missed = p.Stats().Late - missed
		}
	}
	t.Logf("held back %v when calm, %v when packets came up to 60 ms late, %v at last; %d of 1000 came too late", calm, rough, p.Waiting(), missed)
	if rough < 50*time.Millisecond || rough > 150*time.Millisecond || missed > 20 {
		t.Errorf("held back %v, %d came too late", rough, missed)
	}
	if p.Waiting() > calm+25*time.Millisecond {
		t.Errorf("%v are held back at last", p.Waiting())
	}
}

func TestPlayoutAllocatesNothing(t *testing.T) {
	s := newSender(narrow, tone(8000, 300, 8000))
	p := NewPlayout(8000)
	var f Formats = formats{}
	now := time.Duration(0)
	listen(p, s, 10, whole)
	pk := s.packet()
	if n := testing.AllocsPerRun(500, func() {
		pk.Seq++
		pk.Timestamp += 160
		if pk.Seq%7 != 0 {
			p.Push(f, pk, now)
		}
		now += frameTime
		p.Frame(f, now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever comes, in whatever order: every frame is whole, and what waits is
// bounded.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPlayout(8000)
		now := time.Duration(0)
		ts := uint32(0)
		for range 100 {
			now += frameTime
			for range rapid.IntRange(0, 3).Draw(t, "packets") {
				ts += uint32(rapid.IntRange(-800, 1600).Draw(t, "ts"))
				p.Push(formats{}, Packet{
					PT:  rapid.SampledFrom([]uint8{narrow, wide, wideAs, fine, noise1, 5}).Draw(t, "pt"),
					Seq: rapid.Uint16Range(0, 200).Draw(t, "seq"), Timestamp: ts,
					Payload: make([]byte, rapid.SampledFrom([]int{0, 1, 13, 80, 320, 640, 1500, 1501}).Draw(t, "size")),
				}, now-time.Duration(rapid.IntRange(0, 40).Draw(t, "at"))*time.Millisecond)
			}
			if n := len(p.Frame(formats{}, now)); n != p.Rate()/50 {
				t.Fatalf("a frame of %d samples at %d Hz", n, p.Rate())
			}
			if p.to-p.from > 2*longest {
				t.Fatalf("%d samples wait", p.to-p.from)
			}
		}
	})
}

func FuzzPlayout(f *testing.F) {
	f.Add([]byte{0, 0, 160, 1, 0, 160, 2, 3, 200})
	f.Add([]byte{13, 0, 0, 255, 96, 1, 160, 160, 99, 2, 0, 100, 97, 3, 3, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		p := NewPlayout(8000)
		now := time.Duration(0)
		for ; len(in) >= 4; in = in[4:] {
			p.Push(formats{}, Packet{
				PT: in[0] & 0x7f, SSRC: uint32(in[0] >> 7), Seq: uint16(in[1]), Timestamp: uint32(in[2]) << (in[1] & 31),
				Payload: make([]byte, int(in[3])*6),
			}, now)
			if in[3]&3 != 0 {
				now += frameTime
				if n := len(p.Frame(formats{}, now)); n != p.Rate()/50 {
					t.Fatalf("a frame of %d samples at %d Hz", n, p.Rate())
				}
			}
		}
	})
}

func BenchmarkPlayout(b *testing.B) {
	s := newSender(narrow, tone(8000, 300, 8000))
	p := NewPlayout(8000)
	var f Formats = formats{}
	pk := s.packet()
	now := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		pk.Seq++
		pk.Timestamp += 160
		p.Push(f, pk, now)
		now += frameTime
		p.Frame(f, now)
	}
}
