package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// convert makes a file with ffmpeg from a WAV of ours.
func convert(t testing.TB, c Clip, name string, args ...string) []byte {
	t.Helper()
	var wav bytes.Buffer
	if err := WriteWAV(&wav, c); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(append([]string{"-loglevel", "error", "-y", "-i", "-"}, args...), path)...)
	cmd.Stdin = &wav
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// kinds are the files of other programs that must be understood.
var kinds = []struct {
	name string
	args []string
	rate int
	late time.Duration // the most an encoder's delay may shift the sound
}{
	{"pcm.wav", []string{"-c:a", "pcm_s16le"}, 16000, 0},
	{"alaw.wav", []string{"-c:a", "pcm_alaw", "-ar", "8000"}, 8000, 0},
	{"ulaw.wav", []string{"-c:a", "pcm_mulaw", "-ar", "8000"}, 8000, 0},
	{"stereo.wav", []string{"-c:a", "pcm_s16le", "-af", "pan=stereo|c0=c0|c1=c0", "-ar", "44100"}, 44100, 0},
	{"six.wav", []string{"-c:a", "pcm_s16le", "-ac", "6", "-af", "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0"}, 16000, 0},
	{"mpeg1.mp3", []string{"-c:a", "libmp3lame", "-ar", "44100", "-b:a", "128k"}, 44100, 60 * time.Millisecond},
	{"mpeg2.mp3", []string{"-c:a", "libmp3lame", "-ar", "16000", "-b:a", "32k"}, 16000, 110 * time.Millisecond},
	{"vbr.mp3", []string{"-c:a", "libmp3lame", "-ar", "48000", "-q:a", "4", "-af", "pan=stereo|c0=c0|c1=c0", "-metadata", "title=x"}, 48000, 60 * time.Millisecond},
	{"bare.mp3", []string{"-c:a", "libmp3lame", "-ar", "24000", "-write_xing", "0", "-id3v2_version", "0"}, 24000, 110 * time.Millisecond},
}

func TestFilesOfOtherPrograms(t *testing.T) {
	tone := Tone(16000, time.Second, -10, 440)
	for _, k := range kinds {
		file := convert(t, tone, k.name, k.args...)
		c, err := Decode(bytes.NewReader(file), Limits{})
		if err != nil {
			t.Errorf("%s: %v", k.name, err)
			continue
		}
		if d := c.Duration() - time.Second; c.Rate != k.rate || d < -time.Millisecond || d > k.late+50*time.Millisecond {
			t.Errorf("%s: %d Hz, %v", k.name, c.Rate, c.Duration())
		}
		if l, rest := level(c.Samples, c.Rate, 440); math.Abs(l+10) > 0.5 || rest > -38 {
			t.Errorf("%s: tone %.1f dB, rest %.1f dB", k.name, l, rest)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	tone := Tone(16000, time.Second, -10, 440)
	wav := func(change func(b []byte)) []byte {
		b := append(wavHeader(8000, 1, 1600), make([]byte, 1600)...)
		change(b)
		return b
	}
	put16 := func(at int, v uint16) []byte {
		return wav(func(b []byte) { binary.LittleEndian.PutUint16(b[at:], v) })
	}
	put32 := func(at int, v uint32) []byte {
		return wav(func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) })
	}
	for name, file := range map[string][]byte{
		"empty": {}, "one byte": {0xFF}, "text": []byte("this is not audio at all"), "only RIFF": []byte("RIFF\xff\xff\xff\xffWAVE"),
		"no channels": put16(22, 0), "300 channels": put16(22, 300), "24 bit": put16(34, 24), "float": put16(20, 3),
		"rate 0": put32(24, 0), "rate 4 GHz": put32(24, math.MaxUint32), "fmt of 4 GiB": put32(16, math.MaxUint32), "fmt of 2": put32(16, 2),
		"unknown extensible": put16(20, wavExtensible), "endless chunk": wav(func(b []byte) { copy(b[12:], "junk\xff\xff\xff\xff") }),
		"data first": wav(func(b []byte) { copy(b[12:], "data") }),
		"mpeg2.5":    convert(t, tone, "low.mp3", "-c:a", "libmp3lame", "-ar", "8000"),
		"layer two":  convert(t, tone, "two.mp2", "-c:a", "mp2", "-ar", "44100"),
		"ogg":        convert(t, tone, "x.flac", "-c:a", "flac"),
		"huge tag":   []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), "tag alone": append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05"), 1, 2, 3, 4, 5),
		"sync alone": bytes.Repeat([]byte{0xFF}, 100000), "header alone": {0xFF, 0xFB, 0x90, 0x00},
	} {
		if c, err := Decode(bytes.NewReader(file), Limits{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v of sound, %v", name, c.Duration(), err)
		}
	}
}

func TestLimits(t *testing.T) {
	tone := Tone(16000, 3*time.Second, -10, 440)
	for _, k := range kinds {
		file := convert(t, tone, k.name, k.args...)
		size := int64(len(file))
		for _, l := range []Limits{{Duration: 2 * time.Second}, {Bytes: size - 1}, {Bytes: 100}} {
			if c, err := Decode(bytes.NewReader(file), l); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s within %+v: %v of sound, %v", k.name, l, c.Duration(), err)
			}
		}
		if _, err := Decode(bytes.NewReader(file), Limits{Bytes: size, Duration: 3500 * time.Millisecond}); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	// A header that promises 4 GiB costs nothing.
	head := wavHeader(8000, 1, math.MaxUint32-100)
	if c, err := Decode(bytes.NewReader(head), Limits{}); err != nil || len(c.Samples) != 0 {
		t.Error(c.Duration(), err)
	}
}

