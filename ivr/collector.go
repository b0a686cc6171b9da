package ivr

import (
	"strings"

	"b2bua/flows"
)

// Rules are what a Collector collects by.
type Rules struct {
	MinDigits   int // default 1
	MaxDigits   int // default 1
	FinishOnKey string
	ValidDigits string        // empty: all keys
	Match       flows.Matcher // nil: any digits
}

// Collector is the pure machine that turns keys and the end of the digit timer
// into an answer. It neither waits nor plays; each attempt has its own.
type Collector struct {
	rules      Rules
	digits     []byte
	terminator string
	reason     string // why it is done; one of the flows.Menu reasons
}

// NewCollector begins an attempt.
func NewCollector(r Rules) *Collector {
	r.MinDigits = max(r.MinDigits, 1)
	r.MaxDigits = max(r.MaxDigits, r.MinDigits)
	return &Collector{rules: r}
}

// Digits is what was collected so far, without the finish key.
func (c *Collector) Digits() string { return string(c.digits) }

// Terminator is the finish key that was pressed, if one was.
func (c *Collector) Terminator() string { return c.terminator }

// Reason is why the attempt is over, empty while it goes on.
func (c *Collector) Reason() string { return c.reason }

// Press takes a key and tells whether the attempt is over.
func (c *Collector) Press(key byte) (done bool) {
	switch {
	case c.reason != "":
	case strings.IndexByte(c.rules.FinishOnKey, key) >= 0:
		c.terminator = string(key)
		c.settle(flows.MenuFinishKey)
	case c.rules.ValidDigits != "" && strings.IndexByte(c.rules.ValidDigits, key) < 0:
		c.digits = append(c.digits, key)
		c.reason = flows.MenuInvalid
	default:
		c.digits = append(c.digits, key)
		c.decide()
	}
	return c.reason != ""
}

// Expire tells that the time for the next key is up: the timeout before the
// first, the inter-digit timeout after it.
func (c *Collector) Expire() {
	switch {
	case c.reason != "":
	case len(c.digits) == 0:
		c.reason = flows.MenuNoInput
	default:
		c.settle(flows.MenuInterDigitTimeout)
	}
}

// decide ends the attempt as soon as more keys could not change the answer.
func (c *Collector) decide() {
	n := len(c.digits)
	if c.rules.Match == nil {
		if n >= c.rules.MaxDigits {
			c.reason = flows.MenuMaxDigits
		}
		return
	}
	hit, longer := c.rules.Match.Match(string(c.digits))
	switch {
	case !hit && !longer:
		c.reason = flows.MenuInvalid
	case hit && !longer && n >= c.rules.MinDigits:
		c.reason = flows.MenuMatched
	case n >= c.rules.MaxDigits:
		c.settle(flows.MenuMaxDigits)
	}
}

// settle ends the attempt with what there is: for reason when that is an
// answer, as invalid when it is none.
func (c *Collector) settle(reason string) {
	c.reason = reason
	if len(c.digits) < c.rules.MinDigits {
		c.reason = flows.MenuInvalid
		return
	}
	if c.rules.Match == nil {
		return
	}
	if hit, _ := c.rules.Match.Match(string(c.digits)); !hit {
		c.reason = flows.MenuInvalid
	}
}
