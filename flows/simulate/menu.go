package simulate

import (
	"context"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
)

// keyTime is between two keys of a caller who types.
const keyTime = 300 * time.Millisecond

// Menu presents a menu as ivr does: silence and wrong input are counted apart,
// keys typed ahead survive from menu to menu, and the rest of a wrong answer is
// thrown away.
func (c *caller) Menu(_ context.Context, r flows.MenuRequest) flows.MenuResult {
	c.answer(r.Menu.ID)
	began := c.now
	if r.Menu.FlushBuffer {
		c.keys = ""
	}
	res := flows.MenuResult{}
	said := []string{r.Menu.Prompt}
	for noInput, invalid := 0, 0; ; {
		res.Attempts++
		col, barged, left := c.attempt(r, said)
		res.Digits, res.Terminator, res.Reason, res.BargedIn = col.Digits(), col.Terminator(), col.Reason(), barged
		again := ""
		switch {
		case left:
			c.leave()
			res.Reason = flows.MenuHangup
		case res.Reason == flows.MenuNoInput:
			noInput++
			again = r.Menu.NoInputPrompt
		case res.Reason == flows.MenuInvalid:
			invalid++
			again, c.keys = r.Menu.InvalidPrompt, ""
		}
		over := left || res.Reason != flows.MenuNoInput && res.Reason != flows.MenuInvalid
		if !over && max(noInput, invalid) >= r.Menu.MaxAttempts {
			c.speak(r.Menu.ExitPrompt)
			over = true
		}
		if over {
			break
		}
		said = []string{again, r.Menu.Prompt}
	}
	res.DurationMS = c.now.Sub(began).Milliseconds()
	c.gathered(r.Menu, res)
	return res
}

// attempt is one time that the caller is asked. Keys that were typed ahead are
// read first; without any, the next entry of the script is pressed while the
// prompt is played, or after it.
func (c *caller) attempt(r flows.MenuRequest, said []string) (col *ivr.Collector, barged, left bool) {
	m := r.Menu
	col = ivr.NewCollector(ivr.Rules{MinDigits: m.MinDigits, MaxDigits: m.MaxDigits, FinishOnKey: *m.FinishOnKey,
		ValidDigits: m.ValidDigits, Match: r.Match})
	entry := ""
	if c.keys == "" && len(c.script) > 0 {
		entry, c.script = c.script[0], c.script[1:]
	}
	if entry == flows.GivenHangup {
		c.speak(said...)
		return col, false, true
	}
	if barged = (c.keys != "" || entry != "") && *m.BargeIn; !barged {
		c.speak(said...)
	}
	if !*m.BargeIn && m.FlushBuffer {
		c.keys = ""
	}
	for c.keys += entry; c.keys != "" && col.Reason() == ""; c.keys = c.keys[1:] {
		c.pass(keyTime)
		c.pressed(m, c.keys[0])
		col.Press(c.keys[0])
	}
	if col.Reason() == "" {
		wait := m.InterDigitTimeout
		if col.Digits() == "" {
			wait = m.Timeout
		}
		c.pass(time.Duration(wait) * time.Second)
		col.Expire()
	}
	return col, barged, false
}

func (c *caller) pressed(m *flows.IVRMenu, key byte) {
	if !m.Sensitive {
		c.tell(&events.DTMF{Digit: string(key), DurationMS: 100, Method: "rfc4733"})
	}
}

func (c *caller) gathered(m *flows.IVRMenu, r flows.MenuResult) {
	if m.Sensitive {
		r.Digits = ""
	}
	c.tell(&events.Gathered{MenuID: m.ID, Digits: r.Digits, Terminator: r.Terminator, Reason: r.Reason,
		Attempts: r.Attempts, BargedIn: r.BargedIn, DurationMS: r.DurationMS})
}

// unused is what was never asked for.
func (c *caller) unused() string {
	rest := c.script
	if c.keys != "" {
		rest = append([]string{c.keys}, rest...)
	}
	return strings.Join(rest, ",")
}
