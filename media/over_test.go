package media_test

import (
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/media/codec"
)

// clicks counts steps that a sound of these tones cannot make.
func clicks(pcm []int16, most int) (n int) {
	for i := 1; i < len(pcm); i++ {
		if d := int(pcm[i]) - int(pcm[i-1]); d > most || d < -most {
			n++
		}
	}
	return n
}

// What is whispered to one party is heard by it, over the other's voice, and by
// nobody else: not by the other party, not by a tap. It begins and ends softly,
// and the bridge is relayed again behind it.
func TestWhisper(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		tap := &ear{}
		var stopped, ended *media.Playback
		together(
			func() { alice.talk(500, func(i int) []byte { return alice.tone(i, 700, 4000) }) },
			func() { bob.talk(500, func(i int) []byte { return bob.tone(i, 500, 4000) }) },
			func() {
				time.Sleep(2 * time.Second)
				z.AddTap(tap)
				a.AddTap(tap)
				stopped = a.PlayOver(media.Beep(time.Hour, -15))
				time.Sleep(2 * time.Second)
				stopped.Stop()
				z.RemoveTap(tap)
				a.RemoveTap(tap)
				ended = a.PlayOver(media.Beep(time.Second, -15))
				<-ended.Done()
			})
		if !a.Stats().Relayed || !z.Stats().Relayed {
			t.Error("not relayed afterwards")
		}
		if stopped.Finished() || stopped.Played() < 1900*time.Millisecond || !ended.Finished() || ended.Played() != time.Second {
			t.Errorf("stopped %v after %s, ended %v after %s", stopped.Finished(), stopped.Played(), ended.Finished(), ended.Played())
		}
		heard := alice.audio()
		during := heard[20000:30000]
		if w, p := level(during, 1000), level(during, 500); w < -19 || w > -17 || p < -19 || p > -17 {
			t.Errorf("alice hears the whisper at %.1f dB, bob at %.1f dB", w, p)
		}
		if l := level(heard[44000:52000], 1000); l > -50 {
			t.Errorf("the whisper goes on at %.1f dB", l)
		}
		if l := level(bob.audio()[16000:], 1000); l > -50 {
			t.Errorf("bob hears the whisper at %.1f dB", l)
		}
		for name, pcm := range map[string][]int16{"in": tap.in, "out": tap.out} {
			if l := level(pcm, 1000); l > -50 {
				t.Errorf("a tap hears the whisper %s at %.1f dB", name, l)
			}
		}
		if n := clicks(heard[1600:75000], 6000); n > 0 {
			t.Errorf("%d clicks", n)
		}
	})
}

// A whisper over nothing, over a prompt, replaced by another, and on a leg that
// is closed.
func TestWhisperEnds(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		first := s.PlayOver(media.Beep(time.Hour, -15))
		time.Sleep(time.Second)
		if l := level(alice.audio()[2000:7000], 1000); l < -19 || l > -17 {
			t.Errorf("%.1f dB over nothing", l)
		}
		second := s.PlayOver(media.Beep(time.Hour, -15))
		<-first.Done()
		s.Play(media.ClipSource(audio.Tone(8000, time.Second, -20, 500), true))
		time.Sleep(time.Second)
		tail := alice.audio()[10000:]
		if w, p := level(tail, 1000), level(tail, 500); w < -19 || p < -22 {
			t.Errorf("over a prompt: %.1f dB and %.1f dB", w, p)
		}
		s.Close()
		<-second.Done()
		<-s.PlayOver(media.Beep(time.Second, -15)).Done()
	})
}

// A clip that is repeated does not click where it begins again, whatever it ends
// with; one that runs on from its end stays as it is.
func TestLoopWithoutClick(t *testing.T) {
	clip := audio.Tone(8000, 500*time.Millisecond, -6, 300)
	clip.Samples = clip.Samples[:3990] // it ends far from where it begins
	clip.Samples[3989] = 16000
	src := media.ClipSource(clip, true)
	var pcm []int16
	for range 100 {
		f := make([]int16, 160)
		src.Frame(f)
		pcm = append(pcm, f...)
	}
	n := 0
	for i := 3990; i < len(pcm); i += 3990 {
		n += clicks(pcm[i-1:i+100], 4500)
	}
	if n > 0 {
		t.Errorf("%d clicks", n)
	}
	smooth := audio.Clip{Rate: 8000, Samples: sine(0, 400, 9000)} // eight whole periods
	src = media.ClipSource(smooth, true)
	for i := range 10 {
		f := make([]int16, 160)
		if src.Frame(f); i > 0 && f[5] != smooth.Samples[5] {
			t.Fatal("a loop without a seam was changed")
		}
	}
}

// Replaced, stopped, cut off: every change of what is heard fades within 5 ms.
func TestEverySpliceFades(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		loud := audio.Clip{Rate: 8000, Samples: make([]int16, 8000)}
		for i := range loud.Samples { // begins and ends at its loudest
			loud.Samples[i] = 12000
		}
		s.Play(media.ClipSource(loud, true))
		time.Sleep(300 * time.Millisecond)
		low := audio.Clip{Rate: 8000, Samples: make([]int16, 8000)}
		for i := range low.Samples {
			low.Samples[i] = -12000
		}
		p := s.Play(media.ClipSource(low, true)) // in place of the other
		time.Sleep(300 * time.Millisecond)
		p.Stop()
		time.Sleep(300 * time.Millisecond)
		s.Play(media.ClipSource(low, false)) // to its end
		time.Sleep(1500 * time.Millisecond)
		// From 12000 to -12000 within 40 samples is 600 a sample, and mu-law has
		// steps of up to 512 there.
		if n := clicks(alice.audio(), 1200); n > 0 {
			t.Errorf("%d clicks", n)
		}
	})
}
