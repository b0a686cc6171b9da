package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

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
func decodeWAV(r io.Reader, limit time.Duration) (Sound, error) {
	if _, err := io.CopyN(io.Discard, r, 12); err != nil {
		return Sound{}, fmt.Errorf("read wav header: %w", err)
	}
	var format *wavFormat
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return Sound{}, wavCut("chunk header", err)
		}
		id, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		switch id {
		case "fmt ":
			f, err := readWAVFormat(r, size)
			if err != nil {
				return Sound{}, err
			}
			format = &f
		case "data":
			if format == nil {
				return Sound{}, fmt.Errorf("decode wav: data before fmt: %w", ErrFormat)
			}
			return readWAVData(r, size, *format, limit)
		default:
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return Sound{}, wavCut("chunk", err)
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

func readWAVData(r io.Reader, size int64, f wavFormat, limit time.Duration) (Sound, error) {
	most := maxSamples(limit, f.rate) * int64(f.channels) * int64(f.bytes())
	if size == 0 || size == 0xFFFFFFFF {
		size = most + 1 // streamed: up to the end of the file
	}
	data, err := io.ReadAll(io.LimitReader(r, min(size, most+1)))
	if err != nil {
		return Sound{}, fmt.Errorf("read wav data: %w", err)
	}
	if int64(len(data)) > most {
		return Sound{}, fmt.Errorf("decode wav: sound longer than %v: %w", limit, ErrTooLarge)
	}
	block := f.channels * f.bytes()
	data = data[:len(data)/block*block]
	return Sound{Rate: f.rate, Channels: f.channels, Samples: expand(data, f.encoding)}, nil
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
