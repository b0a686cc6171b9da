package lame

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Config of an encoder. Zero values mean the defaults.
type Config struct {
	SampleRate int // of input and output; default 16000
	Channels   int // 1 (default) or 2
	Bitrate    int // bit/s; default 32000 for each channel
	Quality    int // of the algorithm, 0 slow … 9 fast; default 7
}

// MPEG modes of lame.h.
const (
	modeStereo = 0 // left and right apart: the two sides of a call share nothing
	modeMono   = 3
)

// decoderDelay is what every layer III decoder adds: 528 samples of its
// filter bank and one more (lame.h, "DECODER DELAY").
const decoderDelay = 528 + 1

var errClosed = errors.New("encode mp3: encoder is closed")

// initMutex: lame_init_params fills tables that older versions share.
var initMutex sync.Mutex

// Encoder turns samples into MP3 frames.
type Encoder struct {
	lib      *library
	handle   uintptr
	channels int
	frame    int
	delay    int
	buf      []byte
}

// New makes an encoder. The error is ErrUnavailable without the library.
func New(c Config) (*Encoder, error) {
	if c.SampleRate == 0 {
		c.SampleRate = 16000
	}
	if c.Channels == 0 {
		c.Channels = 1
	}
	if c.Bitrate == 0 {
		c.Bitrate = 32000 * c.Channels
	}
	if c.Quality == 0 {
		c.Quality = 7
	}
	if c.Channels < 1 || c.Channels > 2 {
		return nil, fmt.Errorf("make mp3 encoder: %d channels", c.Channels)
	}
	lib, err := load()
	if err != nil {
		return nil, fmt.Errorf("make mp3 encoder: %w", err)
	}
	initMutex.Lock()
	defer initMutex.Unlock()
	e, err := build(lib, c, 1)
	if err != nil {
		return nil, fmt.Errorf("make mp3 encoder: %w", err)
	}
	// The presets of low bit rates turn the sound down by about half a decibel,
	// in init_params, over what was set: so it is set that much higher.
	if scale := lib.getScale(e.handle); scale > 0.5 && scale < 1 {
		e.Close()
		if e, err = build(lib, c, 1/scale); err != nil {
			return nil, fmt.Errorf("make mp3 encoder: %w", err)
		}
	}
	e.delay = call(lib.encoderDelay, e.handle) + decoderDelay
	e.frame = call(lib.frameSize, e.handle)
	return e, nil
}

// build makes an encoder that multiplies its input by scale.
func build(lib *library, c Config, scale float32) (*Encoder, error) {
	handle, _, _ := purego.SyscallN(lib.create)
	if handle == 0 {
		return nil, errors.New("lame_init gave nothing")
	}
	e := &Encoder{lib: lib, handle: handle, channels: c.Channels}
	lib.setScale(handle, scale)
	if err := e.set(c); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Encoder) set(c Config) error {
	mode := uintptr(modeMono)
	if c.Channels == 2 {
		mode = modeStereo
	}
	for _, s := range []struct {
		name  string
		fn    uintptr
		value uintptr
	}{
		{"channels", e.lib.setChannels, uintptr(c.Channels)},
		{"input rate", e.lib.setInRate, uintptr(c.SampleRate)},
		{"output rate", e.lib.setOutRate, uintptr(c.SampleRate)},
		{"mode", e.lib.setMode, mode},
		{"constant bit rate", e.lib.setVBR, 0},
		{"bit rate", e.lib.setBitrate, uintptr(c.Bitrate / 1000)},
		{"quality", e.lib.setQuality, uintptr(c.Quality)},
		{"no tag", e.lib.setVBRTag, 0},
		{"no reservoir", e.lib.setNoReservoir, 1},
		{"no gain analysis", e.lib.setFindReplayGain, 0},
		{"no checksum", e.lib.setErrorProtection, 0},
		{"original", e.lib.setOriginal, 1},
	} {
		if r := call(s.fn, e.handle, s.value); r < 0 {
			return fmt.Errorf("set %s: lame error %d", s.name, r)
		}
	}
	if r := call(e.lib.initParams, e.handle); r < 0 {
		return fmt.Errorf("settings refused: lame error %d", r)
	}
	return nil
}

// FrameSamples is the number of samples per channel in a frame.
func (e *Encoder) FrameSamples() int { return e.frame }

// Delay is by how many samples the decoded sound is late.
func (e *Encoder) Delay() int { return e.delay }

// Encode takes samples (interleaved when stereo) and appends the frames that
// became complete to dst. They come about 0.1 s later than their sound.
func (e *Encoder) Encode(dst []byte, pcm []int16) ([]byte, error) {
	if e.handle == 0 {
		return dst, errClosed
	}
	n := len(pcm) / e.channels
	if n == 0 {
		return dst, nil
	}
	buf := e.room(n)
	var r int
	if e.channels == 1 {
		r = call(e.lib.encodeMono, e.handle,
			uintptr(unsafe.Pointer(&pcm[0])), uintptr(unsafe.Pointer(&pcm[0])), uintptr(n),
			uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	} else {
		r = call(e.lib.encodeInterleaved, e.handle,
			uintptr(unsafe.Pointer(&pcm[0])), uintptr(n),
			uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	}
	return e.made(dst, buf, r)
}

// Flush appends the last frames, filled up with silence.
func (e *Encoder) Flush(dst []byte) ([]byte, error) {
	if e.handle == 0 {
		return dst, errClosed
	}
	buf := e.room(0)
	r := call(e.lib.flushNoGap, e.handle, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	return e.made(dst, buf, r)
}

// Close gives the library's memory back. The encoder is of no use afterwards.
func (e *Encoder) Close() {
	if e.handle != 0 {
		call(e.lib.destroy, e.handle)
		e.handle = 0
	}
}

// room is a buffer as large as lame.h asks for: 1.25 bytes a sample and 7200.
func (e *Encoder) room(samples int) []byte {
	if need := samples*e.channels*5/4 + 7200; len(e.buf) < need {
		e.buf = make([]byte, need)
	}
	return e.buf
}

func (e *Encoder) made(dst, buf []byte, r int) ([]byte, error) {
	if r < 0 || r > len(buf) {
		return dst, fmt.Errorf("encode mp3: lame error %d", r)
	}
	return append(dst, buf[:r]...), nil
}
