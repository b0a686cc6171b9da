package stream

import (
	"fmt"
	"math"
	"strings"
	"time"

	"b2bua/media/codec"
)

// Format is how a stream is encoded, as SDP has agreed it.
type Format struct {
	Codec       string
	PayloadType uint8
	Event       uint8 // payload type of telephone-event; 0: none
	Ptime       time.Duration
}

// Voice is the tone that a stream says.
type Voice struct {
	Freq  float64 // a multiple of 100 Hz: then each packet has whole periods of it
	Level float64 // dBm0
}

const (
	// pause comes once a cycle, so that there is a moment to recognise.
	pause = 40 * time.Millisecond
	cycle = time.Second
	// loudest is the level of the loudest sine (ITU-T G.711, A-law).
	loudest = 3.14
)

// track is a cycle of sound, encoded once for all streams that say it.
type track struct {
	frames  [][]byte
	silent  int    // how many of them, at the beginning, are the pause
	clock   uint32 // of the RTP time stamp, per frame
	stride  int    // of stamps; 0: none
	samples int    // per frame
	rate    int    // of samples
}

func newTrack(f Format, v Voice) (*track, error) {
	c, ok := codec.New(f.Codec)
	if !ok {
		return nil, fmt.Errorf("no codec %s here; there are %s", f.Codec, strings.Join(codec.Default(), ", "))
	}
	t := &track{rate: c.SampleRate()}
	t.samples = samplesOf(f.Ptime, t.rate)
	t.clock = uint32(samplesOf(f.Ptime, c.ClockRate()))
	t.silent = int((pause + f.Ptime - 1) / f.Ptime)
	count := int((cycle + f.Ptime - 1) / f.Ptime)
	pcm := make([]int16, t.samples*count)
	// A cosine: the first sample after the pause is the loudest, and seen at once.
	fill(pcm[t.samples*t.silent:], t.rate, v)
	t.frames = encoded(c, pcm, t.samples)
	t.stride = stampStride(c.Name(), len(t.frames[0]))
	return t, nil
}

// fill writes a tone that begins with its loudest sample.
func fill(pcm []int16, rate int, voices ...Voice) {
	for i := range pcm {
		var sum float64
		for _, v := range voices {
			sum += amplitude(v.Level) * math.Cos(2*math.Pi*v.Freq*float64(i)/float64(rate))
		}
		pcm[i] = int16(math.Round(max(math.MinInt16, min(math.MaxInt16, sum))))
	}
}

func amplitude(level float64) float64 { return 32767 * math.Pow(10, (level-loudest)/20) }

func encoded(c codec.Codec, pcm []int16, samples int) [][]byte {
	var frames [][]byte
	buf := make([]byte, maxPayload)
	for ; len(pcm) >= samples; pcm = pcm[samples:] {
		frames = append(frames, append([]byte(nil), buf[:c.Encode(buf, pcm[:samples])]...))
	}
	return frames
}

func samplesOf(d time.Duration, rate int) int { return int(d * time.Duration(rate) / time.Second) }

// The tones of keys (ITU-T Q.23).
var (
	lowTones  = [4]float64{697, 770, 852, 941}
	highTones = [4]float64{1209, 1336, 1477, 1633}
	keypad    = [4]string{"123A", "456B", "789C", "*0#D"}
)

// Keys are pressed for as long as people do who hurry, and the levels are those of
// a telephone.
const (
	keyTime  = 100 * time.Millisecond
	keyPause = 100 * time.Millisecond
	lowLevel = -9.0
	twist    = 2.0 // the high tone is stronger
)

// keyFrames is a key as tones, encoded, with the pause that follows.
func keyFrames(f Format, key byte) ([][]byte, error) {
	c, ok := codec.New(f.Codec)
	if !ok {
		return nil, fmt.Errorf("no codec %s here", f.Codec)
	}
	rate := c.SampleRate()
	for row, keys := range keypad {
		if column := strings.IndexByte(keys, key); column >= 0 {
			pcm := make([]int16, samplesOf(keyTime+keyPause, rate))
			fill(pcm[:samplesOf(keyTime, rate)], rate, Voice{lowTones[row], lowLevel}, Voice{highTones[column], lowLevel + twist})
			return encoded(c, pcm, samplesOf(f.Ptime, rate)), nil
		}
	}
	return nil, fmt.Errorf("%q is no key", key)
}
