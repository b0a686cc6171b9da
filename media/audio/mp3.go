package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	mp3 "github.com/hajimehoshi/go-mp3"
)

// decodeMP3 hands whole, checked frames of one stream to the decoder and
// nothing else, so that tags, junk and torn frames never reach it.
func decodeMP3(r io.Reader, limit time.Duration) (sound Sound, err error) {
	// The decoder indexes tables by values from the file; a panic in it is a
	// bad file, not a bad switch.
	defer func() {
		if v := recover(); v != nil {
			sound, err = Sound{}, fmt.Errorf("decode mp3: broken frame (%v): %w", v, ErrFormat)
		}
	}()
	frames := &mp3Frames{scan: NewMP3Scanner(r)}
	if !frames.advance() {
		return Sound{}, mp3Error("find a frame", frames.scan.Err())
	}
	h := frames.scan.Header()
	if h.quarter {
		return Sound{}, fmt.Errorf("decode mp3: MPEG-2.5 at %d Hz: %w", h.SampleRate, ErrFormat)
	}
	d, err := mp3.NewDecoder(frames)
	if err != nil {
		return Sound{}, mp3Error("start", err)
	}
	most := maxSamples(limit, h.SampleRate)
	stereo, err := io.ReadAll(io.LimitReader(d, (most+1)*4))
	if err != nil {
		return Sound{}, mp3Error("decode", err)
	}
	if err := frames.scan.Err(); err != nil {
		return Sound{}, mp3Error("read", err)
	}
	if int64(len(stereo)) > most*4 {
		return Sound{}, fmt.Errorf("decode mp3: sound longer than %v: %w", limit, ErrTooLarge)
	}
	// The decoder gives two channels always; a mono file has the same twice.
	out := Sound{Rate: h.SampleRate, Channels: h.Channels}
	out.Samples = make([]int16, 0, len(stereo)/4*h.Channels)
	for ; len(stereo) >= 4; stereo = stereo[4:] {
		for ch := range h.Channels {
			out.Samples = append(out.Samples, int16(binary.LittleEndian.Uint16(stereo[2*ch:])))
		}
	}
	return out, nil
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
