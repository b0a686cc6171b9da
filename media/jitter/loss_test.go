package jitter

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"b2bua/media/audio"
	"b2bua/media/codec"
)

// spoken is a stream of one codec.
type spoken struct{ codec.Codec }

func (spoken) Noise(uint8) bool        { return false }
func (s spoken) Decoder(uint8) Decoder { return s.Codec }

// through sends sound through a codec and a network that loses a part of the
// packets, and gives what is heard and how many samples were made up.
func through(t *testing.T, name string, pcm []int16, loss float64) ([]int16, time.Duration) {
	t.Helper()
	enc, ok := codec.New(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	dec, _ := codec.New(name)
	random := rand.New(rand.NewPCG(7, uint64(loss*1000)))
	frame := enc.SampleRate() / 50
	p := NewPlayout(enc.SampleRate())
	var out []int16
	b := make([]byte, 2000)
	for i := 0; (i+1)*frame <= len(pcm); i++ {
		n := enc.Encode(b, pcm[i*frame:(i+1)*frame])
		now := time.Duration(i) * frameTime
		// The first second is whole, so that there is something to compare with.
		if random.Float64() >= loss || i < 50 {
			p.Push(spoken{dec}, Packet{Seq: uint16(i), Timestamp: uint32(i * enc.ClockRate() / 50), Payload: b[:n]}, now+2*time.Millisecond)
		}
		out = append(out, p.Frame(spoken{dec}, now+frameTime)...)
	}
	return out, p.Stats().Concealed
}

// speech is a sentence, said by flite, at a rate.
func speech(t *testing.T, rate int) []int16 {
	t.Helper()
	file := t.TempDir() + "/said.wav"
	say := exec.CommandContext(t.Context(), "flite", "-voice", "slt", "-o", file, "-t",
		"The quick brown fox jumps over the lazy dog. A large size in stockings is hard to sell. "+
			"Rice is often served in round bowls.")
	if out, err := say.CombinedOutput(); err != nil {
		t.Fatalf("flite: %v: %s", err, out)
	}
	wav, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	clip, err := audio.Decode(bytes.NewReader(wav), audio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return clip.Resample(rate).Samples
}

func energy(x []int16) float64 {
	var sum float64
	for _, s := range x {
		sum += float64(s) * float64(s)
	}
	return sum
}

func peak(x []int16) float64 {
	most := 0.0
	for _, s := range x {
		most = math.Max(most, math.Abs(float64(s)))
	}
	return most
}

// Loss of up to a tenth of the packets: over the whole the level is no more than
// 1 dB off, and there are no clicks: the largest second difference is that of the
// sound itself, or not more than 20 dB below the peak above it.
func TestConcealmentByNumbers(t *testing.T) {
	for _, name := range []string{codec.PCMU, codec.L16, codec.G722, codec.Opus} {
		c, _ := codec.New(name)
		rate := c.SampleRate()
		pcm := make([]int16, 12*rate)
		for i := range pcm {
			pcm[i] = int16(8000 * math.Sin(2*math.Pi*437*float64(i)/float64(rate)))
		}
		for kind, sound := range map[string][]int16{"tone": pcm, "speech": speech(t, rate)} {
			clean, _ := through(t, name, sound, 0)
			for _, loss := range []float64{0.01, 0.03, 0.05, 0.10} {
				got, concealed := through(t, name, sound, loss)
				level := 10 * math.Log10(energy(got)/energy(clean))
				click := (step(got) - step(clean)) / peak(clean)
				t.Logf("%s, %s, %2.0f %% lost: level %+.2f dB, click %+.3f of the peak, %.1f %% made up",
					name, kind, loss*100, level, click, 100*concealed.Seconds()*float64(rate)/float64(len(got)))
				most := 0.1
				if name == codec.Opus && kind == "tone" {
					most = 0.25 // what its own concealment makes of pure tones
				}
				if math.Abs(level) > 1 || click > most {
					t.Errorf("%s, %s, %.0f %% lost: level %+.2f dB, click %.3f of the peak", name, kind, loss*100, level, click)
				}
				if concealed == 0 {
					t.Errorf("%s: nothing was made up", name)
				}
			}
		}
	}
}
