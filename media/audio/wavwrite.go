package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WAVHeaderSize is the length of the header that WAVWriter writes.
const WAVHeaderSize = 44

// WAVWriter writes a 16-bit PCM WAV file whose header is true after every
// Patch, so that a file whose writer was killed loses nothing but its tail.
type WAVWriter struct {
	f        io.WriterAt
	rate     int
	channels int
	size     int64 // bytes of sound written
	buf      []byte
}

// NewWAVWriter writes the header of an empty file. channels is 1 or 2.
func NewWAVWriter(f io.WriterAt, rate, channels int) (*WAVWriter, error) {
	if channels < 1 || channels > 2 || rate < minRate || rate > maxRate {
		return nil, fmt.Errorf("write wav: %d channels at %d Hz: %w", channels, rate, ErrFormat)
	}
	w := &WAVWriter{f: f, rate: rate, channels: channels}
	return w, w.Patch()
}

// Write appends samples (interleaved when stereo). The header keeps telling
// the old length until Patch.
func (w *WAVWriter) Write(samples []int16) error {
	if w.size+int64(2*len(samples)) > math.MaxUint32-WAVHeaderSize {
		return fmt.Errorf("write wav: over 4 GiB: %w", ErrTooLarge)
	}
	w.buf = w.buf[:0]
	for _, s := range samples {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(s))
	}
	// After a torn write the length stays what it was, and so does the header.
	if _, err := w.f.WriteAt(w.buf, WAVHeaderSize+w.size); err != nil {
		return fmt.Errorf("write wav data: %w", err)
	}
	w.size += int64(len(w.buf))
	return nil
}

// Patch makes the header tell the length written so far.
func (w *WAVWriter) Patch() error {
	if _, err := w.f.WriteAt(wavHeader(w.rate, w.channels, w.size), 0); err != nil {
		return fmt.Errorf("write wav header: %w", err)
	}
	return nil
}

// Size is the length of the file in bytes.
func (w *WAVWriter) Size() int64 { return WAVHeaderSize + w.size }

// RepairWAV makes the header of a file that WAVWriter wrote, and that now has
// size bytes, tell its true length in whole sample blocks. It gives what the
// header says; the error is io.ErrUnexpectedEOF when there is no whole header.
func RepairWAV(f interface {
	io.ReaderAt
	io.WriterAt
}, size int64) (rate, channels int, err error) {
	if size < WAVHeaderSize {
		return 0, 0, fmt.Errorf("repair wav of %d bytes: %w", size, io.ErrUnexpectedEOF)
	}
	var head [WAVHeaderSize]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return 0, 0, fmt.Errorf("read wav header: %w", err)
	}
	rate = int(binary.LittleEndian.Uint32(head[24:]))
	channels = int(binary.LittleEndian.Uint16(head[22:]))
	known := wavHeader(rate, channels, int64(binary.LittleEndian.Uint32(head[40:])))
	if channels < 1 || channels > 2 || rate < minRate || rate > maxRate || string(known[8:40]) != string(head[8:40]) {
		return 0, 0, fmt.Errorf("repair wav: header of another writer: %w", ErrFormat)
	}
	block := int64(2 * channels)
	data := min((size-WAVHeaderSize)/block*block, math.MaxUint32-WAVHeaderSize)
	if _, err := f.WriteAt(wavHeader(rate, channels, data), 0); err != nil {
		return 0, 0, fmt.Errorf("write wav header: %w", err)
	}
	return rate, channels, nil
}

// WriteWAV writes a whole clip as a mono WAV file.
func WriteWAV(w io.Writer, c Clip) error {
	b := wavHeader(c.Rate, 1, int64(2*len(c.Samples)))
	for rest := c.Samples; ; {
		n := min(len(rest), 8<<10)
		for _, s := range rest[:n] {
			b = binary.LittleEndian.AppendUint16(b, uint16(s))
		}
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write wav: %w", err)
		}
		if b, rest = b[:0], rest[n:]; len(rest) == 0 {
			return nil
		}
	}
}

// wavHeader is the canonical 44 bytes: RIFF, fmt of 16 bytes, data.
func wavHeader(rate, channels int, dataSize int64) []byte {
	le := binary.LittleEndian
	block := 2 * channels
	b := make([]byte, 0, WAVHeaderSize)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(WAVHeaderSize-8+dataSize))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, wavPCM)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*block))
	b = le.AppendUint16(b, uint16(block))
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	return le.AppendUint32(b, uint32(dataSize))
}
