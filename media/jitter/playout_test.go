package jitter

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// linear is L16, so that a test sees the very samples.
type linear struct{ clock, rate int }

func (l linear) ClockRate() int  { return l.clock }
func (l linear) SampleRate() int { return l.rate }
func (l linear) Decode(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload)/2)
	for i := range n {
		dst[i] = int16(binary.BigEndian.Uint16(payload[2*i:]))
	}
	return n
}

// Payload types of tests.
const (
	narrow = 96
	wide   = 97
	wideAs = 98 // 16 kHz with a clock of 8000, as G.722 has it
	fine   = 99 // 16 kHz with a clock of 48000, as Opus has it
	noise1 = 13
)

type formats struct{}

func (formats) Noise(pt uint8) bool { return pt == noise1 }
func (formats) Decoder(pt uint8) Decoder {
	switch pt {
	case narrow:
		return linear{8000, 8000}
	case wide:
		return linear{16000, 16000}
	case wideAs:
		return linear{8000, 16000}
	case fine:
		return linear{48000, 16000}
	}
	return nil
}

// sender makes packets of a signal.
type sender struct {
	pt     uint8
	signal func(i int) float64 // sample i at the codec's rate
	size   int                 // samples a packet
	sent   int                 // samples so far
	seq    uint16
	ts     uint32
	ssrc   uint32

	payload []byte
}

func newSender(pt uint8, signal func(int) float64) *sender {
	return &sender{pt: pt, signal: signal, size: formats{}.Decoder(pt).SampleRate() / 50, seq: 65500, ts: 1<<32 - 5000}
}

func (s *sender) packet() Packet {
	d := formats{}.Decoder(s.pt)
	if len(s.payload) != 2*s.size {
		s.payload = make([]byte, 2*s.size)
	}
	payload := s.payload // which the playout copies
	for i := range s.size {
		binary.BigEndian.PutUint16(payload[2*i:], uint16(int16(s.signal(s.sent+i))))
	}
	p := Packet{SSRC: s.ssrc, Seq: s.seq, Timestamp: s.ts, PT: s.pt, Payload: payload}
	s.skip()
	s.ts += uint32(s.size * d.ClockRate() / d.SampleRate())
	s.sent += s.size
	return p
}

func (s *sender) skip() { s.seq++ }

func tone(rate int, hz, amplitude float64) func(int) float64 {
	return func(i int) float64 { return amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)) }
}

// step is the largest second difference of x: what a click has and a sound of
// low frequencies has not.
func step(x []int16) float64 {
	worst := 0.0
	for i := 2; i < len(x); i++ {
		worst = math.Max(worst, math.Abs(float64(x[i])-2*float64(x[i-1])+float64(x[i-2])))
	}
	return worst
}

// listen plays n frames of packets that come steadily.
func listen(p *Playout, s *sender, frames int, each func(i int, p Packet) (Packet, bool)) []int16 {
	var out []int16
	for i := range frames {
		now := time.Duration(i) * frameTime
		if pk, ok := each(i, s.packet()); ok {
			p.Push(formats{}, pk, now+5*time.Millisecond)
		}
		out = append(out, p.Frame(formats{}, now+frameTime)...)
	}
	return out
}

func whole(_ int, p Packet) (Packet, bool) { return p, true }

// What comes steadily goes out as it came, sample by sample, after the delay.
func TestSteadyStreamIsUntouched(t *testing.T) {
	for _, pt := range []uint8{narrow, wide, wideAs, fine} {
		rate := formats{}.Decoder(pt).SampleRate()
		random := rand.New(rand.NewPCG(1, 2))
		var said []int16
		s := newSender(pt, func(int) float64 {
			said = append(said, int16(random.IntN(20000)-10000))
			return float64(said[len(said)-1])
		})
		out := listen(NewPlayout(rate), s, 500, whole)
		delay := 0
		for delay < 3*rate/50 && out[2000+delay] != said[2000] {
			delay++
		}
		for i := 500; i+delay < len(out); i++ {
			if out[i+delay] != said[i] {
				t.Fatalf("payload type %d: sample %d is %d, want %d", pt, i, out[i+delay], said[i])
			}
		}
		t.Logf("payload type %d: %.2f ms late", pt, float64(delay)*1000/float64(rate))
	}
}

