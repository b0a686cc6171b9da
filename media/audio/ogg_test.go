package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// counter is a decoder of which every octet of a packet is one sample.
type counter struct{}

func newCounter() (OpusDecoder, error) { return counter{}, nil }

func (counter) Decode(dst []int16, packet []byte) int {
	n := min(len(dst), len(packet))
	for i, b := range packet[:n] {
		dst[i] = int16(b)
	}
	return n
}

func opusHead(channels, skip int) string {
	b := append([]byte("OpusHead\x01"), byte(channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(skip))
	return string(append(b, "\x80\xbb\x00\x00\x00\x00\x00"...))
}

// page is one page; laced are the segment sizes.
func page(flags byte, serial uint32, granule int64, laced []byte, body string) []byte {
	le := binary.LittleEndian
	b := append([]byte("OggS\x00"), flags)
	b = le.AppendUint64(b, uint64(granule))
	b = le.AppendUint32(b, serial)
	b = le.AppendUint64(b, 0)
	b = append(append(b, byte(len(laced))), laced...)
	return append(b, body...)
}

// ogg is a file of packets, each on a page of its own, or more where they are
// long.
func ogg(packets ...string) (file []byte) {
	for i, p := range packets {
		flags := byte(0)
		if i == 0 {
			flags = oggFirst
		}
		for rest := p; ; {
			n := min(len(rest), 255*255)
			laced := bytes.Repeat([]byte{255}, n/255)
			if n < len(rest) || n == 255*255 {
				file = append(file, page(flags, 7, 0, laced, rest[:n])...)
				flags, rest = oggContinued, rest[n:]
				continue
			}
			file = append(file, page(flags, 7, 0, append(laced, byte(n%255)), rest[:n])...)
			break
		}
	}
	return file
}

func TestOggPacketsComeOutAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 254, 255, 256, 509, 510, 511, 65024, 65025, 65026, 70000}), 1, 6).Draw(t, "sizes")
		var packets []string
		for i, n := range sizes {
			packets = append(packets, strings.Repeat(string(rune('a'+i)), n))
		}
		file := ogg(packets...)
		pages := &oggPages{r: bytes.NewReader(file)}
		for i, want := range packets {
			got, _, err := pages.next()
			if err != nil || string(got) != want {
				t.Fatalf("packet %d: %d octets instead of %d, %v", i, len(got), len(want), err)
			}
		}
		if _, _, err := pages.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("no end: %v", err)
		}
	})
}

func TestOggOpus(t *testing.T) {
	head, tags := opusHead(1, 6), "OpusTags"
	start := ogg(head, tags)
	join := func(pages ...[]byte) []byte { return append(bytes.Clone(start), bytes.Join(pages, nil)...) }
	one := func(body string) []byte { return []byte{byte(len(body))} }
	for name, c := range map[string]struct {
		file []byte
		want string // the samples, as characters
		err  error
	}{
		"the first 6/3 samples are left out":    {join(page(0, 7, 0, one("abcde"), "abcde")), "cde", nil},
		"the last page says where it ends":      {join(page(0, 7, 0, one("abcde"), "abcde"), page(oggLast, 7, 3*7, one("fghij"), "fghij")), "cdefg", nil},
		"another page does not":                 {join(page(0, 7, 3, one("abcde"), "abcde"), page(0, 7, 3, one("f"), "f")), "cdef", nil},
		"nothing behind the last page":          {join(page(oggLast, 7, 300, one("abcde"), "abcde"), page(0, 7, 300, one("fghij"), "fghij")), "cde", nil},
		"other streams are passed over":         {join(page(0, 8, 0, one("xyz"), "xyz"), page(0, 7, 0, one("abc"), "abc")), "c", nil},
		"a packet whose beginning is lost":      {join(page(oggContinued, 7, 0, []byte{3, 3}, "xyzabc")), "c", nil},
		"a packet whose end is lost":            {join(page(0, 7, 0, []byte{3, 255}, "abc"+strings.Repeat("x", 255)), page(0, 7, 0, []byte{3}, "def")), "cdef", nil},
		"a file that was cut keeps what it has": {join(page(0, 7, 0, one("abcde"), "abcde"), page(0, 7, 0, one("fghij"), "fg")), "cde", nil},
		"junk behind it, too":                   {join(page(0, 7, 0, one("abcde"), "abcde"), make([]byte, 27)), "cde", nil},
		"no tags":                               {ogg(head, "abc"), "", ErrFormat},
		"not Opus":                              {ogg("\x01vorbis0000000000000000000000"), "", ErrFormat},
		"no first page":                         {page(0, 7, 0, []byte{19}, head), "", ErrFormat},
		"three channels":                        {ogg(opusHead(3, 0), tags, "abc"), "", ErrFormat},
		"another version":                       {ogg(strings.Replace(head, "\x01", "\x11", 1), tags, "abc"), "", ErrFormat},
		"an empty packet":                       {join(page(0, 7, 0, []byte{0}, "")), "", ErrFormat},
		"a head alone":                          {start[:20], "", ErrFormat},
	} {
		clip, err := Decode(bytes.NewReader(c.file), Limits{Opus: newCounter})
		got := ""
		for _, s := range clip.Samples {
			got += string(rune(s))
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q instead of %q, %v", name, got, c.want, err)
		}
	}
	for what, opus := range map[string]func() (OpusDecoder, error){"nobody to decode it": nil,
		"no library": func() (OpusDecoder, error) { return nil, fmt.Errorf("libopus.so.0 is missing") }} {
		if _, err := Decode(bytes.NewReader(start), Limits{Opus: opus}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "Opus cannot be decoded here") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
