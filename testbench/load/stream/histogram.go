package stream

import (
	"math"
	"time"
)

// Histogram counts times in classes: of 10 µs up to 10 ms, of 100 µs up to 100 ms,
// of 1 ms up to 2 s; what is longer is in the last one.
type Histogram struct {
	classes [3800]uint32
	n       uint64
	most    time.Duration
}

// The first class of each width, and the time where it begins.
const (
	fineClasses   = 1000
	middleClasses = 900
	fineEnd       = 10 * time.Millisecond
	middleEnd     = 100 * time.Millisecond
)

// Add counts a time. One below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	h.classes[class(d)]++
	h.n++
	h.most = max(h.most, d)
}

func class(d time.Duration) int {
	switch {
	case d < 0:
		return 0
	case d < fineEnd:
		return int(d / (10 * time.Microsecond))
	case d < middleEnd:
		return fineClasses + int((d-fineEnd)/(100*time.Microsecond))
	}
	return min(fineClasses+middleClasses+int((d-middleEnd)/time.Millisecond), len(Histogram{}.classes)-1)
}

// upper is where a class ends.
func upper(class int) time.Duration {
	switch {
	case class < fineClasses:
		return time.Duration(class+1) * 10 * time.Microsecond
	case class < fineClasses+middleClasses:
		return fineEnd + time.Duration(class-fineClasses+1)*100*time.Microsecond
	}
	return middleEnd + time.Duration(class-fineClasses-middleClasses+1)*time.Millisecond
}

// Quantile is the time that the share q of all times does not exceed, rounded up
// to the end of its class; 0 when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.n)))
	var sum uint64
	for i, n := range h.classes {
		if sum += uint64(n); sum >= rank && n > 0 {
			return min(upper(i), max(h.most, 0))
		}
	}
	return 0
}

// Times sums a Histogram up.
type Times struct {
	Count               uint64
	P50, P99, P999, Max time.Duration
}

// Times is the histogram in five numbers.
func (h *Histogram) Times() Times {
	return Times{Count: h.n, P50: h.Quantile(0.5), P99: h.Quantile(0.99), P999: h.Quantile(0.999), Max: max(h.most, 0)}
}
