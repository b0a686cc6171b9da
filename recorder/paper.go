package recorder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"b2bua/media/audio"
	"b2bua/recorder/lame"
)

// tickTime is the length of a tap frame.
const tickTime = 20 * time.Millisecond

// pieceTicks is how much sound is mixed before it is written: five seconds.
const pieceTicks = 250

// available tells whether MP3 can be written; tests have it say no.
var available = lame.Available

// errFull: recordings leave the rest of the disk to others.
var errFull = fmt.Errorf("recordings may not take more of the disk: %w", syscall.ENOSPC)

// Full tells whether an error means that the disk is full.
func Full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// reasonFor is the reason for an end that an error has brought.
func reasonFor(err error) string {
	if Full(err) {
		return DiskFull
	}
	return DiskFail
}

// paper is the writing side of a recording: time line, mixer and file. It
// belongs to the recording's goroutine.
type paper struct {
	o        Options
	f        medium
	sum      *summed // nil for WAV, whose header changes
	sink     sink
	line     timeline
	mix      *blend
	rate     int
	bitrate  int
	channels int
	warning  string
	sketch   *sketch // nil: no peaks are kept

	ticks   int64 // emitted to the mixer
	most    int64 // of them, by MaxDuration
	full    bool
	samples int64 // per channel, given to the sink
	err     error
}

func newPaper(o Options) (*paper, error) {
	p := &paper{o: o, rate: o.SampleRate, bitrate: o.Bitrate, channels: 1, most: max(1, int64(o.MaxDuration/tickTime))}
	if o.Channels == Dual {
		p.channels = 2
	}
	if o.Format == MP3 {
		if err := available(); err != nil {
			p.o.Format, p.bitrate = WAV, 0
			p.warning = "written as wav, because mp3 is not available: " + err.Error()
		}
	}
	f, err := create(o.Dir, o.ID, p.o.Format)
	if err != nil {
		return nil, err
	}
	if p.f = f; o.medium != nil {
		p.f = o.medium(f)
	}
	if err := p.open(); err != nil {
		return nil, errors.Join(err, p.f.Close(), os.Remove(p.f.Name()))
	}
	if o.Peaks {
		p.sketch = &sketch{peaks: NewPeaks(p.rate, p.channels), path: PeaksPath(p.f.Name())}
	}
	p.mix = newBlend(p.rate, p.channels == 2)
	p.line.emit = p.tick
	return p, nil
}

func (p *paper) open() error {
	if p.o.Format == WAV {
		w, err := audio.NewWAVWriter(p.f, p.rate, p.channels)
		p.sink = wavFile{w, p.channels}
		return err
	}
	p.sum = &summed{f: p.f, hash: sha256.New()}
	s, err := newMP3File(p.sum, p.rate, p.channels, p.bitrate)
	p.sink = s
	return err
}

// tick takes one moment of the time line.
func (p *paper) tick(t moment) {
	if t.paused && p.o.PauseMode == PauseSkip {
		return
	}
	p.mix.push(t)
	p.ticks++
	if p.ticks%pieceTicks == 0 {
		p.sketch.flush(false)
		_ = p.write() // a long gap is written in pieces; the error is kept in p.err
	}
	if p.ticks >= p.most {
		p.full = true
		p.line.emit = nil
	}
}

// write gives to the file what the mixer has ready.
func (p *paper) write() error {
	if p.err != nil {
		return p.err
	}
	pcm := p.mix.take()
	if p.err = p.sink.write(pcm); p.err == nil {
		p.samples += int64(len(pcm) / p.channels)
		if p.sketch != nil {
			p.sketch.peaks.Add(pcm)
		}
	}
	return p.err
}

// close completes the file, of which keep is to stay; 0 is all.
func (p *paper) close(reason string, keep time.Duration) Result {
	if p.err == nil {
		p.mix.finish()
		if p.write() == nil {
			p.err = p.sink.close(p.samples)
		}
		p.sketch.flush(true)
		if p.err == nil && keep > 0 {
			p.err = p.shorten(keep)
		}
	} else {
		p.sink.discard()
	}
	if p.err != nil {
		p.whole()
	}
	if p.err == nil && reason == DiskFull {
		p.err = errFull
	}
	r := Result{
		ID: p.o.ID, Path: p.f.Name(), Format: p.o.Format, Channels: p.channels, SampleRate: p.rate, Bitrate: p.bitrate,
		Duration: p.duration(), Dropped: p.line.late, Warning: p.warning, Reason: reason,
	}
	if p.err != nil {
		r.Reason = reasonFor(p.err)
	}
	var err error
	if p.sum != nil {
		r.SHA256, r.Size = hex.EncodeToString(p.sum.hash.Sum(nil)), p.sum.size
	} else {
		r.SHA256, r.Size, err = sumFile(p.f)
	}
	// A recording survives the power cut that comes after it was announced.
	err = errors.Join(p.err, err, p.f.Sync(), p.f.Close())
	if err != nil {
		r.Err = fmt.Errorf("write recording %s: %w", p.o.ID, err)
	}
	return r
}

// whole cuts off what was written in part.
func (p *paper) whole() {
	if p.o.Format != WAV { // what the encoder had not given yet is not there
		_, p.samples = p.sink.upTo(p.samples)
		return
	}
	size := audio.WAVHeaderSize + 2*int64(p.channels)*p.samples
	if p.f.Truncate(size) == nil {
		_, _, _ = audio.RepairWAV(p.f, size) // the file is told as failed either way
	}
}

func (p *paper) duration() time.Duration {
	return audio.Clip{Rate: p.rate}.At(p.samples)
}
