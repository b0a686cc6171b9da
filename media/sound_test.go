package media_test

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/media/codec"
	"b2bua/recorder"
)

// speaker is a peer of any codec and packet time.
type speaker struct {
	*peer
	ptime time.Duration
	info  codec.Info
	sent  int     // samples
	loud  float64 // amplitude
}

func (b *bench) newSpeaker(addr, name string, ptime time.Duration) *speaker {
	p := &speaker{peer: b.newPeer(addr, name), ptime: ptime, loud: 8000}
	p.info, _ = codec.Lookup(name)
	if p.info.PayloadType < 0 {
		p.pt = 118
	}
	return p
}

func (p *speaker) sdp() []byte {
	rate := fmt.Sprintf("%s/%d", p.info.Name, p.info.ClockRate)
	if p.info.Channels > 1 {
		rate += fmt.Sprintf("/%d", p.info.Channels)
	}
	text := string(describe(p.conn.AddrPort(), p.pt, p.info.Name, fmt.Sprintf("a=ptime:%d", p.ptime.Milliseconds())))
	text = strings.Replace(text, p.info.Name+"/8000", rate, 1)
	// Events tick like the codec (RFC 4733 §2.1).
	return []byte(strings.Replace(text, "telephone-event/8000", fmt.Sprintf("telephone-event/%d", p.info.ClockRate), 1))
}

func (p *speaker) join() *media.Session {
	p.b.t.Helper()
	s := p.b.open(media.Options{Codecs: append(codec.Default(), codec.L16, "L16/8000")})
	if _, err := s.Answer(p.sdp()); err != nil {
		p.b.t.Fatal(err)
	}
	p.to = s.Stats().Local
	return s
}

// say sends a tone for a while.
func (p *speaker) say(d time.Duration, hz float64) {
	n := int(p.ptime) * p.info.SampleRate / int(time.Second)
	pcm, b := make([]int16, n), make([]byte, 2*n)
	for range d / p.ptime {
		for i := range pcm {
			pcm[i] = int16(p.loud * math.Sin(2*math.Pi*hz*float64(p.sent+i)/float64(p.info.SampleRate)))
		}
		p.raw(&rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: p.pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc,
		}, Payload: b[:p.c.Encode(b, pcm)]})
		p.sent += n
		p.seq++
		p.ts += uint32(n * p.info.ClockRate / p.info.SampleRate)
		time.Sleep(p.ptime)
	}
}

// sound decodes what the speaker has heard.
func (p *speaker) sound() []int16 {
	c := p.info.New()
	var pcm []int16
	frame := make([]int16, 1920)
	for _, h := range p.all() {
		if h.PayloadType == p.pt {
			pcm = append(pcm, frame[:c.Decode(frame, h.Payload)]...)
		}
	}
	return pcm
}

// toneIn fits a sine and gives its level in dB against amplitude, and the SNR.
func toneIn(pcm []int16, rate int, hz, amplitude float64) (level, snr float64) {
	var re, im, power float64
	for i, s := range pcm {
		w := 2 * math.Pi * hz * float64(i) / float64(rate)
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
		power += float64(s) * float64(s)
	}
	n := float64(len(pcm))
	tone := 2 * (re*re + im*im) / n / n
	return 10 * math.Log10(2*tone/amplitude/amplitude+1e-12), 10 * math.Log10(tone/math.Max(power/n-tone, 1e-3))
}

