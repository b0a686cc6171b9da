package jitter

const (
	// hold is how long a gap is filled at falling level before it is silent:
	// 60 ms, as in G.711 Appendix I.
	hold = 480
	// blend is how long the first real samples after a gap are faded in.
	blend = 40
)

// Concealer fills gaps in 8 kHz speech by repeating the last pitch period at
// falling level. The zero value is ready.
type Concealer struct {
	history [320]int16
	filled  int // samples of the gap so far; 0 outside gaps
	period  int
	phase   int
}

// Good notes samples that really came, and smooths the end of a gap into them.
func (c *Concealer) Good(pcm []int16) {
	if c.filled > 0 && len(pcm) > 0 {
		n := min(blend, len(pcm))
		for i := range n {
			made := c.next()
			pcm[i] = int16((int(made)*(n-i) + int(pcm[i])*i) / n)
		}
		c.filled = 0
	}
	c.keep(pcm)
}

func (c *Concealer) keep(pcm []int16) {
	if len(pcm) >= len(c.history) {
		copy(c.history[:], pcm[len(pcm)-len(c.history):])
		return
	}
	copy(c.history[:], c.history[len(pcm):])
	copy(c.history[len(c.history)-len(pcm):], pcm)
}

// Fill makes up samples for a gap.
func (c *Concealer) Fill(dst []int16) {
	if c.filled == 0 {
		c.begin()
	}
	for i := range dst {
		dst[i] = c.next()
	}
	if c.filled >= hold {
		// Long over: what comes next must not be blended with the past.
		clear(c.history[:])
	}
}

// Splice tells that the samples which come next do not run on from the last
// ones: Good will blend them in, as after a gap of no length.
func (c *Concealer) Splice() {
	if c.filled == 0 {
		c.begin()
		c.filled = 1
	}
}

func (c *Concealer) begin() {
	c.period = pitch(&c.history)
	c.phase = 0
}

// next is the next sample of the repeated period, fading over hold samples
// after 10 ms at full level.
func (c *Concealer) next() int16 {
	if c.filled >= hold {
		return 0
	}
	level := min(hold, hold+80-c.filled)
	c.filled++
	s := c.history[len(c.history)-c.period+c.phase]
	c.phase++
	if c.phase == c.period {
		c.phase = 0
	}
	return int16(int(s) * level / hold)
}

// pitch finds the period, 66 to 400 Hz, at which the last samples resemble the
// ones before them most: normalised correlation, searched coarsely and then
// around the best.
func pitch(h *[320]int16) int {
	best, bestScore := 120, -1.0
	try := func(lag, step int) {
		if score := resemblance(h, lag, step); score > bestScore {
			best, bestScore = lag, score
		}
	}
	for lag := 20; lag <= 120; lag += 2 {
		try(lag, 2)
	}
	coarse := best
	bestScore = -1
	for lag := max(coarse-2, 20); lag <= min(coarse+2, 120); lag++ {
		try(lag, 1)
	}
	return best
}

// resemblance correlates the last 160 samples with those lag before them.
func resemblance(h *[320]int16, lag, step int) float64 {
	var cross, energy float64
	for i := 160; i < 320; i += step {
		a, b := float64(h[i]), float64(h[i-lag])
		cross += a * b
		energy += b * b
	}
	if cross <= 0 || energy == 0 {
		return 0
	}
	return cross * cross / energy
}
