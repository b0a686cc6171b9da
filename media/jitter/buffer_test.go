package jitter

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// line drives a buffer with numbered packets of 160 samples and notes what
// comes out: the packet's number, or -1 for a gap.
type line struct {
	b    *Buffer
	ssrc uint32
	seq0 uint16
	ts0  uint32
}

func newLine() *line { return &line{b: New(Default), ssrc: 1, seq0: 65530, ts0: 1<<32 - 1000} }

func (l *line) push(n int) {
	payload := make([]byte, 160)
	binary.BigEndian.PutUint32(payload, uint32(n))
	l.b.Push(Packet{SSRC: l.ssrc, Seq: l.seq0 + uint16(n), Timestamp: l.ts0 + uint32(n)*160, Payload: payload})
}

func (l *line) tick() int {
	var buf [640]byte
	for {
		p := l.b.Pull(buf[:], 160)
		if p.Gap > 0 {
			return -1
		}
		l.b.Advance(160 - p.Skip)
		if p.Skip < 160 {
			return int(binary.BigEndian.Uint32(buf[:]))
		}
	}
}

// run plays arrivals: the packets that come before each tick.
func (l *line) run(arrivals ...[]int) (out []int) {
	for _, ns := range arrivals {
		for _, n := range ns {
			l.push(n)
		}
		out = append(out, l.tick())
	}
	return out
}

func same(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestOrder(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals [][]int
		want     []int
	}{
		"steady":         {[][]int{{0}, {1}, {2}, {3}}, []int{-1, 0, 1, 2}},
		"lost":           {[][]int{{0}, {1}, {}, {3}, {4}}, []int{-1, 0, 1, -1, 3}},
		"reordered":      {[][]int{{0}, {2, 1}, {3}, {4}, {5}}, []int{-1, 0, 1, 2, 3}},
		"twice":          {[][]int{{0, 0}, {1, 0}, {1, 2, 2}, {3}}, []int{-1, 0, 1, 2}},
		"straggler":      {[][]int{{0}, {1}, {3}, {4}, {2, 5}, {6}}, []int{-1, 0, 1, -1, 3, 4}},
		"pause":          {[][]int{{0}, {1}, {}, {}, {}, {5}, {6}, {7}}, []int{-1, 0, 1, -1, -1, -1, 5, 6}},
		"later for good": {[][]int{{0}, {1}, {}, {}, {2}, {3}, {4}, {5}}, []int{-1, 0, 1, -1, 2, 3, 4, 5}},
		"burst":          {[][]int{{0}, {}, {}, {1, 2, 3}, {4}, {5}}, []int{-1, 0, -1, 1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newLine().run(c.arrivals...); !same(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestJumpsStartANewLine(t *testing.T) {
	for name, jump := range map[string]func(l *line){
		"ssrc":     func(l *line) { l.ssrc++; l.ts0 += 1 << 31; l.seq0 += 1 << 15 },
		"forward":  func(l *line) { l.ts0 += 1 << 20 },
		"backward": func(l *line) { l.ts0 -= 1 << 20 },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine()
			l.run([]int{0}, []int{1}, []int{2})
			jump(l)
			if got := l.run([]int{3}, []int{4}, []int{5}); !same(got, []int{-1, 3, 4}) {
				t.Errorf("after the jump %v", got)
			}
			if l.b.Stats().Resets != 1 {
				t.Errorf("%d resets", l.b.Stats().Resets)
			}
		})
	}
}

// A far end that begins to count anew with the same SSRC is heard again after
// three packets, whichever of its numbers went back and however far.
func TestStreamBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		seq uint16
		ts  uint32
	}{
		"both":                     {29000, 2500000},
		"both, a little":           {101, 101 * 160},
		"both, timestamp not much": {29000, 800},
		"sequence only":            {29000, 0},
		"sequence, time on":        {29000, 1<<32 - 400},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine()
			l.seq0, l.ts0 = 30000, 3000000
			n := 0
			steady := func(ticks int) (heard int) {
				for range ticks {
					l.push(n)
					n++
					if l.tick() >= 0 {
						heard++
					}
				}
				return heard
			}
			steady(20)
			l.seq0, l.ts0 = l.seq0-c.seq, l.ts0-c.ts
			if heard := steady(200); heard < 195 {
				t.Errorf("heard %d of 200 packets, %+v", heard, l.b.Stats())
			}
			// The line still gives way when the network does.
			for range 5 {
				l.tick()
			}
			for range 5 {
				l.push(n)
				n++
			}
			if heard := steady(50); heard < 49 {
				t.Errorf("heard %d of 50 packets after a stall, %+v", heard, l.b.Stats())
			}
		})
	}
}

// Overtaken packets, even several in a row, begin nothing anew.
func TestStragglersBeginNothing(t *testing.T) {
	l := newLine()
	for n := range 60 {
		if n < 20 || n > 24 {
			l.push(n)
		}
		l.tick()
	}
	l.run([]int{20, 21, 22, 23, 60}, []int{1, 2, 61}, []int{3, 62})
	if s := l.b.Stats(); s.Resets != 0 || s.Late != 7 {
		t.Errorf("%+v", s)
	}
	if got := l.run([]int{63}, []int{64}); got[1] != 63 {
		t.Errorf("heard %v", got)
	}
}

