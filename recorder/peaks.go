package recorder

import (
	"os"
	"strings"
)

// PeaksPerSecond is how many peaks are kept of each second and channel.
const PeaksPerSecond = 20

// PeaksPath is where the peaks of a recording are kept: a byte for the loudest
// sample of each twentieth of a second, 255 for full scale, channel by channel.
func PeaksPath(audio string) string {
	if i := strings.LastIndexByte(audio, '.'); i >= 0 {
		audio = audio[:i]
	}
	return audio + ".peaks"
}

// Peaks finds the loudest samples of sound as it goes by.
type Peaks struct {
	channels int
	each     int // samples per channel in one
	n        int
	top      [2]int
	made     []byte
}

// NewPeaks makes peaks of interleaved sound.
func NewPeaks(rate, channels int) *Peaks {
	return &Peaks{channels: channels, each: rate / PeaksPerSecond}
}

// Add takes more of the sound.
func (p *Peaks) Add(pcm []int16) {
	for i := 0; i+p.channels <= len(pcm); i += p.channels {
		for c := range p.channels {
			v := int(pcm[i+c])
			p.top[c] = max(p.top[c], v, -v)
		}
		if p.n++; p.n == p.each {
			p.end()
		}
	}
}

func (p *Peaks) end() {
	for c := range p.channels {
		p.made = append(p.made, byte(min((p.top[c]*255+16384)/32768, 255)))
		p.top[c] = 0
	}
	p.n = 0
}

// Take gives the peaks made since it was called last; with all also that of a
// last, shorter piece.
func (p *Peaks) Take(all bool) []byte {
	if all && p.n > 0 {
		p.end()
	}
	made := p.made
	p.made = nil
	return made
}

// sketch is the file of a recording's peaks as it grows. What goes wrong with it
// harms nobody: they are found in the sound again.
type sketch struct {
	peaks *Peaks
	path  string
	size  int64
}

// flush appends what has been made.
func (s *sketch) flush(all bool) {
	if s == nil {
		return
	}
	made := s.peaks.Take(all)
	if len(made) == 0 {
		return
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE, 0o640)
	if err != nil {
		return
	}
	n, _ := f.WriteAt(made, s.size)
	s.size += int64(n)
	_ = f.Close()
}

// shorten cuts the peaks as the sound is cut.
func (s *sketch) shorten(samples int64, rate, channels int) {
	if s == nil {
		return
	}
	s.size = min(s.size, samples*PeaksPerSecond/int64(rate)*int64(channels))
	_ = os.Truncate(s.path, s.size)
}
