package stream

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"b2bua/media/codec"
)

// A stamp tells number and stream, survives what is passed on untouched, and changes
// only the lowest bits.
func TestStamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stride := rapid.IntRange(1, 2).Draw(t, "stride")
		payload := rapid.SliceOfN(rapid.Byte(), stampBits*stride, 400).Draw(t, "payload")
		id, n := rapid.Uint32().Draw(t, "id"), rapid.Uint32Range(0, numberMask).Draw(t, "number")
		before := slices.Clone(payload)
		writeStamp(payload, stride, id, n)
		if got, ok := readStamp(payload, stride, id); !ok || got != n {
			t.Fatalf("number %d came back as %d, %v", n, got, ok)
		}
		for i := range payload {
			if payload[i]&^1 != before[i]&^1 || payload[i] != before[i] && i%stride != stride-1 {
				t.Fatalf("octet %d was %02x and is %02x", i, before[i], payload[i])
			}
		}
		bit := rapid.IntRange(0, stampBits-1).Draw(t, "bit")
		payload[bit*stride+stride-1] ^= 1
		if _, ok := readStamp(payload, stride, id); ok && bit < checkBits {
			t.Fatal("a check that is wrong went through")
		}
	})
	wrong := 0
	payload := make([]byte, stampBits)
	for id := range uint32(10_000) {
		writeStamp(payload, 1, id, 7)
		if _, ok := readStamp(payload, 1, id+1); ok {
			wrong++
		}
	}
	if wrong > 5 {
		t.Errorf("%d of 10000 packets of another stream were taken for ours", wrong)
	}
}

// order agrees with somebody who remembers everything.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Uint32().Draw(t, "start")
		var o order
		seen := map[uint32]bool{}
		high := start
		for i, step := range rapid.SliceOf(rapid.IntRange(-63, 100)).Draw(t, "steps") {
			n := high + uint32(int32(step))
			want := next
			if i > 0 && int32(n-high) <= 0 {
				want = reordered
				if seen[n] {
					want = again
				}
			}
			if got := o.see(n); got != want {
				t.Fatalf("%d after %d: %d, want %d", n, high, got, want)
			}
			seen[n] = true
			if i == 0 || int32(n-high) > 0 {
				high = n
			}
		}
	})
}

// A quantile of the histogram is that of the sorted times, to the width of a class.
func TestHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(1900*time.Millisecond)), 1, 200).Draw(t, "times")
		var h Histogram
		for _, d := range all {
			h.Add(time.Duration(d))
		}
		slices.Sort(all)
		for _, q := range []float64{0.01, 0.5, 0.99, 1} {
			want := time.Duration(all[int(math.Ceil(q*float64(len(all))))-1])
			got := h.Quantile(q)
			if got < want || got > want+max(10*time.Microsecond, want/90) {
				t.Fatalf("quantile %v of %v: %v, want %v", q, all, got, want)
			}
		}
	})
	var h Histogram
	if h.Times() != (Times{}) {
		t.Errorf("of nothing: %+v", h.Times())
	}
	h.Add(-time.Second)
	h.Add(time.Hour)
	if got := h.Times(); got.P50 > 10*time.Microsecond || got.Max != time.Hour {
		t.Errorf("%+v", got)
	}
}

// A track is the pause and then the tone, at its level, in every codec.
func TestTrack(t *testing.T) {
	v := Voice{Freq: 400, Level: -15}
	for _, name := range []string{codec.PCMU, codec.PCMA, codec.G722, codec.L16} {
		for _, ptime := range []time.Duration{10, 20, 30, 40, 60} {
			tr, err := newTrack(Format{Codec: name, Ptime: ptime * time.Millisecond}, v)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := codec.New(name)
			pcm := make([]int16, 1000)
			var levels float64
			for i, frame := range tr.frames {
				n := c.Decode(pcm, frame)
				if n != tr.samples {
					t.Fatalf("%s: %d samples in %v ms", name, n, int(ptime))
				}
				if loud := meanSquare(pcm[:n]) > silence; loud != (i >= tr.silent) {
					t.Errorf("%s %d ms: frame %d of %d, %d of them silent: loud is %v", name, ptime, i, len(tr.frames), tr.silent, loud)
				}
				if i > tr.silent {
					levels += level(goertzel(pcm[:n], v.Freq, tr.rate))
				}
			}
			if got := levels / float64(len(tr.frames)-tr.silent-1); math.Abs(got-v.Level) > 0.5 {
				t.Errorf("%s %d ms: %.2f dBm0", name, ptime, got)
			}
		}
	}
	if _, err := newTrack(Format{Codec: "GSM", Ptime: 20 * time.Millisecond}, v); err == nil {
		t.Error("a codec that nobody has was taken")
	}
}

