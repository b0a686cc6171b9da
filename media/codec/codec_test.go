package codec

import (
	"math"
	"testing"
)

func TestLookup(t *testing.T) {
	for _, name := range Default() {
		c, ok := New(name)
		if !ok || c.Name() != name || c.ClockRate() != 8000 {
			t.Errorf("%s: %v", name, c)
		}
	}
	if i, ok := Lookup("pcma"); !ok || i.PayloadType != 8 {
		t.Errorf("pcma: %+v", i)
	}
	if _, ok := New("opus"); ok {
		t.Error("opus is not here yet")
	}
}

// What decodes encodes to itself, for every octet; both zeros of µ-law are
// silence.
func TestEveryOctetComesBack(t *testing.T) {
	for _, name := range Default() {
		c, _ := New(name)
		for b := range 256 {
			var pcm [1]int16
			var again [1]byte
			c.Decode(pcm[:], []byte{byte(b)})
			c.Encode(again[:], pcm[:])
			if again[0] != byte(b) && (name != PCMU || pcm[0] != 0) {
				t.Errorf("%s: %#x decodes to %d, which encodes to %#x", name, b, pcm[0], again[0])
			}
		}
	}
}

// G.711 keeps a sine 34 dB over its noise or better, from full scale down to
// -30 dB (ITU-T G.712 asks for 33).
func TestQuality(t *testing.T) {
	for _, name := range Default() {
		c, _ := New(name)
		for _, db := range []float64{-3, -10, -20, -30} {
			amp := 32767 * math.Pow(10, db/20)
			pcm, out, b := make([]int16, 8000), make([]int16, 8000), make([]byte, 8000)
			for i := range pcm {
				pcm[i] = int16(amp * math.Sin(2*math.Pi*1020*float64(i)/8000))
			}
			c.Decode(out, b[:c.Encode(b, pcm)])
			var signal, noise float64
			for i := range pcm {
				signal += float64(pcm[i]) * float64(pcm[i])
				d := float64(pcm[i]) - float64(out[i])
				noise += d * d
			}
			if snr := 10 * math.Log10(signal/noise); snr < 34 {
				t.Errorf("%s at %v dB: SNR %.1f dB", name, db, snr)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	for _, name := range Default() {
		c, _ := New(name)
		if n := c.Encode(make([]byte, 10), make([]int16, 20)); n != 10 {
			t.Errorf("%s wrote %d octets into 10", name, n)
		}
		if n := c.Decode(make([]int16, 10), make([]byte, 20)); n != 10 {
			t.Errorf("%s wrote %d samples into 10", name, n)
		}
		pcm, b := make([]int16, 160), make([]byte, 160)
		if n := testing.AllocsPerRun(100, func() { c.Encode(b, pcm); c.Decode(pcm, b) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, name := range Default() {
		c, _ := New(name)
		pcm, buf := make([]int16, 160), make([]byte, 160)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c.Encode(buf, pcm)
				c.Decode(pcm, buf)
			}
		})
	}
}
