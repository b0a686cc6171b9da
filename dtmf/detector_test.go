package dtmf

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"b2bua/media/codec"
)

func TestDetectorAllocatesNothing(t *testing.T) {
	pcm := diallingFor(16000)
	var d Detector
	dst := make([]Press, 0, 16)
	if n := testing.AllocsPerRun(5, func() {
		for at := 0; at < len(pcm); at += 160 {
			dst = d.Push(dst[:0], pcm[at:at+160])
			dst = d.Gap(dst, 7)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if size := unsafe.Sizeof(d); size > 2048 {
		t.Errorf("it takes %d octets", size)
	}
}

// However the sound is cut into frames, the same is heard.
func TestDetectorFrames(t *testing.T) {
	pcm := diallingFor(40000)
	want := hear(pcm)
	r := rand.New(rand.NewPCG(1, 1))
	var d Detector
	var told []Press
	for rest := pcm; len(rest) > 0; {
		n := min(len(rest), 1+r.IntN(500))
		told = d.Push(told, rest[:n])
		rest = rest[n:]
	}
	told = d.Flush(told)
	if keysOf(told) != keysOf(want) || keysOf(told) != "0123456789*#ABCD0123456789"[:len(told)] || len(told) < 24 {
		t.Errorf("heard %s, and in other frames %s", keysOf(want), keysOf(told))
	}
}

// A key that is held is down until it is released, and told once, in its length.
func TestDetectorHeld(t *testing.T) {
	var d Detector
	pcm := heldFor(80000, 0)
	told := d.Push(nil, pcm)
	if key, down := d.Down(); len(told) != 0 || !down || key != '5' || !d.Suspect() {
		t.Fatalf("told %v, %c down: %v", told, key, down)
	}
	told = d.Push(told, make([]int16, 400))
	if _, down := d.Down(); down || len(told) != 1 || d.Suspect() {
		t.Fatalf("told %v", told)
	}
	if long := told[0].Duration; long < 9850*time.Millisecond || long > 10*time.Second {
		t.Errorf("it lasted %s", long)
	}
}

// A change of keys without a pause is two keys.
func TestDetectorWithoutPause(t *testing.T) {
	s := newSound(rand.New(rand.NewPCG(1, 1)))
	for _, key := range "1479#D" {
		s.press(strike{key: byte(key), ms: 60, low: -9, high: -7})
	}
	if got := keysOf(hear(s.through(codec.PCMU))); got != "1479#D" {
		t.Errorf("heard %s", got)
	}
}

// Two losses in a row leave a long key whole; a pause in which packets are lost
// parts two keys all the same.
func TestDetectorGaps(t *testing.T) {
	s := newSound(rand.New(rand.NewPCG(1, 1)))
	from, to := s.press(strike{key: '8', ms: 160, low: -9, high: -7, pauseAfter: 50})
	s.press(strike{key: '8', ms: 80, low: -9, high: -7})
	pcm := s.through(codec.PCMA)
	for _, c := range []struct {
		name     string
		at, long int
		want     string
	}{
		{"forty milliseconds", from + 400, 320, "88"},
		{"of the beginning", from - 100, 160, "88"},
		{"of the pause", to + 100, 160, "88"},
		{"of the pause and the next key", to + 300, 160, "88"},
	} {
		var d Detector
		told := d.Push(nil, pcm[:c.at])
		told = d.Gap(told, c.long)
		told = d.Push(told, pcm[c.at+c.long:])
		if got := keysOf(d.Flush(told)); got != c.want {
			t.Errorf("lost %s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzDetector(f *testing.F) {
	b := make([]byte, 3200)
	for i, v := range heldFor(1600, 0)[:1600] {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	f.Add(b, 3)
	f.Fuzz(func(t *testing.T, b []byte, gap int) {
		pcm := make([]int16, len(b)/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		var d Detector
		told := d.Push(nil, pcm[:len(pcm)/2])
		told = d.Gap(told, gap%10000)
		told = d.Flush(d.Push(told, pcm[len(pcm)/2:]))
		for _, p := range told {
			if !Valid(string(rune(p.Symbol))) || p.Duration < minTone*time.Second/toneRate {
				t.Fatalf("told %+v", p)
			}
		}
	})
}
