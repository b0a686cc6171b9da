package lame

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"testing"

	"b2bua/media/audio"
)

// encode makes a whole MP3 of a sound, in pieces of 20 ms.
func encode(t testing.TB, c Config, pcm []int16) []byte {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var out []byte
	piece := max(1, c.Channels) * max(c.SampleRate, 8000) / 50
	for ; len(pcm) > 0; pcm = pcm[min(piece, len(pcm)):] {
		if out, err = e.Encode(out, pcm[:min(piece, len(pcm))]); err != nil {
			t.Fatal(err)
		}
	}
	if out, err = e.Flush(out); err != nil {
		t.Fatal(err)
	}
	return out
}

func rms(x []int16) float64 {
	var sum float64
	for _, s := range x {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(x)))
}

func TestFramesAreConstantAndStandAlone(t *testing.T) {
	for _, channels := range []int{1, 2} {
		pcm := audio.Tone(16000, 2e9, -6, 440).Samples
		stereo := pcm
		if channels == 2 {
			stereo = nil
			for _, s := range pcm {
				stereo = append(stereo, s, s/2)
			}
		}
		file := encode(t, Config{SampleRate: 16000, Channels: channels}, stereo)
		scan := audio.NewMP3Scanner(bytes.NewReader(file))
		frames := 0
		for scan.Next() {
			h := scan.Header()
			if h.SampleRate != 16000 || h.Channels != channels || h.Bitrate != 32000*channels || h.Size != 144*channels {
				t.Fatalf("frame %d: %+v", frames, h)
			}
			// Side information begins with main_data_begin: 0 means that the
			// frame needs nothing of the frames before it.
			if scan.Frame()[4] != 0 {
				t.Fatalf("frame %d uses the bit reservoir", frames)
			}
			frames++
		}
		if scan.End() != int64(len(file)) || frames < 56 {
			t.Fatalf("%d frames, %d of %d bytes", frames, scan.End(), len(file))
		}
		if bytes.Contains(file, []byte("Xing")) || bytes.Contains(file, []byte("Info")) {
			t.Fatal("tag frame written")
		}
	}
}

func TestDelayIsTheOneTold(t *testing.T) {
	pcm := make([]int16, 16000)
	copy(pcm[8000:], audio.Tone(16000, 5e8, -6, 1000).Samples)
	file := encode(t, Config{}, pcm)
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ours, err := audio.Decode(bytes.NewReader(file), audio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	onset := func(x []int16) int {
		for i := range x {
			if i+80 < len(x) && rms(x[i:i+80]) > 5000 {
				return i
			}
		}
		return -1
	}
	if at := onset(ours.Samples) - e.Delay() - 8000; at < -80 || at > 80 {
		t.Errorf("tone starts %d samples off after taking out %d", at, e.Delay())
	}
}

func TestLevelIsKept(t *testing.T) {
	for _, channels := range []int{1, 2} {
		tone := audio.Tone(16000, 2e9, -12, 440).Samples
		pcm := make([]int16, 0, 2*len(tone))
		for _, s := range tone {
			for range channels {
				pcm = append(pcm, s)
			}
		}
		got, err := audio.Decode(bytes.NewReader(encode(t, Config{Channels: channels}, pcm)), audio.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		off := 20 * math.Log10(rms(got.Samples[8000:24000])/rms(tone[8000:24000]))
		t.Logf("%d channels: %.3f dB", channels, off)
		if math.Abs(off) > 0.1 {
			t.Errorf("%d channels: %.2f dB off", channels, off)
		}
	}
}

func TestMissingLibraryIsAnError(t *testing.T) {
	_, err := open([]string{"libmp3lame-that-is-not-there.so.0", "libc.so.6"})
	if !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	t.Log(err)
}

func TestSettingsOutOfRangeAreErrors(t *testing.T) {
	for _, c := range []Config{{Channels: 3}, {SampleRate: 12345678}, {SampleRate: -1}} {
		if e, err := New(c); err == nil {
			e.Close()
			t.Errorf("%+v accepted", c)
		}
	}
}

func TestClosedEncoderRefuses(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	e.Close()
	if _, err := e.Encode(nil, make([]int16, 320)); err == nil {
		t.Error("encoded after Close")
	}
	if _, err := e.Flush(nil); err == nil {
		t.Error("flushed after Close")
	}
}

func BenchmarkEncodeSecond(b *testing.B) {
	for _, channels := range []int{1, 2} {
		b.Run(strconv.Itoa(channels), func(b *testing.B) {
			e, err := New(Config{Channels: channels})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			pcm := audio.Tone(16000, 2e9, -12, 300, 1100, 2500).Samples[:16000*channels]
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				for i := 0; i < len(pcm); i += 320 * channels {
					out, _ = e.Encode(out[:0], pcm[i:i+320*channels])
				}
			}
		})
	}
}
