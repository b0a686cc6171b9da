package media_test

import (
	"math"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/media/codec"
	"b2bua/media/tone"
)

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
		replaced := s.Play(tone.Countries()[0].Ringback.Play(true))
		last := s.Play(tone.Countries()[20].Ringback.Play(true))
		<-replaced.Done()
		s.Close()
		<-last.Done()
		<-s.Play(tone.Countries()[0].Busy.Play(true)).Done()
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
