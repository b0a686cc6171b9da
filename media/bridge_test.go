package media_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
)

// Two far ends with different codecs hear each other through frames: the tone
// keeps its level, and a beginning is heard within 40 ms.
func TestTranscodingBridge(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMA)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		silence := func(p *peer) func(int) []byte {
			return func(int) []byte { return encode(p.c, make([]int16, 160)) }
		}
		together(func() { alice.talk(50, silence(alice)) }, func() { bob.talk(50, silence(bob)) })
		bob.forget()
		began := time.Now()
		together(
			func() { alice.talk(100, func(i int) []byte { return alice.tone(i, 1000, 8000) }) },
			func() { bob.talk(100, silence(bob)) })

		if a.Stats().Relayed || z.Stats().Relayed {
			t.Error("different codecs are relayed")
		}
		pcm := bob.audio()
		want := 20 * math.Log10(8000.0/32767)
		if got := level(pcm[4000:12000], 1000); math.Abs(got-want) > 0.5 {
			t.Errorf("level %.2f dB, want %.2f", got, want)
		}
		if d := onset(bob) - bob.all()[0].at.Sub(began); onset(bob) < 0 || bob.all()[0].at.Sub(began)+onset(bob) > 43*time.Millisecond {
			t.Errorf("heard after %s", d)
		}
		continuous(t, bob.all(), 20*time.Millisecond)
	})
}

// onset is when the packet came in which a tone begins, after the first one.
func onset(p *peer) time.Duration {
	got := p.all()
	pcm := p.audio()
	for i, s := range pcm {
		if s > 1000 {
			return got[i/160].at.Sub(got[0].at)
		}
	}
	return -1
}

// The same codec on both sides is relayed: payloads arrive as they were sent,
// with a header of our own.
func TestRelayKeepsPayloads(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		noise := func(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 3), 0x55, 0xff}, 40) }
		together(func() { alice.talk(100, noise) }, func() { bob.talk(100, noise) })
		if !a.Stats().Relayed || !z.Stats().Relayed {
			t.Fatal("not relayed")
		}
		continuous(t, bob.all(), 40*time.Millisecond)
		got := bob.all()[10:]
		first := -1
		for i := range 100 {
			if bytes.Equal(noise(i), got[0].Payload) {
				first = i
			}
		}
		for i, h := range got {
			if !bytes.Equal(h.Payload, noise(first+i)) {
				t.Fatalf("packet %d differs", i)
			}
			if h.SSRC == alice.ssrc || h.from != z.Stats().Local {
				t.Fatalf("packet %d shows the other leg", i)
			}
		}
		// Alice's numbers wrapped on the way.
		if alice.seq > 1000 || alice.ts > 1<<31 {
			t.Fatal("no wrap was tried")
		}
	})
}

// A prompt into a bridge, a tap, and back again: the stream each side hears has
// no seam, and nothing is said twice or left out by the changes.
func TestRelayAndFramesChangeWithoutSeam(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		tone := func(p *peer) func(int) []byte { return func(i int) []byte { return p.tone(i, 500, 8000) } }
		modes := map[bool]int{}
		steer := func() {
			for range 5 {
				time.Sleep(400 * time.Millisecond)
				modes[a.Stats().Relayed]++
				over := []*media.Playback{a.PlayOver(silence{}), z.PlayOver(silence{})}
				time.Sleep(400 * time.Millisecond)
				modes[a.Stats().Relayed]++
				over[0].Stop()
				over[1].Stop()
			}
		}
		together(func() { alice.talk(220, tone(alice)) }, func() { bob.talk(220, tone(bob)) }, steer)
		if modes[true] != 5 || modes[false] != 5 {
			t.Fatalf("modes %v", modes)
		}
		for _, p := range []*peer{alice, bob} {
			got := p.all()
			continuous(t, got, 60*time.Millisecond)
			// After the start the tone is there all the time, every 20 ms of
			// it: at -12.2 dB, and not much less where it is made up for while
			// the jitter buffer fills.
			pcm := p.audio()[1600:]
			for at := 0; at+160 <= 160*190; at += 160 {
				if l := level(pcm[at:at+160], 500); l < -17 {
					t.Errorf("gap of the tone at %d ms: %.1f dB", at/8, l)
				}
			}
		}
	})
}

// What plays to a leg hides the bridge from it and from nobody else.
func TestPromptIntoBridge(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		var played *media.Playback
		together(
			func() { alice.talk(150, func(i int) []byte { return alice.tone(i, 500, 8000) }) },
			func() { bob.talk(150, func(i int) []byte { return bob.tone(i, 700, 8000) }) },
			func() {
				time.Sleep(time.Second)
				played = a.Play(media.Beep(time.Second, -10))
				<-played.Done()
			})
		if !played.Finished() || played.Played() != time.Second {
			t.Errorf("finished %v after %s", played.Finished(), played.Played())
		}
		pcm := alice.audio()
		if l := level(pcm[8000+1600:8000+6400], 1000); l < -15 {
			t.Errorf("beep at %.1f dB", l)
		}
		if l := level(pcm[8000+1600:8000+6400], 700); l > -60 {
			t.Errorf("peer at %.1f dB under the beep", l)
		}
		if l := level(pcm[17600:22400], 700); l < -14 {
			t.Errorf("peer at %.1f dB after the beep", l)
		}
		if l := level(bob.audio()[9600:14400], 500); l < -14 {
			t.Errorf("the other side hears %.1f dB meanwhile", l)
		}
		continuous(t, alice.all(), 60*time.Millisecond)
	})
}

// Parted legs hear silence, and a leg can be bridged anew.
func TestUnbridgeAndRebridge(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob, carol := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU), b.newPeer("10.0.1.3:4000", codec.PCMU)
		a, z, c := alice.call(media.Options{}), bob.call(media.Options{}), carol.call(media.Options{})
		media.Bridge(a, z)
		together(
			func() { alice.talk(150, func(i int) []byte { return alice.tone(i, 500, 8000) }) },
			func() { bob.talk(150, func(i int) []byte { return bob.tone(i, 700, 8000) }) },
			func() { carol.talk(150, func(i int) []byte { return carol.tone(i, 900, 8000) }) },
			func() {
				time.Sleep(time.Second)
				media.Unbridge(a, z)
				time.Sleep(time.Second)
				media.Bridge(c, a)
			})
		pcm := alice.audio()
		for _, want := range []struct {
			from int
			hz   float64
		}{{3200, 700}, {17600, 900}} {
			if l := level(pcm[want.from:want.from+4800], want.hz); l < -14 {
				t.Errorf("%v Hz at %.1f dB", want.hz, l)
			}
		}
		if l := level(pcm[9600:15000], 700); l > -60 {
			t.Errorf("parted, but %.1f dB of the peer", l)
		}
		continuous(t, alice.all(), 60*time.Millisecond)
		z.Close()
		media.Bridge(a, z)
		if c.Stats().Relayed != true {
			t.Error("a closed session broke the bridge")
		}
	})
}

// ear keeps what a tap is shown.
type ear struct {
	frames []media.TapFrame
	in     []int16
	out    []int16
}

func (e *ear) Frame(f media.TapFrame) {
	pcm := append([]int16(nil), f.PCM...)
	if f.Dir == media.In {
		e.in = append(e.in, pcm...)
	} else {
		e.out = append(e.out, pcm...)
	}
	f.PCM = pcm
	e.frames = append(e.frames, f)
}
