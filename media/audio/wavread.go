package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zaf/g711"
)

// Encodings of the fmt chunk (RFC 2361).
const (
	wavPCM        = 0x0001
	wavALaw       = 0x0006
	wavMuLaw      = 0x0007
	wavExtensible = 0xFFFE
)

// extensibleGUID is the tail every sub-format GUID of KSDATAFORMAT_SUBTYPE_* shares.
const extensibleGUID = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// maxWAVChunks is how many chunks may come before the sound; a file has a few.
const maxWAVChunks = 1000

type wavFormat struct {
	encoding int
	channels int
	rate     int
	bits     int
}

// bytes is the size of one sample of one channel.
func (f wavFormat) bytes() int { return f.bits / 8 }

// decodeWAV walks the chunks. Sizes are believed only where they skip: the
// sound itself ends at the end of its chunk or of the file, because writers
// that stream (and writers that were killed) leave 0 or 0xFFFFFFFF there.
func openWAV(r io.Reader) (stream, error) {
	if _, err := io.CopyN(io.Discard, r, 12); err != nil {
		return nil, fmt.Errorf("read wav header: %w", err)
	}
	var format *wavFormat
	for n := 0; ; n++ {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, wavCut("chunk header", err)
		}
		if n == maxWAVChunks {
			return nil, fmt.Errorf("decode wav: no sound behind %d chunks: %w", n, ErrFormat)
		}
		id, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		switch id {
		case "fmt ":
			f, err := readWAVFormat(r, size)
			if err != nil {
				return nil, err
			}
			format = &f
		case "data":
			if format == nil {
				return nil, fmt.Errorf("decode wav: data before fmt: %w", ErrFormat)
			}
			return newWAVStream(r, size, *format), nil
		default:
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return nil, wavCut("chunk", err)
			}
		}
	}
}

func readWAVFormat(r io.Reader, size int64) (wavFormat, error) {
	if size < 16 || size > 1024 {
		return wavFormat{}, fmt.Errorf("decode wav: fmt chunk of %d bytes: %w", size, ErrFormat)
	}
	b := make([]byte, size+size&1)
	if _, err := io.ReadFull(r, b); err != nil {
		return wavFormat{}, wavCut("fmt chunk", err)
	}
	f := wavFormat{
		encoding: int(binary.LittleEndian.Uint16(b)),
		channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate:     int(binary.LittleEndian.Uint32(b[4:])),
		bits:     int(binary.LittleEndian.Uint16(b[14:])),
	}
	if f.encoding == wavExtensible {
		if size < 40 || string(b[26:40]) != extensibleGUID {
			return wavFormat{}, fmt.Errorf("decode wav: unknown extensible sub-format: %w", ErrFormat)
		}
		f.encoding = int(binary.LittleEndian.Uint16(b[24:]))
	}
	wantBits := map[int]int{wavPCM: 16, wavALaw: 8, wavMuLaw: 8}[f.encoding]
	switch {
	case wantBits == 0 || f.bits != wantBits:
		return wavFormat{}, fmt.Errorf("decode wav: encoding %#x with %d bits: %w", f.encoding, f.bits, ErrFormat)
	case f.channels < 1 || f.channels > maxChannels:
		return wavFormat{}, fmt.Errorf("decode wav: %d channels: %w", f.channels, ErrFormat)
	case f.rate < minRate || f.rate > maxRate:
		return wavFormat{}, fmt.Errorf("decode wav: %d Hz: %w", f.rate, ErrFormat)
	}
	return f, nil
}

// wavStream is the sound of a data chunk.
type wavStream struct {
	r io.Reader
	f wavFormat
}

func newWAVStream(r io.Reader, size int64, f wavFormat) *wavStream {
	if size != 0 && size != 0xFFFFFFFF {
		r = io.LimitReader(r, size)
	} // else streamed: up to the end of the file
	return &wavStream{r, f}
}

func (w *wavStream) format() (rate, channels int) { return w.f.rate, w.f.channels }

func (w *wavStream) read(dst []int16) (int, error) {
	block := w.f.channels * w.f.bytes()
	data := make([]byte, len(dst)/w.f.channels*block)
	n, err := io.ReadFull(w.r, data)
	samples := expand(data[:n/block*block], w.f.encoding)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		err = fmt.Errorf("read wav data: %w", err)
	}
	return copy(dst, samples), err
}

func expand(data []byte, encoding int) []int16 {
	if encoding == wavPCM {
		out := make([]int16, len(data)/2)
		for i := range out {
			out[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return out
	}
	one := g711.DecodeUlawFrame
	if encoding == wavALaw {
		one = g711.DecodeAlawFrame
	}
	out := make([]int16, len(data))
	for i, b := range data {
		out[i] = one(b)
	}
	return out
}

// wavCut makes a file that ends too early a format error, and leaves real
// read errors and limits as they are.
func wavCut(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("decode wav: file ends in %s: %w", where, ErrFormat)
	}
	return fmt.Errorf("read wav %s: %w", where, err)
}
