package prompts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/media/audio"
)

// minutes is how long a prompt may be; 10 is what the switch is set to.
var minutes = flag.Int("minutes", 1, "longest prompt in the tests of hostile files")

// repeat is a file that goes on with the same piece up to a size.
func repeat(head, piece []byte, size int64) io.Reader {
	return io.MultiReader(bytes.NewReader(head), io.LimitReader(&endless{piece: piece}, size))
}

type endless struct {
	piece []byte
	at    int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], e.piece[e.at:])
		n, e.at = n+k, (e.at+k)%len(e.piece)
	}
	return n, nil
}

// encoded is what ffmpeg makes of silence, which packs best.
func encoded(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = append(append([]string{"-v", "error", "-f", "lavfi", "-i"}, args...), path)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func wavHead(channels, rate, bits int, riff, data uint32) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), riff)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	b = le.AppendUint16(b, uint16(bits))
	return le.AppendUint32(append(b, "data"...), data)
}

func oggPage(flags byte, serial uint32, lacing []byte, body []byte) []byte {
	le := binary.LittleEndian
	b := append([]byte("OggS\x00"), flags)
	b = le.AppendUint64(b, 0)
	b = le.AppendUint32(b, serial)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, 0)
	b = append(append(b, byte(len(lacing))), lacing...)
	return append(b, body...)
}

// Files made to harm are refused with a reason, take no more memory than a prompt
// of the longest kind does, and are done with soon.
func TestBombs(t *testing.T) {
	const much = 64 << 20 // more than is ever read
	mp3 := encoded(t, "a.mp3", "anullsrc=r=16000:cl=mono", "-t", "60", "-c:a", "libmp3lame", "-b:a", "8k", "-write_xing", "0", "-id3v2_version", "0")
	opusHead := append([]byte("OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"), 0)
	ogg := append(oggPage(2, 7, []byte{19}, opusHead[:19]), oggPage(0, 7, []byte{16}, []byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"))...)
	full := bytes.Repeat([]byte{255}, 255)
	short := bytes.Repeat([]byte{2}, 255) // packets of two bytes that each last 60 ms
	for name, c := range map[string]struct {
		file io.Reader
		want error
	}{
		"MP3 of hours in 16 MB":            {repeat(nil, mp3, much), audio.ErrTooLarge},
		"MP3 tag of 256 MB":                {repeat([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), []byte("x"), much), audio.ErrTooLarge},
		"MP3 headers without frames":       {repeat(nil, []byte("\xff\xfb\x90\x00"), much), audio.ErrFormat},
		"WAV that says it is 4 GB":         {repeat(wavHead(1, 8000, 16, 0xfffffff0, 0xfffffff0), []byte("ab"), much), audio.ErrTooLarge},
		"WAV of eight channels at 192 kHz": {repeat(wavHead(8, 192000, 16, 0, 0), []byte("ab"), much), audio.ErrTooLarge},
		"WAV of empty chunks":              {repeat([]byte("RIFF\x00\x00\x00\x00WAVE"), []byte("LIST\x00\x00\x00\x00"), much), audio.ErrFormat},
		"WAV with a chunk of 4 GB":         {repeat([]byte("RIFF\x00\x00\x00\x00WAVELIST\xff\xff\xff\xff"), []byte("x"), much), audio.ErrTooLarge},
		"WAV with a format of 1 GB":        {repeat([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x00\x00\x00\x40"), []byte("x"), much), audio.ErrFormat},
		"WAV in WAV in WAV":                {repeat(nil, []byte("RIFF\x00\x00\x00\x00WAVE"), much), audio.ErrTooLarge},
		"WAV that says less than it has":   {repeat(wavHead(1, 8000, 16, 4, 2), []byte("ab"), 1000), nil},
		"Ogg of hours in 16 MB":            {repeat(ogg, oggPage(0, 7, short, bytes.Repeat([]byte{0x18, 0}, 255)), much), audio.ErrTooLarge},
		"Ogg packet without an end":        {repeat(ogg, oggPage(1, 7, full, make([]byte, 255*255)), much), audio.ErrFormat},
		"Ogg of empty pages":               {repeat(ogg, oggPage(0, 7, nil, nil), much), audio.ErrTooLarge},
		"Ogg of other streams":             {repeat(ogg, oggPage(0, 8, full, make([]byte, 255*255)), much), audio.ErrTooLarge},
		"Ogg of 255 channels":              {bytes.NewReader(oggPage(2, 7, []byte{19}, []byte("OpusHead\x01\xff\x00\x00\x80\xbb\x00\x00\x00\x00\xff"))), audio.ErrFormat},
		"Ogg cut in its head":              {bytes.NewReader(ogg[:30]), audio.ErrFormat},
		"Ogg without sound":                {bytes.NewReader(ogg), ErrSilent},
		"Ogg of Vorbis":                    {bytes.NewReader(oggPage(2, 7, []byte{30}, append([]byte("\x01vorbis"), make([]byte, 23)...))), audio.ErrFormat},
		"random bytes behind a good head":  {repeat(wavHead(2, 44100, 24, 0, 0), []byte("abcdef"), much), audio.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			l := library(t, t.TempDir(), Config{Duration: time.Duration(*minutes) * time.Minute}, Sources{})
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			peak := watch()
			err := l.Upload(t.Context(), &flows.Prompt{Name: "x"}, c.file)
			took, most := time.Since(began), peak()
			runtime.ReadMemStats(&after)
			t.Logf("%v; heap at most %d KB over, %v", err, (most-min(most, before.HeapAlloc))>>10, took.Round(time.Millisecond))
			if !errors.Is(err, c.want) {
				t.Errorf("the answer is %v instead of %v", err, c.want)
			}
			// A minute at 16 kHz is 2 MB. It is there twice when its pieces are put
			// together, and the collector lets as much garbage lie as there is.
			if most > before.HeapAlloc+uint64(8+8**minutes)<<20 {
				t.Errorf("%d MB were taken", (most-before.HeapAlloc)>>20)
			}
			if took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// watch gives how large the heap has been at most until asked.
func watch() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		var m runtime.MemStats
		var top uint64
		for {
			select {
			case <-stop:
				most <- top
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				top = max(top, m.HeapAlloc)
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}
