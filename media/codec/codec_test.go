package codec

import (
	"math"
	"testing"
)

// all are the codecs by the names that New takes.
var all = []string{PCMU, PCMA, G722, Opus, L16, "L16/8000"}

func TestLookup(t *testing.T) {
	for _, name := range all {
		i, ok := Lookup(name)
		c, made := New(name)
		if !ok || !made || c.Name() != i.Name || c.ClockRate() != i.ClockRate || c.SampleRate() != i.SampleRate {
			t.Errorf("%s: %+v", name, i)
		}
	}
	if i, ok := Lookup("pcma"); !ok || i.PayloadType != 8 {
		t.Errorf("pcma: %+v", i)
	}
	if i, ok := Lookup("OPUS/48000"); !ok || i.Channels != 2 {
		t.Errorf("opus: %+v", i)
	}
	for _, name := range []string{"", "G729", "PCMU/16000", "L16/44100", "opus/8000"} {
		if _, ok := New(name); ok {
			t.Errorf("%q was made", name)
		}
	}
	for _, name := range Default() {
		if name == L16 {
			t.Error("L16 unasked for")
		}
	}
}

// What decodes encodes to itself, for every octet; both zeros of µ-law are
// silence.
func TestEveryOctetComesBack(t *testing.T) {
	for _, name := range []string{PCMU, PCMA} {
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

func TestEverySampleComesBack(t *testing.T) {
	c, _ := New(L16)
	for s := math.MinInt16; s <= math.MaxInt16; s++ {
		var b [2]byte
		var pcm [1]int16
		c.Encode(b[:], []int16{int16(s)})
		if c.Decode(pcm[:], b[:]); int(pcm[0]) != s || b[0] != byte(s>>8) {
			t.Fatalf("%d became % x and %d", s, b, pcm[0])
		}
	}
	if n := c.Decode(make([]int16, 5), make([]byte, 5)); n != 0 {
		t.Errorf("half a sample made %d", n)
	}
}

// through sends a tone through a codec in frames of 20 ms and gives its level
// and the SNR, whatever the codec's delay: what a fitted sine leaves is noise.
func through(c Codec, hz, amplitude float64) (level, snr float64) {
	rate := c.SampleRate()
	frame := rate / 50
	var out []int16
	pcm, got, b := make([]int16, frame), make([]int16, frame), make([]byte, 2*frame)
	for i := range 100 {
		for k := range pcm {
			pcm[k] = int16(amplitude * math.Sin(2*math.Pi*hz*float64(i*frame+k)/float64(rate)))
		}
		n := c.Decode(got, b[:c.Encode(b, pcm)])
		out = append(out, got[:n]...)
	}
	out = out[len(out)/2:]
	var re, im, power float64
	for i, s := range out {
		w := 2 * math.Pi * hz * float64(i) / float64(rate)
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
		power += float64(s) * float64(s)
	}
	n := float64(len(out))
	tone := 2 * (re*re + im*im) / n / n
	return 10 * math.Log10(2*tone/amplitude/amplitude), 10 * math.Log10(tone/max(power/n-tone, 1e-9))
}

// G.711 keeps a sine 34 dB over its noise or better, from full scale down to
// -30 dB (ITU-T G.712 asks for 33); the others do what can be asked of them.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name     string
		hz, want float64
	}{
		{PCMU, 1020, 34}, {PCMA, 1020, 34}, {G722, 1020, 35}, {G722, 6000, 20},
		{Opus, 1020, 20}, {L16, 1020, 60}, {"L16/8000", 1020, 60},
	} {
		for _, db := range []float64{-3, -10, -20, -30} {
			fresh, _ := New(c.name)
			level, snr := through(fresh, c.hz, 32767*math.Pow(10, db/20))
			t.Logf("%s, %v Hz at %v dB: SNR %.1f dB, level %+.2f dB", c.name, c.hz, db, snr, level)
			if snr < c.want || math.Abs(level) > 0.5 {
				t.Errorf("%s, %v Hz at %v dB: SNR %.1f dB, level %+.2f dB", c.name, c.hz, db, snr, level)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	for _, name := range all {
		c, _ := New(name)
		n := c.SampleRate() / 50
		pcm, b := make([]int16, n), make([]byte, 2*n)
		full := c.Encode(b, pcm)
		if k := c.Encode(make([]byte, 10), pcm); k > 10 {
			t.Errorf("%s wrote %d octets into 10", name, k)
		}
		if k := c.Decode(make([]int16, 11), b[:full]); k > 11 {
			t.Errorf("%s wrote %d samples into 11", name, k)
		}
		if k := c.Decode(pcm, nil); k != 0 {
			t.Errorf("%s made %d samples of nothing", name, k)
		}
		// The race detector has the pool under Opus forget now and then.
		if n := testing.AllocsPerRun(1000, func() { c.Encode(b, pcm); c.Decode(pcm, b[:full]) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, uint16(320))
	f.Add([]byte{0xff, 0xff, 0xff}, uint16(1))
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		dst := make([]int16, int(room)%4000)
		for _, name := range all {
			c, _ := New(name)
			for _, p := range [][]byte{payload, payload[:len(payload)/2], payload} {
				if n := c.Decode(dst, p); n < 0 || n > len(dst) {
					t.Fatalf("%s made %d samples of %d octets, room for %d", name, n, len(p), len(dst))
				}
				if r, ok := c.(Repairer); ok {
					if n := r.Repair(dst, p); n < 0 || n > len(dst) {
						t.Fatalf("%s repaired %d samples, room for %d", name, n, len(dst))
					}
				}
			}
		}
	})
}

// Whatever is said can be encoded, and the silence after it is silent.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 255, 255, 127, 128})
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, name := range all {
			c, _ := New(name)
			pcm := make([]int16, c.SampleRate()/50)
			b := make([]byte, 2*len(pcm))
			for len(in) > 0 {
				for i := range pcm {
					pcm[i] = int16(int8(in[i%len(in)])) << 8
				}
				in = in[min(len(in), len(pcm)):]
				if n := c.Encode(b, pcm); n <= 0 {
					t.Fatalf("%s encoded nothing", name)
				}
			}
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	for _, name := range all {
		c, _ := New(name)
		pcm := make([]int16, c.SampleRate()/50)
		for i := range pcm {
			pcm[i] = int16(8000*math.Sin(float64(i)/7)) + int16(i*7919%601)
		}
		buf := make([]byte, 2*len(pcm))
		n := c.Encode(buf, pcm)
		b.Run(name+"/encode", func(b *testing.B) {
			for b.Loop() {
				n = c.Encode(buf, pcm)
			}
		})
		b.Run(name+"/decode", func(b *testing.B) {
			for b.Loop() {
				c.Decode(pcm, buf[:n])
			}
		})
	}
}
