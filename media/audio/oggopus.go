package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	// granuleRate is what positions and the pre-skip count in (RFC 7845 section 4).
	granuleRate = 48000
	// longestOpus is 120 ms at OpusRate, the longest packet (RFC 6716 section 2).
	longestOpus = OpusRate * 120 / 1000
)

// opusStream is the sound of an Ogg Opus file (RFC 7845), at OpusRate and mixed
// to one channel by the decoder.
type opusStream struct {
	pages *oggPages
	d     OpusDecoder
	gain  float64
	skip  int64 // samples to leave out still
	heard int64 // samples decoded, those left out included
	pcm   [longestOpus]int16
	rest  []int16 // of pcm, not read yet
	done  error
}

func openOgg(r io.Reader, decoder func() (OpusDecoder, error)) (stream, error) {
	s := &opusStream{pages: &oggPages{r: r}}
	head, _, err := s.pages.next()
	if err != nil {
		return nil, oggCut("header", err)
	}
	if s.pages.flags&oggFirst == 0 || len(head) < 19 || string(head[:8]) != "OpusHead" {
		return nil, fmt.Errorf("decode ogg: the stream is not Opus: %w", ErrFormat)
	}
	// Channel mapping family 0 is mono or stereo (RFC 7845 section 5.1.1.1).
	if channels, family := head[9], head[18]; head[8]>>4 != 0 || family != 0 || channels < 1 || channels > 2 {
		return nil, fmt.Errorf("decode ogg: Opus of %d channels, mapping %d: %w", channels, family, ErrFormat)
	}
	s.skip = int64(binary.LittleEndian.Uint16(head[10:])) * OpusRate / granuleRate
	s.gain = math.Pow(10, float64(int16(binary.LittleEndian.Uint16(head[16:])))/256/20)
	tags, _, err := s.pages.next()
	if err != nil {
		return nil, oggCut("comments", err)
	}
	if len(tags) < 8 || string(tags[:8]) != "OpusTags" {
		return nil, fmt.Errorf("decode ogg: Opus without its comments: %w", ErrFormat)
	}
	if decoder == nil {
		return nil, fmt.Errorf("decode ogg: Opus cannot be decoded here: %w", ErrFormat)
	}
	if s.d, err = decoder(); err != nil {
		return nil, fmt.Errorf("decode ogg: Opus cannot be decoded here (%w): %w", err, ErrFormat)
	}
	return s, nil
}

func (s *opusStream) format() (rate, channels int) { return OpusRate, 1 }

func (s *opusStream) read(dst []int16) (n int, err error) {
	for n < len(dst) {
		if len(s.rest) == 0 {
			if s.done == nil {
				s.done = s.decode()
			}
			if len(s.rest) == 0 && s.done != nil {
				return n, s.done
			}
			continue
		}
		k := copy(dst[n:], s.rest)
		n, s.rest = n+k, s.rest[k:]
	}
	return n, nil
}

// decode makes rest of the next packet.
func (s *opusStream) decode() error {
	packet, last, err := s.pages.next()
	if err != nil {
		if !errors.Is(err, io.EOF) && s.heard > 0 && errors.Is(err, ErrFormat) {
			return io.EOF // a torn end: what came before is whole
		}
		return err
	}
	n := s.d.Decode(s.pcm[:], packet)
	if n <= 0 {
		return fmt.Errorf("decode ogg: broken Opus packet of %d bytes: %w", len(packet), ErrFormat)
	}
	s.heard += int64(n)
	// The last page says where the sound ends within its last packet (section 4.4).
	if end := s.pages.granule / (granuleRate / OpusRate); last && s.pages.flags&oggLast != 0 && end >= 0 && end < s.heard {
		n = max(0, n-int(min(s.heard-end, int64(n))))
	}
	left := min(s.skip, int64(n))
	s.skip -= left
	s.rest = s.pcm[left:n]
	if s.gain != 1 {
		for i, v := range s.rest {
			s.rest[i] = clamp16(float64(v) * s.gain)
		}
	}
	return nil
}
