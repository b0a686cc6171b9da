package audio

import (
	"math"
	"sync"
)

// Design of the prototype low-pass. The stop band begins at the Nyquist
// frequency of the lower rate; telephone speech ends at 85 % of it (3400 Hz).
const (
	stopDecibels = 100.0   // designed; at least 90 is promised
	passEdge     = 0.85    // of the lower Nyquist frequency
	maxPhases    = 1280    // bounds the table for odd ratios such as 44101:8000
	maxBanks     = 64      // tables kept
	maxKept      = 1 << 16 // coefficients of a table that is kept; 44100:8000 has 38000
)

// filterBank is the prototype filter cut into its up phases. It is immutable.
type filterBank struct {
	up, down int
	taps     int // per phase, a multiple of four
	delay    int // of the prototype, in 1/up of an input sample
	phases   [][]float32
}

var banks = struct {
	sync.Mutex
	byRatio map[[2]int]*filterBank
}{byRatio: map[[2]int]*filterBank{}}

// bankFor gives the table of a ratio. Those of the usual rates are shared; large
// ones, of odd rates, go when their resampler goes.
func bankFor(from, to int) *filterBank {
	up, down := ratio(to, from)
	key := [2]int{up, down}
	banks.Lock()
	b := banks.byRatio[key]
	banks.Unlock()
	if b != nil {
		return b
	}
	// Made outside the lock: another who wants the same one now makes it too,
	// and nobody else waits.
	b = newFilterBank(up, down)
	if up*b.taps > maxKept {
		return b
	}
	banks.Lock()
	defer banks.Unlock()
	if have := banks.byRatio[key]; have != nil {
		return have
	}
	if len(banks.byRatio) >= maxBanks {
		for some := range banks.byRatio {
			delete(banks.byRatio, some)
			break
		}
	}
	banks.byRatio[key] = b
	return b
}

// ratio is to/from in lowest terms or, where the upper term would be over
// maxPhases, its best approximation by continued fractions (below 2 ppm off).
func ratio(to, from int) (up, down int) {
	p0, q0, p1, q1 := 0, 1, 1, 0
	for n, d := to, from; d != 0; n, d = d, n%d {
		a := n / d
		p2, q2 := a*p1+p0, a*q1+q0
		if (p2 > maxPhases || q2 > maxPhases*64) && p1 > 0 {
			break
		}
		p0, q0, p1, q1 = p1, q1, p2, q2
	}
	return p1, q1
}

func newFilterBank(up, down int) *filterBank {
	// Everything is in units of the prototype's rate, up times the input rate.
	nyquist := 0.5 / float64(max(up, down))
	width := nyquist * (1 - passEdge)
	cutoff := nyquist - width/2
	// Kaiser: length for the attenuation and width, beta for the attenuation.
	length := (stopDecibels - 7.95) / (14.36 * width)
	beta := 0.1102 * (stopDecibels - 8.7)

	taps := (int(math.Ceil(length/float64(up))) + 4) / 4 * 4
	n := taps * up
	// An odd number of coefficients keeps the delay a whole number.
	if n%2 == 0 {
		n--
	}
	b := &filterBank{up: up, down: down, taps: taps, delay: (n - 1) / 2, phases: make([][]float32, up)}
	flat := make([]float32, up*taps)
	for p := range b.phases {
		b.phases[p] = flat[p*taps : (p+1)*taps]
	}
	centre := float64(b.delay)
	for i := range n {
		x := float64(i) - centre
		w := bessel0(beta*math.Sqrt(max(0, 1-x*x/(centre*centre)))) / bessel0(beta)
		// Coefficient i serves phase i%up, the (i/up)-th newest input.
		b.phases[i%up][taps-1-i/up] = float32(w * sinc(2*cutoff*x) * 2 * cutoff * float64(up))
	}
	return b
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of the first kind, order zero.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
