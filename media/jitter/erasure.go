package jitter

// Sizes in samples at 8 kHz (ITU-T G.711 Appendix I); at 16 kHz twice as many.
const (
	minPeriod  = 40  // 200 Hz
	maxPeriod  = 120 // 66 Hz
	pastKept   = 390 // 48.75 ms: three and a quarter of the longest periods
	heldBack   = 30  // 3.75 ms: what may still be changed when a gap begins
	matched    = 160 // 20 ms: how much must resemble what is a period before it
	block      = 80  // 10 ms: after so much the sound changes
	audible    = 480 // 60 ms: then it has died away
	recovering = 32  // 4 ms: for every 10 ms of the gap the way back takes so much longer
)

// erasure makes up sound for a gap by repeating the last pitch periods, the way
// of ITU-T G.711 Appendix I: one period at first, after 10 ms two and after 20 ms
// three, so that it does not hum; 20 % quieter every 10 ms after the first ten;
// overlapping with the sound before and behind.
type erasure struct {
	k      int // samples in 1/8 ms
	filled int // samples of the gap so far; 0 outside gaps

	past    [2 * pastKept]int16
	size    int // samples of past in use
	period  int
	quarter int // of the period, over which seams overlap
	loop    int // samples at the end of past that are repeated
	at      int // the next of them
	seam    [2 * heldBack]int16

	old   [2 * heldBack]int16 // what would have come without the last change of loop
	oldAt int
}

// begin takes the last samples, of which the last loose ones may still be
// changed: they are made to lead into what will be repeated.
func (e *erasure) begin(sound []int16, loose int) {
	e.size = copy(e.past[:e.k*pastKept], sound[max(len(sound)-e.k*pastKept, 0):])
	if e.size < e.k*pastKept {
		// Not that much was ever heard: silence came before.
		copy(e.past[e.k*pastKept-e.size:], e.past[:e.size])
		clear(e.past[:e.k*pastKept-e.size])
		e.size = e.k * pastKept
	}
	e.period = pitchOf(e.past[:e.size], e.k)
	e.quarter = e.period / 4
	copy(e.seam[:], e.past[e.size-e.quarter:e.size])
	e.repeat(e.period)
	e.at, e.oldAt = 0, e.quarter
	if loose >= e.quarter {
		copy(sound[len(sound)-e.quarter:], e.past[e.size-e.quarter:e.size])
	}
}

// repeat chooses how much is repeated, and makes its end lead into its
// beginning.
func (e *erasure) repeat(loop int) {
	e.loop = loop
	end, start := e.size-e.quarter, e.size-loop-e.quarter
	for i := range e.quarter {
		e.past[end+i] = mix(e.seam[i], e.past[start+i], i+1, e.quarter+1)
	}
}

// mix goes from a to b, at step i of n.
func mix(a, b int16, i, n int) int16 { return int16((int(a)*(n-i) + int(b)*i) / n) }

// fill makes up samples.
func (e *erasure) fill(dst []int16) {
	if e.filled >= audible*e.k {
		clear(dst)
		return
	}
	for i := range dst {
		dst[i] = e.next()
	}
}

func (e *erasure) next() int16 {
	if e.filled == block*e.k || e.filled == 2*block*e.k {
		e.lengthen()
	}
	s := e.sample()
	if e.oldAt < e.quarter {
		s = mix(e.old[e.oldAt], s, e.oldAt+1, e.quarter+1)
		e.oldAt++
	}
	// 20 % a block, so that nothing is left after six.
	level := (block + 5*block) * e.k
	if e.filled > block*e.k {
		level -= e.filled
	} else {
		level = 5 * block * e.k
	}
	e.filled++
	return int16(int(s) * max(level, 0) / (5 * block * e.k))
}

func (e *erasure) sample() int16 {
	s := e.past[e.size-e.loop+e.at]
	if e.at++; e.at == e.loop {
		e.at = 0
	}
	return s
}

// lengthen repeats one period more from now on.
func (e *erasure) lengthen() {
	loop := e.loop + e.period
	if loop+e.quarter > e.size {
		return
	}
	at := e.at
	for i := range e.quarter {
		e.old[i] = e.sample()
	}
	e.at, e.oldAt = at%e.period, 0
	e.repeat(loop)
}

// end leads from the made up sound over into what has really come.
func (e *erasure) end(pcm []int16) {
	over := e.quarter + recovering*e.k*((e.filled+block*e.k-1)/(block*e.k)-1)
	n := min(max(over, e.k*block/4), block*e.k, len(pcm))
	for i := range n {
		pcm[i] = mix(e.next(), pcm[i], i+1, n+1)
	}
	e.filled = 0
}

// pitchOf finds the period, 66 to 200 Hz, at which the last 20 ms resemble what
// came before most: normalised correlation, coarsely and then around the best.
func pitchOf(past []int16, k int) int {
	best := search(past, minPeriod*k, maxPeriod*k, 2*k)
	return search(past, max(best-2*k+1, minPeriod*k), min(best+2*k-1, maxPeriod*k), 1)
}

func search(past []int16, from, to, step int) int {
	best, bestScore := to, -1.0
	for lag := from; lag <= to; lag += step {
		end := len(past)
		n := min(matched*len(past)/pastKept, end-lag)
		if score := likeness(past[end-n:], past[end-n-lag:end-lag], step); score > bestScore {
			best, bestScore = lag, score
		}
	}
	return best
}

// likeness is the correlation of a and b by the energy of b, squared, or 0
// when they are opposed. Of step samples one is looked at.
func likeness(a, b []int16, step int) float64 {
	var cross, energy float64
	b = b[:len(a)]
	for i := 0; i < len(a); i += step {
		x, y := float64(a[i]), float64(b[i])
		cross += x * y
		energy += y * y
	}
	if cross <= 0 || energy == 0 {
		return 0
	}
	return cross * cross / energy
}
