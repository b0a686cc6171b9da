package audio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// MP3Header is what the four bytes in front of every MP3 frame say
// (ISO/IEC 11172-3 section 2.4.1.3 and 13818-3 section 2.4.1.3).
type MP3Header struct {
	SampleRate int
	Channels   int
	Bitrate    int // bit/s
	Samples    int // per channel: 1152 (MPEG-1) or 576 (MPEG-2, 2.5)
	Size       int // bytes of the whole frame, header included
	sideInfo   int // bytes of side information after the header (and CRC)
	low        bool
	quarter    bool // MPEG-2.5
}

var (
	mp3BitrateHigh = [16]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}
	mp3BitrateLow  = [16]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}
	mp3Rate        = [4]int{44100, 48000, 32000, 0}
)

// ParseMP3Header reads a layer III frame header. Reserved values and the free
// bit rate are refused.
func ParseMP3Header(b []byte) (MP3Header, bool) {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return MP3Header{}, false
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	bitrate, rate := int(b[2]>>4), mp3Rate[b[2]>>2&3]
	if version == 1 || layer != 1 || rate == 0 || bitrate == 0 || bitrate == 15 || b[3]&3 == 2 {
		return MP3Header{}, false
	}
	h := MP3Header{SampleRate: rate, Channels: 2, Bitrate: mp3BitrateHigh[bitrate] * 1000, Samples: 1152, sideInfo: 32}
	mono := b[3]>>6 == 3
	if mono {
		h.Channels, h.sideInfo = 1, 17
	}
	if version != 3 {
		h.low, h.quarter = true, version == 0
		h.Bitrate, h.Samples, h.sideInfo = mp3BitrateLow[bitrate]*1000, 576, 17
		h.SampleRate /= 2
		if mono {
			h.sideInfo = 9
		}
		if h.quarter {
			h.SampleRate /= 2
		}
	}
	h.Size = h.Samples/8*h.Bitrate/h.SampleRate + int(b[2]>>1&1)
	return h, true
}

// same tells whether two frames belong to one stream.
func (h MP3Header) same(o MP3Header) bool {
	return h.SampleRate == o.SampleRate && h.Channels == o.Channels && h.low == o.low
}

// maxMP3Junk is how far the scanner looks for the next frame over bytes that
// are none (padding, tags in the middle of a joined file).
const maxMP3Junk = 64 << 10

// MP3Scanner finds the whole frames of an MP3 stream, one after the other,
// leaving tags and a torn last frame out.
type MP3Scanner struct {
	r       *bufio.Reader
	frame   []byte
	header  MP3Header
	started bool
	end     int64 // offset after the last whole frame
	pos     int64
	err     error
}

// NewMP3Scanner starts at the beginning of a file.
func NewMP3Scanner(r io.Reader) *MP3Scanner {
	return &MP3Scanner{r: bufio.NewReaderSize(r, 16<<10)}
}

// Next moves to the next whole frame. False at the end or on an error.
func (s *MP3Scanner) Next() bool {
	if s.err != nil {
		return false
	}
	s.err = s.next()
	return s.err == nil
}

// Frame is the current frame, valid until Next.
func (s *MP3Scanner) Frame() []byte { return s.frame }

// Header is the header of the current frame.
func (s *MP3Scanner) Header() MP3Header { return s.header }

// End is the offset just after the last whole frame that was seen.
func (s *MP3Scanner) End() int64 { return s.end }

// Err is what ended the scan, nil for the end of the file.
func (s *MP3Scanner) Err() error {
	if errors.Is(s.err, io.EOF) || errors.Is(s.err, io.ErrUnexpectedEOF) {
		return nil
	}
	return s.err
}

func (s *MP3Scanner) next() error {
	if !s.started {
		if err := s.skipID3(); err != nil {
			return err
		}
	}
	for range maxMP3Junk {
		head, err := s.r.Peek(4)
		if err != nil {
			return err
		}
		h, ok := ParseMP3Header(head)
		if ok && (!s.started || h.same(s.header)) && s.follows(h) {
			return s.take(h)
		}
		if err := s.skip(1); err != nil {
			return err
		}
	}
	return io.EOF // nothing but junk: what came before is all there is
}

// follows guards the first frame and frames after junk against bytes that only
// look like a header: the next frame, if there is one, must fit.
func (s *MP3Scanner) follows(h MP3Header) bool {
	if s.started && s.end == s.pos {
		return true
	}
	ahead, err := s.r.Peek(h.Size + 4)
	if err != nil {
		return len(ahead) >= h.Size
	}
	next, ok := ParseMP3Header(ahead[h.Size:])
	return ok && next.same(h)
}

func (s *MP3Scanner) take(h MP3Header) error {
	if cap(s.frame) < h.Size {
		s.frame = make([]byte, h.Size)
	}
	s.frame = s.frame[:h.Size]
	n, err := io.ReadFull(s.r, s.frame)
	s.pos += int64(n)
	if err != nil {
		return err
	}
	s.started, s.header, s.end = true, h, s.pos
	return nil
}

func (s *MP3Scanner) skip(n int) error {
	n, err := s.r.Discard(n)
	s.pos += int64(n)
	return err
}

// skipID3 steps over an ID3v2 tag without keeping it: its size comes from the file.
func (s *MP3Scanner) skipID3() error {
	// An error here comes again, and is told, when the first frame is looked for.
	head, _ := s.r.Peek(10)
	if len(head) < 10 || !bytes.HasPrefix(head, []byte("ID3")) {
		return nil
	}
	size := int(head[6]&0x7F)<<21 | int(head[7]&0x7F)<<14 | int(head[8]&0x7F)<<7 | int(head[9]&0x7F)
	return s.skip(10 + size)
}

// infoFrame tells whether a frame is the Xing/Info/VBRI tag that encoders put
// first: a valid frame of silence that is no sound.
func infoFrame(h MP3Header, frame []byte) bool {
	at := 4 + h.sideInfo
	if len(frame) < at+4 || len(frame) < 40 {
		return false
	}
	tag := string(frame[at : at+4])
	return tag == "Xing" || tag == "Info" || string(frame[36:40]) == "VBRI"
}
