package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"b2bua/media/audio"
)

// silentFrame is a whole MP3 frame of nothing: MPEG-2 layer III, 32 kbit/s,
// 16 kHz, mono, and side information that announces no data.
var silentFrame = append([]byte{0xFF, 0xF3, 0x48, 0xC4}, make([]byte, 140)...)

// Recover completes the file that a killed process left: a torn last frame is
// cut off, a WAV header is made true. A file that is complete stays as it is.
func Recover(path string) (Result, error) {
	r, err := recoverFile(path)
	if err != nil {
		return Result{}, fmt.Errorf("recover recording %s: %w", filepath.Base(path), err)
	}
	return r, nil
}

func recoverFile(path string) (Result, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Result{}, err
	}
	defer f.Close()
	ext := strings.TrimPrefix(filepath.Ext(path), ".")
	r := Result{ID: strings.TrimSuffix(filepath.Base(path), "."+ext), Path: path, Format: ext, Reason: Stopped}
	switch ext {
	case MP3:
		err = recoverMP3(f, &r)
	case WAV:
		err = recoverWAV(f, &r)
	default:
		err = fmt.Errorf("neither %s nor %s: %w", MP3, WAV, audio.ErrFormat)
	}
	if err != nil {
		return Result{}, err
	}
	if r.SHA256, r.Size, err = sumFile(f); err != nil {
		return Result{}, err
	}
	return r, f.Sync()
}

func recoverMP3(f *os.File, r *Result) error {
	scan := audio.NewMP3Scanner(f)
	var frames, samples int64
	last := silentFrame
	for scan.Next() {
		frames++
		samples += int64(scan.Header().Samples)
		if frames == 1 {
			last = append(bytes.Clone(scan.Frame()[:4]), make([]byte, len(scan.Frame())-4)...)
		}
	}
	if err := scan.Err(); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if frames == 0 && size >= int64(2*len(silentFrame)) {
		return fmt.Errorf("no frame found in %d bytes: %w", size, audio.ErrFormat)
	}
	r.Channels, r.SampleRate = 1, mp3Rate
	if frames > 0 {
		r.Channels, r.SampleRate = scan.Header().Channels, scan.Header().SampleRate
	}
	r.Duration = audio.Clip{Rate: r.SampleRate}.At(samples)
	r.Warning = cutWarning(size-scan.End(), r.Duration)
	if err := f.Truncate(scan.End()); err != nil {
		return err
	}
	if frames >= minFrames {
		return nil
	}
	_, err = f.WriteAt(bytes.Repeat(last, int(minFrames-frames)), scan.End())
	return err
}

func recoverWAV(f *os.File, r *Result) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	rate, channels, err := audio.RepairWAV(f, size)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		// Not even the header had been written.
		rate, channels, size = wavRate, 1, 0
		if err = f.Truncate(0); err == nil {
			_, err = audio.NewWAVWriter(f, rate, channels)
		}
	}
	if err != nil {
		return err
	}
	r.SampleRate, r.Channels = rate, channels
	block := int64(2 * channels)
	data := max(0, size-audio.WAVHeaderSize)
	torn := data % block
	r.Duration = audio.Clip{Rate: rate}.At(data / block)
	r.Warning = cutWarning(torn, r.Duration)
	if torn > 0 {
		return f.Truncate(size - torn)
	}
	return nil
}

func cutWarning(torn int64, d time.Duration) string {
	switch {
	case d == 0:
		return "the recording was interrupted before anything was written"
	case torn > 0:
		return "the recording was interrupted; its last, incomplete piece was cut off"
	}
	return "the recording was interrupted; it ends with the last piece that was written"
}
