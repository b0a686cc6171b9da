package recorder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"b2bua/media/audio"
	"b2bua/recorder/lame"
)

// sink turns samples into a file. After every write the file plays as it is.
type sink interface {
	write(pcm []int16) error
	// close completes a file that holds samples (per channel) of sound.
	close(samples int64) error
	// upTo is the size of a complete file that is cut after samples (per
	// channel), and how many of them it keeps.
	upTo(samples int64) (size, kept int64)
	// discard gives back what close would have; used after an error.
	discard()
}

// medium is the file of a recording; tests have one whose disk is full.
type medium interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
	Name() string
}

// create makes the file; a file that exists already is never touched.
func create(dir, id, format string) (*os.File, error) {
	if id == "" || id != filepath.Base(id) || id[0] == '.' {
		return nil, fmt.Errorf("create recording: bad id %q", id)
	}
	f, err := os.OpenFile(filepath.Join(dir, id+"."+format), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	return f, nil
}

// wavFile is a sink for WAV.
type wavFile struct {
	w        *audio.WAVWriter
	channels int
}

func (s wavFile) write(pcm []int16) error {
	if len(pcm) == 0 {
		return nil
	}
	if err := s.w.Write(pcm); err != nil {
		return err
	}
	return s.w.Patch()
}

func (s wavFile) close(int64) error { return s.w.Patch() }
func (s wavFile) discard()          {} // a torn end is cut off by paper

// minFrames is the least number of frames in an MP3 file: with fewer, players
// do not believe that it is one.
const minFrames = 2

// mp3File is a sink for MP3 with constant bit rate. Its time line is exact:
// the encoder's and decoder's delay is made a whole number of frames by silence
// put in front, and those frames are left out of the file.
type mp3File struct {
	f       io.Writer
	enc     *lame.Encoder
	skip    int   // frames still to be left out
	frame   int   // samples of a frame
	written int64 // frames in the file
	size    int64 // their bytes
	buf     []byte
}

func newMP3File(f io.Writer, rate, channels, bitrate int) (*mp3File, error) {
	enc, err := lame.New(lame.Config{SampleRate: rate, Channels: channels, Bitrate: bitrate})
	if err != nil {
		return nil, err
	}
	frame := enc.FrameSamples()
	s := &mp3File{f: f, enc: enc, frame: frame}
	s.skip = (enc.Delay() + frame - 1) / frame
	lead := make([]int16, (s.skip*frame-enc.Delay())*channels)
	if s.buf, err = enc.Encode(s.buf, lead); err != nil {
		enc.Close()
		return nil, err
	}
	return s, nil
}

func (s *mp3File) write(pcm []int16) error {
	var err error
	if s.buf, err = s.enc.Encode(s.buf, pcm); err != nil {
		return err
	}
	return s.append(-1)
}

// append writes the frames that are in buf, at most so many that the file has
// most frames; most below 0 means all.
func (s *mp3File) append(most int64) error {
	from, to, n := 0, 0, int64(0)
	for to < len(s.buf) && (most < 0 || s.written+n < most) {
		h, ok := audio.ParseMP3Header(s.buf[to:])
		if !ok || to+h.Size > len(s.buf) {
			break
		}
		to += h.Size
		if s.skip > 0 {
			s.skip--
			from = to
			continue
		}
		n++
	}
	if to > from {
		if _, err := s.f.Write(s.buf[from:to]); err != nil {
			return fmt.Errorf("append frames: %w", err)
		}
		s.size += int64(to - from)
		s.written += n
	}
	s.buf = s.buf[:copy(s.buf, s.buf[to:])]
	return nil
}

func (s *mp3File) close(samples int64) error {
	defer s.enc.Close()
	frame := int64(s.frame)
	most := max(minFrames, (samples+frame-1)/frame)
	// Silence behind the sound pushes out whatever the encoder looks ahead for.
	var err error
	if s.buf, err = s.enc.Encode(s.buf, make([]int16, 8*frame)); err != nil {
		return err
	}
	if s.buf, err = s.enc.Flush(s.buf); err != nil {
		return err
	}
	return s.append(most)
}

func (s *mp3File) discard() { s.enc.Close() }

// sumFile gives the SHA-256 of a whole file in hex, and its size.
func sumFile(f io.ReadSeeker) (string, int64, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", 0, fmt.Errorf("read recording back: %w", err)
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return "", 0, fmt.Errorf("read recording back: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
}

// summed is a file that knows the hash of what was appended to it, and cuts
// a torn write off.
type summed struct {
	f    medium
	hash hash.Hash
	size int64
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if err != nil {
		return 0, errors.Join(err, s.f.Truncate(s.size))
	}
	s.hash.Write(p)
	s.size += int64(n)
	return n, nil
}
