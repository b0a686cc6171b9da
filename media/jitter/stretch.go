package jitter

// How well the sound must repeat itself for a piece of it to be left out or
// said twice at once; what has waited for longer than patience makes do with
// less. A square, because that is what is worked out.
const (
	alike    = 0.7
	patience = 25 // frames
	still    = 60 // rms below which any two pieces are alike
)

// compress leaves a piece of at most most samples out of x, by leading the sound
// over into what comes behind it. It gives the length of the piece: so much is
// of no use at the end of x now. 0 when no piece will do.
func compress(x []int16, most, k int, urgent bool) int {
	lag := fitting(x, 0, min(most, len(x)/2, maxPeriod*k), k, 1, urgent)
	for i := range lag {
		x[i] = mix(x[i], x[i+lag], i+1, lag+1)
	}
	if lag > 0 {
		copy(x[lag:], x[2*lag:])
	}
	return lag
}

// stretch says a piece once more that was played just before from. What is to be
// played lies between from and to, with room for the piece behind it. It gives
// the length of the piece.
func stretch(sound []int16, from, to, k int, urgent bool) int {
	lag := fitting(sound[:to], from, min(to-from, from, maxPeriod*k), k, -1, urgent)
	copy(sound[from+lag:to+lag], sound[from:to])
	for i := range lag {
		// What comes leads over into what was, which leads to what comes.
		sound[from+i] = mix(sound[from+lag+i], sound[from-lag+i], i+1, lag+1)
	}
	return lag
}

// fitting is the distance, of minPeriod to most, at which the sound at a place
// is most like the sound before (sign -1) or behind it (sign 1).
func fitting(sound []int16, at, most, k, sign int, urgent bool) int {
	if most < minPeriod*k {
		return 0
	}
	best, bestScore := 0, -1.0
	for lag := minPeriod * k; lag <= most; lag += k {
		other := at + sign*lag
		n := min(matched*k, len(sound)-max(at, other))
		a, b := sound[at:at+n], sound[other:other+n]
		score := 1.0
		if p := power(a, k); p > still*still*float64(n/k) {
			score = likeness(a, b, k) / p
		}
		if score > bestScore {
			best, bestScore = lag, score
		}
	}
	if bestScore < alike && !urgent {
		return 0
	}
	return best
}

func power(x []int16, step int) float64 {
	var sum float64
	for i := 0; i < len(x); i += step {
		sum += float64(x[i]) * float64(x[i])
	}
	return sum
}
