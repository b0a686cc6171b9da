package opus

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

const frame = SampleRate / 50

func pair(t testing.TB) (*Encoder, *Decoder) {
	t.Helper()
	e, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

func sine(from, n int, hz float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(from+i)/SampleRate))
	}
	return pcm
}

func rms(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(max(len(pcm), 1)))
}

// Every duration of RFC 6716 §2 up to 60 ms comes back as long as it was, at
// its level.
func TestDurations(t *testing.T) {
	for _, n := range []int{40, 80, 160, 320, 640, 960} {
		e, d := pair(t)
		var packet [MaxPacket]byte
		var pcm [960]int16
		for i := 0; i < 50*frame; i += n {
			k := e.Encode(packet[:], sine(i, n, 500))
			if got := d.Decode(pcm[:], packet[:k]); got != n {
				t.Fatalf("%d samples in %d octets, want %d", got, k, n)
			}
		}
		if level := 20 * math.Log10(rms(pcm[:n])/rms(sine(0, 1600, 500))); math.Abs(level) > 1 {
			t.Errorf("%d samples: %.2f dB off", n, level)
		}
	}
}

func TestWhatCannotBeEncoded(t *testing.T) {
	e, _ := pair(t)
	var packet [MaxPacket]byte
	for _, n := range []int{0, 1, 100, 321, 5000} {
		if k := e.Encode(packet[:], make([]int16, n)); k != 0 {
			t.Errorf("%d samples gave %d octets", n, k)
		}
	}
	if k := e.Encode(nil, make([]int16, frame)); k != 0 {
		t.Errorf("%d octets into none", k)
	}
}

// A sound that began in a lost packet is heard all the same, from the copy in
// the next one.
func TestForwardErrorCorrection(t *testing.T) {
	e, with := pair(t)
	_, without := pair(t)
	var packet [MaxPacket]byte
	var a, b [frame]int16
	var heard, missed, said float64
	for i := range 200 {
		pcm := make([]int16, frame)
		if i%10 >= 8 {
			pcm = sine(i*frame, frame, 300+float64(i%7)*50)
		}
		k := e.Encode(packet[:], pcm)
		if i%10 == 8 {
			said += rms(pcm)
			continue
		}
		if i%10 == 9 {
			with.Repair(a[:], packet[:k])
			without.Repair(b[:], nil)
			heard += rms(a[:])
			missed += rms(b[:])
		}
		with.Decode(a[:], packet[:k])
		without.Decode(b[:], packet[:k])
	}
	db := func(level float64) float64 { return 20 * math.Log10(level/said) }
	t.Logf("the onset in a lost packet: %.1f dB with FEC, %.1f dB without", db(heard), db(missed))
	if db(heard) < -4 || db(missed) > -10 {
		t.Error("the copy in the next packet is of no use")
	}
}

func TestRepairAnyLength(t *testing.T) {
	_, d := pair(t)
	for _, n := range []int{0, 1, 39, 40, 41, 320, 960, 1920} {
		if got := d.Repair(make([]int16, n), nil); got != n {
			t.Errorf("%d of %d samples", got, n)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	e, d := pair(t)
	var packet [MaxPacket]byte
	pcm := sine(0, frame, 440)
	t.Logf("encoder state %d octets, decoder state %d", len(e.w.state)*8, len(d.w.state)*8)
	if n := testing.AllocsPerRun(1000, func() {
		k := e.Encode(packet[:], pcm)
		d.Decode(pcm, packet[:k])
		d.Repair(pcm, packet[:k])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMissingLibraryIsAnError(t *testing.T) {
	_, err := open([]string{"libopus-that-is-not-there.so.0", "libc.so.6"})
	if !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	e, _ := pair(f)
	var packet [MaxPacket]byte
	k := e.Encode(packet[:], sine(0, frame, 440))
	f.Add(packet[:k], packet[:k/2])
	f.Add([]byte{0xff}, []byte{})
	f.Add([]byte{3, 0xff, 0xff}, []byte{0x4b, 0x41})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		_, d := pair(t)
		var pcm [2000]int16
		for _, n := range []int{d.Decode(pcm[:], a), d.Repair(pcm[:320], b), d.Decode(pcm[:100], b), d.Decode(pcm[:], a)} {
			if n < 0 || n > maxSamples {
				t.Fatalf("%d samples", n)
			}
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	var packet [MaxPacket]byte
	pcm := sine(0, frame, 440)
	for i := range pcm {
		pcm[i] += int16(i * 7919 % 601)
	}
	e, d := pair(b)
	k := e.Encode(packet[:], pcm)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			k = e.Encode(packet[:], pcm)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			d.Decode(pcm, packet[:k])
		}
	})
}

// 30 and 50 ms are packets of several frames, whatever is said: silence, a tone, noise
// that gets louder and softer, and clicks.
func TestPacketsOfSeveralFrames(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for name, sample := range map[string]func(i int) float64{
		"silence": func(int) float64 { return 0 },
		"tone":    func(i int) float64 { return 8000 * math.Sin(2*math.Pi*440*float64(i)/SampleRate) },
		"noise":   func(i int) float64 { return 12000 * math.Sin(float64(i)/9000) * noise.NormFloat64() / 3 },
		"clicks":  func(i int) float64 { return 30000 * float64((i%3001)/3000) },
	} {
		for _, n := range []int{480, 800} {
			e, d := pair(t)
			var packet [MaxPacket]byte
			var got [960]int16
			var said, heard []int16
			for i := 0; i < 4*SampleRate; i += n {
				pcm := make([]int16, n)
				for k := range pcm {
					pcm[k] = int16(max(min(sample(i+k), 32767), -32768))
				}
				size := e.Encode(packet[:], pcm)
				if made := d.Decode(got[:], packet[:size]); made != n || packet[0]&3 != 3 {
					t.Fatalf("%s: %d samples in %d octets, code %d, want %d", name, made, size, packet[0]&3, n)
				}
				said, heard = append(said, pcm...), append(heard, got[:n]...)
			}
			if apart := 20 * math.Log10((rms(heard)+1)/(rms(said)+1)); math.Abs(apart) > 3.5 {
				t.Errorf("%s, %d samples: %.1f dB off", name, n, apart)
			}
		}
	}
}

// RFC 6716 §3.2.1: lengths of one octet and of two.
func TestSizeOfAFrame(t *testing.T) {
	for n := range maxFrame + 1 {
		var b [2]byte
		used := putSize(b[:], n)
		got := int(b[0])
		if got >= 252 {
			got += 4 * int(b[1])
		}
		if got != n || (used == 2) != (n >= 252) {
			t.Errorf("%d became %d in %d octets", n, got, used)
		}
	}
}