// A packet later than the delay makes the delay longer; calm makes it short
// again.
func TestDepthAdapts(t *testing.T) {
	l := newLine()
	n := 0
	steady := func(ticks int) (gaps int) {
		for range ticks {
			l.push(n)
			n++
			if l.tick() < 0 {
				gaps++
			}
		}
		return gaps
	}
	steady(10)
	for range 4 {
		l.tick()
	}
	for range 4 {
		l.push(n)
		n++
	}
	if l.b.Stats().Grown == 0 {
		t.Fatal("the delay did not grow")
	}
	if gaps := steady(50); gaps != 0 {
		t.Errorf("%d gaps after growing", gaps)
	}
	steady(1000)
	if s := l.b.Stats(); s.Shrunk != s.Grown {
		t.Errorf("grown by %d, shrunk by %d", s.Grown, s.Shrunk)
	}
	if l.b.Len() > 2 {
		t.Errorf("%d packets wait on a calm line", l.b.Len())
	}
}

// Two clocks 300 ppm apart lose or gain a packet a minute, and no delay builds
// up in ten minutes.
func TestSkewIsHarmless(t *testing.T) {
	for name, step := range map[string]float64{"sender fast": 1.0003, "sender slow": 0.9997} {
		t.Run(name, func(t *testing.T) {
			l := newLine()
			sent, due, gaps := 0, 0.5, 0
			for range 30000 {
				for due += step; float64(sent) < due; sent++ {
					l.push(sent)
				}
				if l.tick() < 0 {
					gaps++
				}
			}
			if gaps > 25 || l.b.Len() > 3 {
				t.Errorf("%d gaps, %d packets wait", gaps, l.b.Len())
			}
		})
	}
}

func TestRefusesAbsurdPayloads(t *testing.T) {
	b := New(Default)
	b.Push(Packet{Payload: nil})
	b.Push(Packet{Payload: make([]byte, 641)})
	if b.Len() != 0 || b.Stats().Dropped != 2 {
		t.Errorf("%d wait, %+v", b.Len(), b.Stats())
	}
}

func TestPacketsOfAnySize(t *testing.T) {
	for _, size := range []int{80, 160, 240, 320, 480} {
		b := New(Default)
		fifo, next, got, gaps := 0, 0, 0, 0
		var buf [640]byte
		for now := 0; now < 160*300; now += 160 {
			for ; next*size <= now; next++ {
				b.Push(Packet{Seq: uint16(next), Timestamp: uint32(next * size), Payload: make([]byte, size)})
			}
			for fifo < 160 {
				p := b.Pull(buf[:], 160-fifo)
				if p.Gap > 0 {
					gaps += p.Gap
					fifo += p.Gap
					continue
				}
				n := p.Len - p.Skip
				b.Advance(n)
				fifo += n
				got += n
			}
			fifo -= 160
		}
		// It may take a while until the delay suits the packets.
		if gaps > 4*480 || got < 160*280 {
			t.Errorf("packets of %d samples: %d samples of gaps, %d heard", size, gaps, got)
		}
	}
}

// Whatever comes in whatever order: time passes at one frame a tick, packets
// come out at most once, in order, and memory is bounded.
func TestAnyArrivals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine()
		last := -1
		for range 200 {
			for range rapid.IntRange(0, 3).Draw(t, "burst") {
				l.push(rapid.IntRange(max(last-5, 0), last+30).Draw(t, "n"))
			}
			if l.b.Len() > slots {
				t.Fatalf("%d packets wait", l.b.Len())
			}
			if n := l.tick(); n >= 0 {
				if n <= last && l.b.Stats().Resets == 0 {
					t.Fatalf("%d after %d", n, last)
				}
				last = n
			}
		}
	})
}

func TestTakeEmptiesInOrder(t *testing.T) {
	l := newLine()
	for _, n := range []int{0, 2, 1} {
		l.push(n)
	}
	var buf [640]byte
	for want := range 3 {
		p, ok := l.b.Take(buf[:])
		if !ok || p.Seq != l.seq0+uint16(want) || p.Len != 160 {
			t.Fatalf("%+v %v", p, ok)
		}
	}
	if _, ok := l.b.Take(buf[:]); ok {
		t.Error("more than there was")
	}
}

func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 160, 1, 0, 160, 2, 3, 200})
	f.Fuzz(func(t *testing.T, in []byte) {
		b := New(Default)
		var buf [640]byte
		for ; len(in) >= 4; in = in[4:] {
			b.Push(Packet{
				SSRC: uint32(in[0] >> 6), Seq: uint16(in[0])<<8 | uint16(in[1]),
				Timestamp: uint32(in[2]) << 24 >> (in[0] & 31), Payload: make([]byte, int(in[3])*3),
			})
			for need := 160; need > 0; {
				p := b.Pull(buf[:], need)
				n := p.Gap
				if n == 0 {
					if p.Len == 0 || p.Skip < 0 {
						t.Fatalf("%+v", p)
					}
					n = max(p.Len-p.Skip, 0)
					b.Advance(n)
				}
				need -= n
			}
		}
	})
}

func BenchmarkPushPull(b *testing.B) {
	buf := New(Default)
	p := Packet{Payload: make([]byte, 160)}
	var out [640]byte
	b.ReportAllocs()
	for b.Loop() {
		p.Seq++
		p.Timestamp += 160
		buf.Push(p)
		if got := buf.Pull(out[:], 160); got.Len > 0 {
			buf.Advance(160)
		}
	}
}
