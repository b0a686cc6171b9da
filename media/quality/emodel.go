package quality

import (
	"math"
	"strings"
	"time"
)

// Conditions are what is known of one direction of a stream.
type Conditions struct {
	// Codec is its name in descriptions.
	Codec string
	// Delay is that from mouth to ear.
	Delay time.Duration
	// Loss is the part of the packets that was not heard, 0 to 1: lost or too late.
	Loss float64
	// Burst is how much longer the losses are in a row than they would be by
	// chance (BurstR of G.107 §7.1.3); 1, or less, for losses by chance.
	Burst float64
	// Concealed: what is missing is made up for.
	Concealed bool
}

// Values of G.107 table 3 that follow from its defaults: the basic signal-to-noise
// ratio Ro and the simultaneous impairment Is. Without delay and loss they give the
// rating of 93.2 that the standard names.
const (
	signalToNoise = 94.7688
	simultaneous  = 1.4136
)

// Rating is the transmission rating factor R, of 0 to 100 (G.107 §7.1):
// R = Ro − Is − Id − Ie,eff, with an advantage factor of 0.
func (c Conditions) Rating() float64 {
	r := signalToNoise - simultaneous - delayImpairment(c.Delay) - c.lossImpairment()
	return min(max(r, 0), 100)
}

// MOS is the estimated mean opinion score, of 1 to 4.5 (G.107 annex B).
func (c Conditions) MOS() float64 {
	r := c.Rating()
	if r <= 6.5 { // below, the cubic falls under 1
		return 1
	}
	return min(max(1+0.035*r+r*(r-60)*(100-r)*7e-6, 1), 4.5)
}

// delayImpairment is Id (G.107 §7.4) for one way of d, of whose round trip echo
// comes: Idte for the talker's, Idle for the listener's, Idd for the wait itself.
// The echo is that of telephones at the standard's defaults: a talker echo
// loudness rating of 65 dB and a weighted echo path loss of 110 dB.
func delayImpairment(d time.Duration) float64 {
	const (
		telr, wepl = 65, 110
		roe        = -1.5 * (-61.18 - 2) // −1.5·(No − RLR)
	)
	t := max(float64(d)/float64(time.Millisecond), 0)
	terv := telr - 40*math.Log10((1+t/10)/(1+t/150)) + 6*math.Exp(-0.3*t*t)
	re := 80 + 2.5*(terv-14)
	idte := ((roe-re)/2 + math.Sqrt((roe-re)*(roe-re)/4+100) - 1) * (1 - math.Exp(-t))
	rle := 10.5 * (wepl + 7) * math.Pow(2*t+1, -0.25)
	idle := (signalToNoise-rle)/2 + math.Sqrt((signalToNoise-rle)*(signalToNoise-rle)/4+169)
	idd := 0.0
	if t > 100 {
		x := math.Log2(t / 100)
		idd = 25 * (math.Pow(1+math.Pow(x, 6), 1.0/6) - 3*math.Pow(1+math.Pow(x/3, 6), 1.0/6) + 2)
	}
	return idte + idle + idd
}

// lossImpairment is Ie,eff (G.107 §7.5): Ie + (95 − Ie)·Ppl/(Ppl/BurstR + Bpl), with
// an Ie of 0 for all codecs we have: see robustness.
func (c Conditions) lossImpairment() float64 {
	ppl := 100 * min(max(c.Loss, 0), 1)
	return 95 * ppl / (ppl/max(c.Burst, 1) + c.robustness())
}

// robustness is how well a codec stands losses, Bpl (G.113 appendix I). The appendix
// has G.711 with and without concealment. It has none of the others on this scale,
// which knows no sound above 3.4 kHz: they are taken as G.711 is, and Opus, whose
// packets hold a copy of those before them, for somewhat more robust.
func (c Conditions) robustness() float64 {
	switch {
	case !c.Concealed:
		return 4.3
	case strings.EqualFold(c.Codec, "opus"):
		return 34
	}
	return 25.1
}