// A tone through the switch, of one codec into another: what is left beside it.
func TestToneThroughTheSwitch(t *testing.T) {
	for _, c := range []struct {
		from, to string
		hz, snr  float64
	}{
		{codec.PCMU, codec.PCMU, 1004, 36}, // relayed
		{codec.G722, codec.G722, 1000, 40},
		{codec.Opus, codec.Opus, 1000, 25},
		{codec.PCMU, codec.PCMA, 1004, 33},
		{codec.PCMA, codec.PCMU, 1004, 33},
		{codec.PCMU, codec.G722, 1000, 33},
		{codec.G722, codec.PCMA, 1004, 33},
		{codec.PCMU, codec.Opus, 1000, 20},
		{codec.Opus, codec.PCMU, 1004, 20},
		{codec.Opus, codec.G722, 1000, 20},
		{codec.G722, codec.Opus, 5000, 12},
		{codec.L16, codec.G722, 6000, 20},
		{codec.L16, "L16/8000", 1000, 70},
		{"L16/8000", codec.L16, 3000, 70},
	} {
		onBench(t, media.Config{}, func(b *bench) {
			alice, bob := b.newSpeaker("10.0.1.1:4000", c.from, 20*time.Millisecond), b.newSpeaker("10.0.1.2:4000", c.to, 20*time.Millisecond)
			media.Bridge(alice.join(), bob.join())
			together(func() { alice.say(3*time.Second, c.hz) }, func() { bob.say(3*time.Second, c.hz) })
			rate := bob.info.SampleRate
			level, snr := toneIn(bob.sound()[rate:2*rate], rate, c.hz, 8000)
			t.Logf("%s to %s, %.0f Hz: SNR %.1f dB, level %+.2f dB", c.from, c.to, c.hz, snr, level)
			if snr < c.snr || math.Abs(level) > 0.5 {
				t.Errorf("%s to %s, %.0f Hz: SNR %.1f dB, level %+.2f dB", c.from, c.to, c.hz, snr, level)
			}
			continuous(t, bob.all(), 60*time.Millisecond)
		})
	}
}

// Packets are as long as the far end asks for, and may come with any length.
func TestAnyPacketTime(t *testing.T) {
	for _, name := range []string{codec.PCMU, codec.G722, codec.Opus} {
		for _, ms := range []int{10, 20, 30, 40, 50, 60} {
			onBench(t, media.Config{}, func(b *bench) {
				ptime := time.Duration(ms) * time.Millisecond
				alice, bob := b.newSpeaker("10.0.1.1:4000", name, ptime), b.newSpeaker("10.0.1.2:4000", "L16/8000", 20*time.Millisecond)
				media.Bridge(alice.join(), bob.join())
				together(func() { alice.say(3*time.Second, 1000) }, func() { bob.say(3*time.Second, 1000) })
				for p, least := range map[*speaker]float64{alice: 20, bob: 20} {
					rate := p.info.SampleRate
					level, snr := toneIn(p.sound()[rate:2*rate], rate, 1000, 8000)
					if snr < least || math.Abs(level) > 0.5 {
						t.Errorf("%s with %d ms to %s: SNR %.1f dB, level %+.2f dB", name, ms, p.info.Name, snr, level)
					}
				}
				got := alice.all()
				continuous(t, got, ptime+25*time.Millisecond)
				for i := 20; i < len(got)-1; i++ {
					if d := got[i+1].Timestamp - got[i].Timestamp; int(d) != ms*alice.info.ClockRate/1000 {
						t.Fatalf("%s: packet %d lasts %d, want %d ms", name, i, d, ms)
					}
				}
			})
		}
	}
}

// A payload type is the other's choice in either direction (RFC 3264 §5.1).
func TestAsymmetricPayloadTypes(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newSpeaker("10.0.1.1:4000", codec.Opus, 20*time.Millisecond)
		s := b.open(media.Options{Codecs: []string{codec.PCMU, codec.Opus}})
		offer := string(s.Offer())
		var ours uint8
		for _, line := range strings.Split(offer, "\r\n") {
			if _, err := fmt.Sscanf(line, "a=rtpmap:%d opus/48000/2", &ours); err == nil {
				break
			}
		}
		if ours < 96 || ours == alice.pt {
			t.Fatalf("offered Opus as %d", ours)
		}
		if err := s.Accept(alice.sdp()); err != nil {
			t.Fatal(err)
		}
		tap := &ear{}
		s.AddTap(tap)
		s.Play(media.Beep(2*time.Second, 0))
		alice.to = s.Stats().Local
		theirs := alice.pt
		alice.pt = ours
		alice.say(2*time.Second, 1000)
		alice.pt = theirs
		synctest.Wait()
		if level, _ := toneIn(alice.sound()[16000:24000], 16000, 1000, 32767); math.Abs(level+3.14) > 0.5 {
			t.Errorf("the beep came at %.1f dB", level)
		}
		if level, _ := toneIn(tap.in[16000:24000], 16000, 1000, 8000); math.Abs(level) > 0.5 || tap.frames[len(tap.frames)-1].Rate != 16000 {
			t.Errorf("heard at %.1f dB", level)
		}
	})
}

