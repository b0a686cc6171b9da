package phone

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// How long a digit of SendDigits lasts, and the pause behind it.
const (
	DigitLength = 100 * time.Millisecond
	DigitGap    = 60 * time.Millisecond
)

// zeroDBm0 is the peak of a sine of 0 dBm0: full scale is +3.14 dBm0 (ITU-T
// G.711, A-law).
var zeroDBm0 = 32768 * math.Pow(10, -3.14/20)

// SendDigits presses keys, one after the other, as RFC 4733 events, and waits
// until the last was sent.
func (c *Call) SendDigits(ctx context.Context, digits string) error {
	return c.SendDigitsTimed(ctx, digits, DigitLength, DigitGap)
}

// SendDigitsTimed is SendDigits with other times; both are rounded up to 20 ms.
func (c *Call) SendDigitsTimed(ctx context.Context, digits string, length, gap time.Duration) error {
	var last *job
	for _, d := range strings.ToUpper(digits) {
		symbol := strings.IndexRune(symbols, d)
		if symbol < 0 {
			return fmt.Errorf("no key %q", d)
		}
		last = &job{symbol: symbol, length: length, gap: gap}
		c.audio.say(last)
	}
	if last == nil {
		return nil
	}
	return c.said(ctx, last)
}

// SendTone says a sine tone after what is being said, without waiting. level is
// in dBm0.
func (c *Call) SendTone(freq, level float64, length time.Duration) {
	pcm := make([]int16, int(length*rate/time.Second))
	peak := zeroDBm0 * math.Pow(10, level/20)
	for i := range pcm {
		pcm[i] = int16(math.Round(peak * math.Sin(2*math.Pi*freq*float64(i)/rate)))
	}
	c.PlayClip(pcm)
}

// PlayClip says 8 kHz sound after what is being said, without waiting.
func (c *Call) PlayClip(pcm []int16) {
	if len(pcm) > 0 {
		c.audio.say(&job{symbol: -1, sound: slices.Clone(pcm)})
	}
}

// Drain waits until everything was said.
func (c *Call) Drain(ctx context.Context) error {
	c.audio.mu.Lock()
	var last *job
	if n := len(c.audio.jobs); n > 0 {
		last = c.audio.jobs[n-1]
	}
	c.audio.mu.Unlock()
	if last == nil {
		return nil
	}
	return c.said(ctx, last)
}

func (c *Call) said(ctx context.Context, j *job) error {
	select {
	case <-j.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-c.audio.quit:
		return c.ended()
	default:
		return nil
	}
}

// Heard is the 8 kHz sound heard so far, from the first packet on, as the RTP
// timestamps lay it out. Gaps are zeros.
func (c *Call) Heard() []int16 {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return slices.Clone(c.audio.heard.pcm)
}

// Forget drops what was heard: the time line begins anew with the next packet.
func (c *Call) Forget() {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	h := &c.audio.heard
	*h = hearing{types: h.types, event: h.event, stats: Stats{Sent: h.stats.Sent}}
}

// Digits are the symbols of the RFC 4733 digits heard.
func (c *Call) Digits() string {
	var b strings.Builder
	for _, d := range c.DigitEvents() {
		b.WriteByte(d.Symbol)
	}
	return b.String()
}

// DigitEvents are the RFC 4733 digits heard.
func (c *Call) DigitEvents() []Digit {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return slices.Clone(c.audio.heard.digits)
}

// Stats are about the RTP packets so far.
func (c *Call) Stats() Stats {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.heard.stats
}
