package media_test

import (
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
)

// After a burst the jitter buffer gives its delay back without a click: no step
// of a steady tone is much larger than the tone's own.
func TestDelayShrinksWithoutClick(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		tap := &ear{}
		s.AddTap(tap)
		frame := 0
		tone := func(int) []byte { frame++; return alice.tone(frame, 440, 8000) }
		alice.talk(200, tone)
		time.Sleep(140 * time.Millisecond)
		for range 7 {
			alice.send(tone(0))
		}
		alice.talk(1500, tone)
		s.RemoveTap(tap)
		// 440 Hz at 8000 steps by 2764 at most, and mu-law by some 250 more.
		pcm, steps := tap.in[250*160:len(tap.in)-1600], 0
		for i := 1; i < len(pcm); i++ {
			if d := int(pcm[i]) - int(pcm[i-1]); d > 3500 || d < -3500 {
				steps++
				t.Logf("a step of %d after %s", d, time.Duration(i)*time.Second/8000)
			}
		}
		if steps > 0 {
			t.Errorf("%d clicks", steps)
		}
		for at := 0; at+160 <= len(pcm); at += 160 {
			if l := level(pcm[at:at+160], 440); l < -15 {
				t.Errorf("%.1f dB at %d ms", l, at/8)
			}
		}
	})
}

// A stream that begins anew with the same SSRC is heard again at once.
func TestRestartWithTheSameSSRC(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		alice.seq, alice.ts = 30000, 3000000
		alice.talk(100, func(i int) []byte { return alice.tone(i, 500, 8000) })
		tap := &ear{}
		s.AddTap(tap)
		alice.talk(10, func(i int) []byte { return alice.tone(i, 500, 8000) })
		alice.seq, alice.ts = 1000, 500000
		alice.talk(100, func(i int) []byte { return alice.tone(i, 500, 8000) })
		s.RemoveTap(tap)
		if l := level(tap.in[20*160:100*160], 500); l < -12.5 {
			t.Errorf("%.1f dB after the restart", l)
		}
	})
}