func TestReadErrorsAreTold(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, k := range kinds {
		file := convert(t, Tone(16000, time.Second, -10, 440), k.name, k.args...)
		r := io.MultiReader(bytes.NewReader(file[:len(file)/2]), failing{broken})
		if _, err := Decode(r, Limits{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// memFile is a file in memory.
type memFile struct{ b []byte }

func (f *memFile) WriteAt(p []byte, at int64) (int, error) {
	if need := int(at) + len(p); need > len(f.b) {
		f.b = append(f.b, make([]byte, need-len(f.b))...)
	}
	return copy(f.b[at:], p), nil
}

func (f *memFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.b).ReadAt(p, at)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]int{8000, 16000, 48000}).Draw(t, "rate")
		channels := rapid.IntRange(1, 2).Draw(t, "channels")
		f := &memFile{}
		w, err := NewWAVWriter(f, rate, channels)
		if err != nil {
			t.Fatal(err)
		}
		var all []int16
		for range rapid.IntRange(0, 5).Draw(t, "pieces") {
			piece := rapid.SliceOfN(rapid.Int16(), 0, 50).Draw(t, "piece")
			piece = piece[:len(piece)/channels*channels]
			all = append(all, piece...)
			if err := errors.Join(w.Write(piece), w.Patch()); err != nil {
				t.Fatal(err)
			}
			s, err := DecodeSound(bytes.NewReader(f.b), Limits{})
			if err != nil || s.Rate != rate || s.Channels != channels || fmt.Sprint(s.Samples) != fmt.Sprint(all) {
				t.Fatalf("%v: %d of %d samples", err, len(s.Samples), len(all))
			}
			if w.Size() != int64(len(f.b)) {
				t.Fatalf("size %d, file of %d", w.Size(), len(f.b))
			}
		}
		// Torn anywhere and repaired it still is what it was.
		cut := rapid.IntRange(WAVHeaderSize, len(f.b)).Draw(t, "cut")
		f.b = f.b[:cut]
		if _, _, err := RepairWAV(f, int64(cut)); err != nil {
			t.Fatal(err)
		}
		s, err := DecodeSound(bytes.NewReader(f.b), Limits{})
		want := all[:(cut-WAVHeaderSize)/2/channels*channels]
		if err != nil || fmt.Sprint(s.Samples) != fmt.Sprint(want) {
			t.Fatalf("%v: %d of %d samples", err, len(s.Samples), len(want))
		}
	})
}

func TestStereoIsMixedDown(t *testing.T) {
	f := &memFile{}
	w, err := NewWAVWriter(f, 8000, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write([]int16{100, 300, -32768, -32768, 32767, 32767, 5, -5}), w.Patch()); err != nil {
		t.Fatal(err)
	}
	c, err := Decode(bytes.NewReader(f.b), Limits{})
	if err != nil || fmt.Sprint(c.Samples) != "[200 -32768 32767 0]" {
		t.Error(c.Samples, err)
	}
}

func TestMP3ScannerStepsOverJunk(t *testing.T) {
	file := convert(t, Tone(16000, time.Second, -10, 440), "a.mp3", "-c:a", "libmp3lame", "-ar", "16000", "-b:a", "32k", "-write_xing", "0", "-id3v2_version", "0")
	frames := len(file) / 144
	joined := bytes.Join([][]byte{file[:10*144], []byte("TAG junk \xff\xfb in the middle"), file[10*144:], make([]byte, 128)}, nil)
	scan := NewMP3Scanner(bytes.NewReader(joined))
	n := 0
	for scan.Next() {
		n++
	}
	if n != frames || scan.Err() != nil || scan.End() != int64(len(joined)-128) {
		t.Errorf("%d of %d frames, end %d of %d, %v", n, frames, scan.End(), len(joined), scan.Err())
	}
}

func FuzzDecode(f *testing.F) {
	tone := Tone(16000, 100*time.Millisecond, -10, 440)
	for _, k := range kinds {
		f.Add(convert(f, tone, k.name, k.args...))
	}
	f.Add(append(wavHeader(8000, 1, 0), 1, 2, 3))
	f.Add(ogg(opusHead(2, 0), "OpusTags", "abc", "defg"))
	f.Add([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"))
	limits := Limits{Bytes: 1 << 20, Duration: 10 * time.Second, Opus: newCounter}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := DecodeSound(bytes.NewReader(file), limits)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("neither format nor limit: %v", err)
			}
			return
		}
		if s.Rate < minRate || s.Rate > maxRate || s.Channels < 1 || s.Channels > maxChannels || len(s.Samples)%s.Channels != 0 {
			t.Fatalf("%d Hz, %d channels, %d samples", s.Rate, s.Channels, len(s.Samples))
		}
		if d := s.Channel(0).Duration(); d > limits.Duration {
			t.Fatalf("%v of sound", d)
		}
	})
}

func FuzzMP3Scanner(f *testing.F) {
	f.Add(convert(f, Tone(16000, 100*time.Millisecond, -10, 440), "a.mp3", "-c:a", "libmp3lame"))
	f.Fuzz(func(t *testing.T, file []byte) {
		scan := NewMP3Scanner(bytes.NewReader(file))
		var last int64
		for scan.Next() {
			at := scan.End()
			if at <= last || at > int64(len(file)) || !bytes.Equal(file[at-int64(len(scan.Frame())):at], scan.Frame()) {
				t.Fatalf("frame ends at %d after %d of %d", at, last, len(file))
			}
			last = at
		}
		if scan.Err() != nil {
			t.Fatal(scan.Err())
		}
	})
}
