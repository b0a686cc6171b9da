package media

import (
	"math"
	"time"

	"b2bua/media/audio"
)

// ClipSource plays a clip, once or for ever. A clip at another rate is
// resampled here, so prompts are best kept at 8 kHz.
func ClipSource(clip audio.Clip, loop bool) Source {
	return &clipSource{samples: clip.Resample(sampleRate).Samples, loop: loop}
}

type clipSource struct {
	samples []int16
	at      int
	loop    bool
}

func (c *clipSource) Frame(dst []int16) bool {
	for len(dst) > 0 {
		if c.at == len(c.samples) {
			if !c.loop || c.at == 0 {
				clear(dst)
				return false
			}
			c.at = 0
		}
		n := copy(dst, c.samples[c.at:])
		c.at += n
		dst = dst[n:]
	}
	return c.loop || c.at < len(c.samples)
}

// Cadence is one step of a call progress tone: some frequencies, or none, for a
// time. A level is in dBm0, for each frequency.
type Cadence struct {
	For   time.Duration
	Hertz []float64
	Level float64
}

// ToneSource plays cadences, once or for ever (ITU-T E.180). Every step fades
// in and out over 5 ms.
func ToneSource(loop bool, steps ...Cadence) Source {
	t := &toneSource{loop: loop}
	for _, c := range steps {
		st := toneStep{samples: int(int64(c.For) * sampleRate / int64(time.Second))}
		for _, hz := range c.Hertz {
			st.omega = append(st.omega, 2*math.Pi*hz/sampleRate)
		}
		// +3.14 dBm0 is a sine of full scale (ITU-T G.711).
		st.amplitude = math.MaxInt16 * math.Pow(10, (c.Level-3.14)/20)
		if st.samples > 0 {
			t.steps = append(t.steps, st)
		}
	}
	return t
}

type toneSource struct {
	steps []toneStep
	step  int
	at    int
	loop  bool
}

type toneStep struct {
	samples   int
	omega     []float64
	amplitude float64
}

func (t *toneSource) Frame(dst []int16) bool {
	for i := range dst {
		if t.step == len(t.steps) {
			if !t.loop || t.step == 0 {
				clear(dst[i:])
				return false
			}
			t.step = 0
		}
		st := &t.steps[t.step]
		dst[i] = st.sample(t.at)
		if t.at++; t.at == st.samples {
			t.at = 0
			t.step++
		}
	}
	return t.loop || t.step < len(t.steps)
}

func (st *toneStep) sample(at int) int16 {
	if len(st.omega) == 0 {
		return 0
	}
	var sum float64
	for _, w := range st.omega {
		sum += math.Sin(w * float64(at))
	}
	edge := min(at, st.samples-1-at, declick)
	sum *= st.amplitude * float64(edge) / declick
	return int16(max(math.MinInt16, min(math.MaxInt16, sum)))
}

// Ringback is what a caller in North America hears while the other side rings.
func Ringback() Source {
	return ToneSource(true,
		Cadence{For: 2 * time.Second, Hertz: []float64{440, 480}, Level: -19},
		Cadence{For: 4 * time.Second})
}

// RingbackEU is what a caller in most of Europe hears.
func RingbackEU() Source {
	return ToneSource(true,
		Cadence{For: time.Second, Hertz: []float64{425}, Level: -13},
		Cadence{For: 4 * time.Second})
}

// Busy is the North American busy tone.
func Busy() Source {
	return ToneSource(true,
		Cadence{For: 500 * time.Millisecond, Hertz: []float64{480, 620}, Level: -24},
		Cadence{For: 500 * time.Millisecond})
}

// BusyEU is the European one.
func BusyEU() Source {
	return ToneSource(true,
		Cadence{For: 480 * time.Millisecond, Hertz: []float64{425}, Level: -13},
		Cadence{For: 480 * time.Millisecond})
}

// Beep is 1000 Hz, at a level in dBm0: record after the tone.
func Beep(d time.Duration, level float64) Source {
	return ToneSource(false, Cadence{For: d, Hertz: []float64{1000}, Level: level})
}

// Silence plays nothing for a while.
func Silence(d time.Duration) Source {
	return ToneSource(false, Cadence{For: d})
}

// HoldMusic is what a party on hold hears until it is taken off.
func HoldMusic() Source { return ClipSource(audio.Melody(), true) }