func TestReorderedAndDuplicatedPackets(t *testing.T) {
	s := newSender(narrow, tone(8000, 300, 8000))
	p := NewPlayout(8000)
	var kept *Packet
	out := listen(p, s, 400, func(i int, pk Packet) (Packet, bool) {
		at := time.Duration(i)*frameTime + 3*time.Millisecond
		switch {
		case i > 100 && i%10 == 3:
			pk.Payload = bytes.Clone(pk.Payload)
			kept = &pk
			return pk, false
		case kept != nil:
			p.Push(formats{}, pk, at)
			p.Push(formats{}, pk, at)
			pk, kept = *kept, nil
		}
		return pk, true
	})
	// The first two come too late; then the delay is long enough.
	if s := p.Stats(); s.Duplicates != 30 || s.Resets != 0 || s.Late > 2 || s.Concealed > 40*time.Millisecond {
		t.Errorf("%+v", s)
	}
	if clean := step(out[1000:16000]); step(out[16000:]) > 1.5*clean {
		t.Errorf("steps of %.0f, clean ones are %.0f", step(out[16000:]), clean)
	}
}

// Two clocks 200 ppm apart for an hour: the delay stays what it was, nothing is
// lost, and a tone has no clicks.
func TestAnHourOfDrift(t *testing.T) {
	for name, ppm := range map[string]float64{"sender fast": 200, "sender slow": -200} {
		t.Run(name, func(t *testing.T) {
			const hz, amplitude = 220, 10000
			table := make([]float64, 400) // eleven periods
			for i := range table {
				table[i] = tone(8000, hz, amplitude)(i)
			}
			s := newSender(narrow, func(i int) float64 { return table[i%len(table)] })
			p := NewPlayout(8000)
			clean := amplitude * (2 * math.Pi * hz / 8000) * (2 * math.Pi * hz / 8000)
			next := 7 * time.Millisecond
			worst, longest := 0.0, time.Duration(0)
			shortest := time.Hour
			var tail [2]int16
			x := make([]int16, 0, 200)
			for i := range 50 * 3600 {
				now := time.Duration(i+1) * frameTime
				for ; next <= now; next += time.Duration(float64(frameTime) / (1 + ppm/1e6)) {
					p.Push(formats{}, s.packet(), next)
				}
				frame := p.Frame(formats{}, now)
				if i < 50 {
					continue
				}
				x = append(append(x[:0], tail[:]...), frame...)
				if i > 50 {
					worst = math.Max(worst, step(x))
				}
				copy(tail[:], frame[len(frame)-2:])
				longest, shortest = max(longest, p.Waiting()), min(shortest, p.Waiting())
			}
			st := p.Stats()
			t.Logf("held back %v to %v, %d stretched, %d compressed, steps %.0f of %.0f clean", shortest, longest, st.Stretched, st.Compressed, worst, clean)
			if longest > 60*time.Millisecond || st.Resets+st.Late > 0 || st.Concealed > 0 {
				t.Errorf("held back up to %v, %+v", longest, st)
			}
			if worst > 2*clean {
				t.Errorf("steps of %.0f, a clean tone has %.0f", worst, clean)
			}
			if st.Stretched+st.Compressed == 0 {
				t.Error("nothing gave way")
			}
		})
	}
}

// Packets of any length, mixed too.
func TestAnyPacketTime(t *testing.T) {
	for _, pt := range []uint8{narrow, wide, wideAs, fine} {
		rate := formats{}.Decoder(pt).SampleRate()
		for _, ms := range []int{10, 20, 30, 40, 60, 0} {
			if ms == 60 && rate > 8000 {
				continue // fits no packet unless it is compressed
			}
			s := newSender(pt, tone(rate, 300, 8000))
			p := NewPlayout(rate)
			var out []int16
			due := time.Duration(0)
			for i := range 1000 {
				now := time.Duration(i+1) * frameTime
				for due <= now-5*time.Millisecond {
					size := ms
					if ms == 0 {
						size = []int{10, 20, 30, 40}[s.seq%4]
					}
					// A packet leaves when its sound is over.
					due += time.Duration(size) * time.Millisecond
					s.size = rate * size / 1000
					p.Push(formats{}, s.packet(), now)
				}
				out = append(out, p.Frame(formats{}, now)...)
			}
			clean := 8000 * math.Pow(2*math.Pi*300/float64(rate), 2)
			st := p.Stats()
			if got := step(out[rate*10:]); got > 2*clean+2 || st.Resets > 0 || st.Concealed > 0 {
				t.Errorf("payload type %d, %d ms: steps of %.0f, clean %.0f; %+v", pt, ms, got, clean, st)
			}
			if p.Waiting() > 200*time.Millisecond {
				t.Errorf("payload type %d, %d ms: %v held back", pt, ms, p.Waiting())
			}
		}
	}
}