// Recordings of either rate: what a decoder makes of the file.
func TestRecordedTone(t *testing.T) {
	for _, c := range []struct {
		name, format string
		hz, snr      float64
	}{
		{codec.PCMU, recorder.WAV, 1000, 33}, {codec.PCMU, recorder.MP3, 1000, 30},
		{codec.G722, recorder.MP3, 1000, 30}, {codec.G722, recorder.MP3, 5000, 20},
		{codec.Opus, recorder.MP3, 1000, 20}, {codec.Opus, recorder.WAV, 1000, 20},
	} {
		dir := t.TempDir()
		onBench(t, media.Config{}, func(b *bench) {
			alice := b.newSpeaker("10.0.1.1:4000", c.name, 20*time.Millisecond)
			s := alice.join()
			r, err := recorder.Start(recorder.Options{Dir: dir, ID: "tone", Format: c.format, Participant: recorder.Caller, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			s.AddTap(r)
			alice.say(3*time.Second, c.hz)
			s.RemoveTap(r)
			res := r.Stop()
			clip := readClip(t, res.Path)
			level, snr := toneIn(clip.Samples[clip.Rate:2*clip.Rate], clip.Rate, c.hz, 8000)
			t.Logf("%s to %s at %d Hz, %.0f Hz: SNR %.1f dB, level %+.2f dB", c.name, res.Format, clip.Rate, c.hz, snr, level)
			if snr < c.snr || math.Abs(level) > 0.5 {
				t.Errorf("%s to %s: SNR %.1f dB, level %+.2f dB", c.name, res.Format, snr, level)
			}
		})
	}
}

// silence is played over a far end to have its sound made of frames.
type silence struct{}

func (silence) Frame(dst []int16) bool { clear(dst); return true }

// A bridge goes to frames and back to packets as they come, ten times: no step is
// much larger than those of the sound, and the level hardly changes.
func TestChangesOfModeDoNotClick(t *testing.T) {
	// Codecs with a history go back in a pause only; there is none here.
	for name, limit := range map[string]float64{codec.PCMU: 0.1, codec.PCMA: 0.1, codec.G722: 0.05, codec.Opus: 0.05} {
		onBench(t, media.Config{}, func(b *bench) {
			alice, bob := b.newSpeaker("10.0.1.1:4000", name, 20*time.Millisecond), b.newSpeaker("10.0.1.2:4000", name, 20*time.Millisecond)
			a, z := alice.join(), bob.join()
			media.Bridge(a, z)
			relayed := 0
			steer := func() {
				for range 5 {
					time.Sleep(400 * time.Millisecond)
					if a.Stats().Relayed {
						relayed++
					}
					over := z.PlayOver(silence{})
					time.Sleep(400 * time.Millisecond)
					if a.Stats().Relayed {
						t.Errorf("%s: relayed with something over it", name)
					}
					over.Stop()
				}
			}
			const hz, amplitude = 440, 8000
			together(func() { alice.say(4500*time.Millisecond, hz) }, func() { bob.say(4500*time.Millisecond, hz) }, steer)
			rate := bob.info.SampleRate
			pcm := bob.sound()[rate/5 : 4*rate]
			worst, at := roughest(pcm, rate, hz, amplitude)
			level, _ := toneIn(pcm[:rate/10], rate, hz, amplitude)
			t.Logf("%s: the largest step is %.3f of the peak above that of the tone, after %d ms; level %+.2f dB", name, worst, at, level)
			if want := map[string]int{codec.G722: 1, codec.Opus: 1}[name]; relayed != max(want, 5*(1-want)) {
				t.Errorf("%s: relayed %d times", name, relayed)
			}
			if worst > limit {
				t.Errorf("%s: a step of %.3f of the peak", name, worst)
			}
		})
	}
}

func readClip(t *testing.T, path string) audio.Clip {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return clip
}
