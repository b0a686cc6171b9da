package media_test

import (
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
)

// A stream with another SSRC is not heard while the far end's own goes on, even
// with its address forged.
func TestForgedStreamIsRefused(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		tap := &ear{}
		s.AddTap(tap)
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		ssrc, seq, ts := uint32(0xdead), uint16(7), uint32(7777)
		other := func() {
			alice.ssrc, ssrc, alice.seq, seq, alice.ts, ts = ssrc, alice.ssrc, seq, alice.seq, ts, alice.ts
		}
		alice.talk(100, func(i int) []byte {
			other()
			alice.send(alice.tone(i, 1000, 16000))
			other()
			return alice.tone(i, 500, 8000)
		})
		s.RemoveTap(tap)
		if l := level(tap.in[8800:], 1000); l > -60 {
			t.Errorf("the forged stream is heard at %.1f dB", l)
		}
		if l := level(tap.in[8800:], 500); l < -12.5 {
			t.Errorf("the far end is heard at %.1f dB", l)
		}
		if st := s.Stats(); st.Refused != 100 || st.Streams != 1 {
			t.Errorf("refused %d, %d streams", st.Refused, st.Streams)
		}
	})
}

// A far end that changes its SSRC in earnest loses a moment at most, nothing to
// speak of after a pause, and lost packets do not keep it waiting.
func TestNewStreamIsFollowed(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		for _, c := range []struct {
			name   string
			before func()
			lossy  bool
			lost   uint64
		}{
			{"at once", func() {}, false, 7},
			{"after a pause", func() { time.Sleep(time.Second) }, false, 2},
			{"every third packet lost", func() {}, true, 7},
		} {
			alice.talk(20, func(i int) []byte { return alice.tone(i, 500, 8000) })
			c.before()
			alice.ssrc, alice.seq, alice.ts = alice.ssrc+1, alice.seq+20000, alice.ts+1<<30
			before := s.Stats()
			alice.talk(20, func(i int) []byte {
				if c.lossy && i%3 == 2 {
					alice.seq++
				}
				return alice.tone(i, 500, 8000)
			})
			st := s.Stats()
			if lost := st.Refused - before.Refused; lost > c.lost || st.Streams != before.Streams+1 {
				t.Errorf("%s: %d packets lost, %d streams", c.name, lost, st.Streams-before.Streams)
			}
		}
	})
}