// Every key is recognised, through both G.711 laws and from window to window.
func TestKeysAsTones(t *testing.T) {
	for _, name := range []string{codec.PCMU, codec.PCMA, codec.G722} {
		var k keys
		c, _ := codec.New(name)
		pcm := make([]int16, 320)
		for _, key := range []byte("0123456789*#ABCD") {
			frames, err := keyFrames(Format{Codec: name, Ptime: 20 * time.Millisecond}, key)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range frames {
				k.window(pcm[:c.Decode(pcm, f)], c.SampleRate())
			}
		}
		if string(k.heard) != "0123456789*#ABCD" {
			t.Errorf("%s: heard %s", name, k.heard)
		}
		tr, _ := newTrack(Format{Codec: name, Ptime: 20 * time.Millisecond}, Voice{1000, -15})
		before := len(k.heard)
		for _, f := range tr.frames {
			k.window(pcm[:c.Decode(pcm, f)], c.SampleRate())
		}
		if len(k.heard) != before {
			t.Errorf("%s: the tone counts as key %s", name, k.heard[before:])
		}
	}
}

// The packets of a stream with keys are heard as these keys, once each, and the time
// stamps go on without a jump.
func TestEvents(t *testing.T) {
	e := &Engine{ptime: 20 * time.Millisecond, byRemote: map[uint64]*Stream{}, tracks: map[trackKey]*track{}, open: true}
	f := Format{Codec: codec.PCMU, Event: 101, Ptime: e.ptime}
	s, r := &Stream{e: e, id: 1, voice: Voice{400, -15}}, &Stream{e: e, id: 2, voice: Voice{1000, -15}}
	for _, x := range []*Stream{s, r} {
		if err := x.Start(destination{}.addr(), f); err != nil {
			t.Fatal(err)
		}
	}
	r.Hear(s)
	s.Press("11")
	s.Press("5#")
	b := make([]byte, headerSize+maxPayload)
	first, audio := s.ts, 0
	for i := range 100 {
		n := s.compose(b, int64(i))
		if b[1]&0x7f == 0 {
			audio++
			if ts := binary.BigEndian.Uint32(b[4:]); ts != first+uint32(i)*160 {
				t.Fatalf("packet %d has time stamp +%d", i, ts-first)
			}
		}
		r.receive(b[:n], int64(i)*int64(e.ptime))
		if i%3 == 0 {
			r.receive(b[:n], int64(i)*int64(e.ptime)) // once more
		}
	}
	if events, _ := r.Keys(); events != "115#" {
		t.Errorf("heard %q", events)
	}
	if want := 4 * (5 + endPackets - 1); audio != 100-want {
		t.Errorf("%d packets of sound, want %d", audio, 100-want)
	}
}

// The timeline tells how many packets there ought to be, across gaps and the turn of
// the numbers, and how late each is.
func TestTimeline(t *testing.T) {
	const clock, ptime = 160, 20 * time.Millisecond
	var line timeline
	at := func(i int) int64 { return int64(time.Hour) + int64(i)*int64(ptime) }
	sequence, ts := uint32(65530), uint32(math.MaxUint32-800)
	send := func(i int, late time.Duration) time.Duration {
		return line.packet((sequence+uint32(i))&0xffff, ts+uint32(i)*clock, at(i)+int64(late), clock, ptime)
	}
	send(0, 3*time.Millisecond) // later than those to come
	line.open()
	for _, i := range []int{1, 2, 3, 6, 5, 8, 9, 20} {
		if got := send(i, time.Duration(i)*time.Millisecond/10); got > time.Duration(i)*time.Millisecond/10 {
			t.Errorf("packet %d is %v late", i, got)
		}
	}
	if got := line.expected(clock); got != 20 {
		t.Errorf("%d packets expected, want 20", got)
	}
	if got := send(21, 7*time.Millisecond); got < 6800*time.Microsecond || got > 7*time.Millisecond {
		t.Errorf("a packet that comes 7 ms late is %v late", got)
	}
}

func TestPayload(t *testing.T) {
	plain := append(make([]byte, headerSize), 1, 2, 3)
	plain[0] = 0x80
	extended := append([]byte{0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 8, 8, 8, 8}, 1, 2, 3)
	padded := append(slices.Clone(plain), 0, 0, 3)
	padded[0] = 0xa0
	for _, b := range [][]byte{plain, extended, padded} {
		if got, ok := payloadOf(b); !ok || !slices.Equal(got, []byte{1, 2, 3}) {
			t.Errorf("payload of %x: %x, %v", b, got, ok)
		}
	}
	for _, b := range [][]byte{nil, plain[:11], {0x40, 11: 0}, {0xa0, 11: 200}} {
		if _, ok := payloadOf(b); ok {
			t.Errorf("%x went for RTP", b)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := &Engine{ptime: 20 * time.Millisecond, byRemote: map[uint64]*Stream{}, tracks: map[trackKey]*track{}}
		s := &Stream{e: e, voice: Voice{400, -15}}
		if err := s.Start(destination{}.addr(), Format{Codec: codec.PCMU, Event: 101, Ptime: e.ptime}); err != nil {
			t.Fatal(err)
		}
		e.receiveFrom(destination{}.key(), b, 1)
		e.receiveFrom(destination{}.key(), b, 2)
	})
}
