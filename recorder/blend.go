package recorder

import (
	"b2bua/media/audio"
	"b2bua/media/mixer"
)

// tapRate is the rate of silence that no frame has told the rate of.
const tapRate = 8000

// lane is one direction on its way to the rate of the file.
type lane struct {
	rate    int // of what came in last
	to      int
	convert *audio.Resampler // nil when nothing needs converting
	ready   []int16
}

var quiet [maxFrame]int16

// push adds the 20 ms of one tick, nil for silence.
func (l *lane) push(pcm []int16, rate int) {
	if pcm == nil {
		if l.rate == 0 {
			l.rate = tapRate
			l.open()
		}
		pcm = quiet[:l.rate/50]
	} else if rate != l.rate {
		l.finish()
		l.rate = rate
		l.open()
	}
	if l.convert == nil {
		l.ready = append(l.ready, pcm...)
		return
	}
	l.ready = l.convert.Push(l.ready, pcm)
}

func (l *lane) open() {
	l.convert = nil
	if l.rate != l.to {
		l.convert = audio.NewResampler(l.rate, l.to)
	}
}

// finish makes what the converter holds back ready.
func (l *lane) finish() {
	if l.convert != nil {
		l.ready = l.convert.Flush(l.ready)
	}
}

// drop forgets the first n samples.
func (l *lane) drop(n int) { l.ready = l.ready[:copy(l.ready, l.ready[n:])] }

// blend makes the samples of the file from the moments of the time line.
type blend struct {
	in, out lane
	stereo  bool
	apart   bool    // each direction has its lane; else both are on in
	sum     []int16 // scratch of together
	mixed   []int16
	limit   mixer.Limiter // two who shout at once are turned down, not distorted
}

func newBlend(rate int, stereo bool) *blend {
	return &blend{in: lane{to: rate}, out: lane{to: rate}, stereo: stereo, apart: stereo}
}

func (m *blend) push(t moment) {
	if !m.apart && alike(t) {
		m.together(t)
		return
	}
	m.split()
	m.in.push(t.in, t.inRate)
	m.out.push(t.out, t.outRate)
}

// together mixes before converting, which halves the work: the usual case, in
// which both directions have the same rate.
func (m *blend) together(t moment) {
	switch {
	case t.in == nil:
		m.in.push(t.out, t.outRate)
	case t.out == nil:
		m.in.push(t.in, t.inRate)
	default:
		m.sum = append(m.sum[:0], t.in...)
		m.limit.Add(m.sum, m.sum, t.out)
		m.in.push(m.sum, t.inRate)
	}
}

// alike tells whether both directions can be added as they are.
func alike(t moment) bool {
	return t.in == nil || t.out == nil || (t.inRate == t.outRate && len(t.in) == len(t.out))
}

// split goes over to converting each direction by itself, for good: what was
// mixed so far stays on one lane, beside silence on the other.
func (m *blend) split() {
	if m.apart {
		return
	}
	m.apart = true
	m.in.finish()
	m.in.rate = 0
	m.out.ready = append(m.out.ready, make([]int16, len(m.in.ready))...)
}

func (m *blend) finish() {
	m.in.finish()
	m.out.finish()
}

// take gives what is ready of both directions, valid until the next take.
func (m *blend) take() []int16 {
	if !m.apart {
		m.mixed = append(m.mixed[:0], m.in.ready...)
		m.in.drop(len(m.in.ready))
		return m.mixed
	}
	n := min(len(m.in.ready), len(m.out.ready))
	m.mixed = m.mixed[:0]
	for i, a := range m.in.ready[:n] {
		b := m.out.ready[i]
		if m.stereo {
			m.mixed = append(m.mixed, a, b)
		} else {
			m.mixed = append(m.mixed, m.limit.Limit(int32(a)+int32(b)))
		}
	}
	m.in.drop(n)
	m.out.drop(n)
	return m.mixed
}
