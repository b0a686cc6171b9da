package media_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
)

// Who listens in changes nothing for those who talk: their packets stay as they are,
// and are recorded from the first moment on.
func TestTapsLeaveTheRelayAlone(t *testing.T) {
	for _, name := range []string{codec.PCMU, codec.G722, codec.Opus} {
		onBench(t, media.Config{}, func(b *bench) {
			alice, bob := b.newSpeaker("10.0.1.1:4000", name, 20*time.Millisecond), b.newSpeaker("10.0.1.2:4000", name, 20*time.Millisecond)
			a, z := alice.join(), bob.join()
			media.Bridge(a, z)
			tap := &ear{}
			var taken []int
			together(func() { alice.say(2*time.Second, 500) }, func() { bob.say(2*time.Second, 700) }, func() {
				for range 2 {
					time.Sleep(300 * time.Millisecond)
					a.AddTap(tap)
					time.Sleep(500 * time.Millisecond)
					if !a.Stats().Relayed || !z.Stats().Relayed {
						t.Errorf("%s: not relayed when tapped", name)
					}
					a.RemoveTap(tap)
					taken = append(taken, len(tap.in)*50/tap.frames[0].Rate)
				}
			})
			if taken[0] < 24 || taken[1] < 48 {
				t.Errorf("%s: %v frames of 500 ms and as much again", name, taken)
			}
			rate := tap.frames[0].Rate
			for pcm, hz := range map[*[]int16]float64{&tap.in: 500, &tap.out: 700} {
				if level, snr := toneIn((*pcm)[rate/5:2*rate/5], rate, hz, 8000); math.Abs(level) > 0.5 || snr < 25 {
					t.Errorf("%s: %.0f Hz recorded at %+.1f dB, SNR %.1f dB", name, hz, level, snr)
				}
			}
			sent := map[string]bool{}
			for _, h := range bob.all() {
				sent[string(h.Payload)] = true
			}
			c, pcm, said := alice.info.New(), make([]int16, alice.info.SampleRate/50), 0
			for n := range 100 {
				for i := range pcm {
					pcm[i] = int16(8000 * math.Sin(2*math.Pi*500*float64(n*len(pcm)+i)/float64(alice.info.SampleRate)))
				}
				payload := make([]byte, 2*len(pcm))
				if sent[string(bytes.Clone(payload[:c.Encode(payload, pcm)]))] {
					said++
				}
			}
			if said < 98 {
				t.Errorf("%s: %d of 100 packets came as they were sent", name, said)
			}
		})
	}
}

// Codecs with a history are relayed again behind a pause, where that is not heard.
func TestRelayedAgainAfterAPause(t *testing.T) {
	for _, name := range []string{codec.G722, codec.Opus} {
		onBench(t, media.Config{}, func(b *bench) {
			alice, bob := b.newSpeaker("10.0.1.1:4000", name, 20*time.Millisecond), b.newSpeaker("10.0.1.2:4000", name, 20*time.Millisecond)
			a, z := alice.join(), bob.join()
			media.Bridge(a, z)
			const hz, amplitude = 450, 8000 // louder and softer where it is zero
			speak := func() {
				alice.say(time.Second, hz)
				loud := alice.loud
				for alice.loud = loud; alice.loud > 0; alice.loud = max(alice.loud-1000, 0) {
					alice.say(20*time.Millisecond, hz)
				}
				alice.say(300*time.Millisecond, hz)
				for ; alice.loud < loud; alice.loud += 1000 {
					alice.say(20*time.Millisecond, hz)
				}
				alice.say(time.Second, hz)
			}
			together(speak, func() { bob.say(2*time.Second, hz) }, func() {
				time.Sleep(400 * time.Millisecond)
				over := z.PlayOver(silence{})
				time.Sleep(400 * time.Millisecond)
				over.Stop()
				time.Sleep(150 * time.Millisecond)
				if a.Stats().Relayed {
					t.Errorf("%s: relayed in the middle of a word", name)
				}
				time.Sleep(650 * time.Millisecond)
				if !a.Stats().Relayed {
					t.Errorf("%s: not relayed after a pause", name)
				}
			})
			rate := bob.info.SampleRate
			worst, at := roughest(bob.sound()[rate/5:], rate, hz, amplitude)
			t.Logf("%s: the largest step is %.3f of the peak above that of the tone, after %d ms", name, worst, at)
			if worst > map[string]float64{codec.G722: 0.05, codec.Opus: 0.1}[name] {
				t.Errorf("%s: a step of %.3f of the peak after %d ms", name, worst, at)
			}
		})
	}
}

// roughest is the largest step of a tone, as part of its amplitude, beyond those
// that it has by itself; and when it was, in milliseconds.
func roughest(pcm []int16, rate int, hz, amplitude float64) (worst float64, at int) {
	for i := 2; i < len(pcm); i++ {
		if d := math.Abs(float64(pcm[i]) - 2*float64(pcm[i-1]) + float64(pcm[i-2])); d > worst {
			worst, at = d, i*1000/rate
		}
	}
	return worst/amplitude - math.Pow(2*math.Pi*hz/float64(rate), 2), at
}
