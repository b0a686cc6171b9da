package call

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2bua/dtmf"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/media"
)

// pressed handles a key of either party. The caller's keys wait in the keypad
// for whoever asks next (type-ahead), but not while the caller talks to
// somebody: those keys are for the other party, who has been sent them.
func (c *Call) pressed(l *leg, d dtmf.Digit) {
	if c.ending != nil || d.Symbol == dtmf.Flash {
		return // a hook flash is no key
	}
	if p := c.waits.pollOf(l); p != nil { // a member who has not taken the caller yet
		p.pressed(d.Symbol)
		return
	}
	if l == c.caller && c.peer == nil {
		if c.plan.KeepsSecrets() && !c.control.active {
			// Typed ahead, it may be a digit of a PIN that is not asked for yet:
			// it is told when it is known who takes it.
			c.keys.Hold(d, func() { c.loop.Post(func() { c.tellKey(d) }) })
			return
		}
		c.keys.Press(d)
	}
	c.tellKey(d)
}

// tellKey tells a key, unless it is for nobody to know.
func (c *Call) tellKey(d dtmf.Digit) {
	if c.secret || c.ending != nil {
		return
	}
	c.tell(&events.DTMF{Digit: string(rune(d.Symbol)), DurationMS: d.Duration.Milliseconds(), Method: d.Method}, c.now())
}

// info handles an INFO request that carries a key (application/dtmf-relay or
// application/dtmf). The leg's sound knows whether the key has come in another
// way already, and whom else to send it to.
func (c *Call) info(l *leg, contentType string, body []byte) {
	d, err := dtmf.ParseInfo(contentType, body)
	if err != nil {
		c.log.Debug("info without a digit", "leg", l.name, "err", err)
		return
	}
	l.infoType = dtmf.ContentType(contentType)
	l.sound.HearDigit(d)
}

// digitsOf is how digits travel between us and who stands behind a leg.
func (c *Call) digitsOf(l *leg) string {
	if t := c.plan.Trunk(l.account.trunk); t != nil {
		return t.DTMF
	}
	if d := c.plan.Device(l.account.device); d != nil {
		return d.DTMF
	}
	return ""
}

// bySignalling takes the digits for a far end that wants them by SIP INFO; nil
// when it does not. It gets them in the content type that it uses itself.
func (l *leg) bySignalling(digits string) func(dtmf.Digit) {
	if digits != media.DigitsInfo {
		return nil
	}
	return func(d dtmf.Digit) {
		l.post(func() {
			if !l.over && l.sig != nil {
				l.sig.Info(dtmf.InfoBody(l.infoType, d))
			}
		})
	}
}

// DigitsRequest asks for digits to be sent to a party.
type DigitsRequest struct {
	Digits        string
	To            string // caller, callee, or empty: whom the caller talks to, else the caller
	Duration, Gap time.Duration
}

// SendDigits sends digits to a party, as it takes them: events, tones or INFO.
// It comes back when they wait to be sent.
func (c *Call) SendDigits(ctx context.Context, r DigitsRequest) error {
	return c.command(ctx, func() error {
		no := func(state, need string) error { return &StateError{State: state, Verb: "send-dtmf", Need: need} }
		to, name := c.caller, byCaller
		if r.To == byCallee || r.To == "" && c.peer != nil {
			to, name = c.peer, byCallee
		}
		switch {
		case !c.caller.answered:
			return no(c.record.Status, "answer the call first")
		case to == nil:
			return no("not bridged", "there is no callee yet; send to the caller, or wait until somebody answers")
		}
		switch err := to.sound.SendDigits(r.Digits, r.Duration, r.Gap); {
		case errors.Is(err, media.ErrNotNegotiated):
			return no("silent", "wait until there is sound to that party")
		case err != nil:
			return no("sending digits", "wait until those are sent")
		}
		c.note(flows.Step{Kind: "send-dtmf", Text: fmt.Sprintf("the API sends %d digits to the %s", len(r.Digits), name)})
		return nil
	})
}

// across is the party that l talks to.
func (c *Call) across(l *leg) *leg {
	switch {
	case c.peer == nil:
		return nil
	case l == c.caller:
		return c.peer
	case l == c.peer:
		return c.caller
	}
	return nil
}
