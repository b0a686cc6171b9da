package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	mp3 "github.com/hajimehoshi/go-mp3"
)

// mp3Stream hands whole, checked frames of one stream to the decoder and
// nothing else, so that tags, junk and torn frames never reach it.
type mp3Stream struct {
	frames   *mp3Frames
	d        *mp3.Decoder
	rate     int
	channels int
	buf      []byte
}

// broken makes a panic of the decoder, which indexes tables by values from the
// file, an error: it is a bad file, not a bad switch.
func broken(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("decode mp3: broken frame (%v): %w", v, ErrFormat)
	}
}

func openMP3(r io.Reader) (_ stream, err error) {
	defer broken(&err)
	frames := &mp3Frames{scan: NewMP3Scanner(r)}
	if !frames.advance() {
		return nil, mp3Error("find a frame", frames.scan.Err())
	}
	h := frames.scan.Header()
	if h.quarter {
		return nil, fmt.Errorf("decode mp3: MPEG-2.5 at %d Hz: %w", h.SampleRate, ErrFormat)
	}
	d, err := mp3.NewDecoder(frames)
	if err != nil {
		return nil, mp3Error("start", err)
	}
	return &mp3Stream{frames: frames, d: d, rate: h.SampleRate, channels: h.Channels}, nil
}

func (m *mp3Stream) format() (rate, channels int) { return m.rate, m.channels }

// read takes what the decoder gives, always two channels; a mono file has the
// same twice.
func (m *mp3Stream) read(dst []int16) (n int, err error) {
	defer broken(&err)
	want := len(dst) / m.channels * 4
	if cap(m.buf) < want {
		m.buf = make([]byte, want)
	}
	got, err := io.ReadFull(m.d, m.buf[:want])
	for stereo := m.buf[:got]; len(stereo) >= 4; stereo = stereo[4:] {
		for ch := range m.channels {
			dst[n] = int16(binary.LittleEndian.Uint16(stereo[2*ch:]))
			n++
		}
	}
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return 0, mp3Error("decode", err)
	case m.frames.scan.Err() != nil:
		return 0, mp3Error("read", m.frames.scan.Err())
	}
	return n, io.EOF
}

func mp3Error(doing string, err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("decode mp3: %s: %w", doing, ErrFormat)
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("decode mp3: %w", err)
	}
	return fmt.Errorf("decode mp3: %s: %w (%w)", doing, err, ErrFormat)
}

// mp3Frames is a reader over the sound frames of a scanner.
type mp3Frames struct {
	scan  *MP3Scanner
	rest  []byte
	first bool
}

// advance makes the next sound frame readable; the tag frame is left out.
func (f *mp3Frames) advance() bool {
	if !f.scan.Next() {
		return false
	}
	if !f.first {
		f.first = true
		if infoFrame(f.scan.Header(), f.scan.Frame()) && !f.scan.Next() {
			return false
		}
	}
	f.rest = f.scan.Frame()
	return true
}

func (f *mp3Frames) Read(p []byte) (int, error) {
	if len(f.rest) == 0 && !f.advance() {
		return 0, io.EOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}
