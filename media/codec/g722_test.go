package codec

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	reference "github.com/gotranspile/g722"
)

// signals are what encoders are compared with: a sweep, noise, steps, silence.
func signals() []int16 {
	random := rand.New(rand.NewPCG(3, 4))
	var pcm []int16
	for i := range 16000 {
		at := float64(i) / 16000
		pcm = append(pcm, int16(9000*math.Sin(2*math.Pi*3500*at*at)))
	}
	for i := range 16000 {
		pcm = append(pcm, int16(random.NormFloat64()*3000*math.Abs(math.Sin(float64(i)/900))))
	}
	for i := range 8000 {
		pcm = append(pcm, int16(8000*(i/200%2)-4000))
	}
	return append(pcm, make([]int16, 4000)...)
}

// Every bit is what another implementation makes.
func TestG722IsTheStandardOne(t *testing.T) {
	pcm := signals()
	c := newG722()
	got, want := make([]byte, len(pcm)/2), make([]byte, len(pcm)/2)
	c.Encode(got, pcm)
	reference.NewEncoder(reference.Rate64000, 0).Encode(want, pcm)
	if !bytes.Equal(got, want) {
		t.Fatal("encoded to other bits")
	}
	out, ref := make([]int16, len(pcm)), make([]int16, len(pcm))
	c.Decode(out, got)
	reference.NewDecoder(reference.Rate64000, 0).Decode(ref, got)
	for i := range out {
		if out[i] != ref[i] {
			t.Fatalf("sample %d is %d, want %d", i, out[i], ref[i])
		}
	}
}

// Sound at full scale is limited, and does not turn round.
func TestG722Limits(t *testing.T) {
	c := newG722()
	pcm, b := make([]int16, 320), make([]byte, 160)
	var last int16
	for i := range 50 {
		for k := range pcm {
			pcm[k] = int16(32767 * math.Sin(2*math.Pi*200*float64(i*320+k)/16000))
		}
		c.Encode(b, pcm)
		c.Decode(pcm, b)
		for _, s := range pcm {
			if d := int(s) - int(last); d > 20000 || d < -20000 {
				t.Fatalf("from %d to %d", last, s)
			}
			last = s
		}
	}
}

// A decoder that goes along with what is heard in place of a lost packet is less
// far off afterwards than one that stands still.
func TestG722Follows(t *testing.T) {
	pcm := signals()[:32000]
	enc, dec, follower, idler := newG722(), newG722(), newG722(), newG722()
	b, want, got := make([]byte, 160), make([]int16, 320), make([]int16, 320)
	off := map[*g722]float64{}
	for i := 0; i+320 <= len(pcm); i += 320 {
		enc.Encode(b, pcm[i:i+320])
		dec.Decode(want, b)
		if i/320%5 == 4 {
			follower.Follow(want)
			continue
		}
		for _, c := range []*g722{follower, idler} {
			c.Decode(got, b)
			for k := range got {
				off[c] += math.Pow(float64(got[k])-float64(want[k]), 2)
			}
		}
	}
	gain := 10 * math.Log10(off[idler]/off[follower])
	t.Logf("following brings %.1f dB", gain)
	if gain < 3 {
		t.Error("following is of little use")
	}
}
