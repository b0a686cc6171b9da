package flows

import (
	"fmt"
	"slices"
)

// keypad is what a caller in a menu can press: the menu's options, then the
// digit rules of the flow whose conditions hold. The conditions are read when
// the menu is presented, so that a key keeps its meaning until it is pressed.
type keypad struct {
	options *Patterns
	rules   *Patterns // nil outside a flow
	held    []holding // by rule
}

// Match makes keypad a Matcher.
func (k *keypad) Match(digits string) (hit, longer bool) {
	hit, longer = k.options.Match(digits)
	if k.rules == nil {
		return hit, longer
	}
	ruleHit, ruleLonger := k.rules.Match(digits)
	return hit || ruleHit, longer || ruleLonger
}

func (k *keypad) longest() int {
	if k.rules == nil {
		return k.options.Longest()
	}
	return max(k.options.Longest(), k.rules.Longest())
}

func (k *keypad) wants(key byte) bool {
	return k.options.Wants(key) || k.rules != nil && k.rules.Wants(key)
}

// toMenu presents a menu until it leads out. A menu that is being presented
// already is gone back to, not entered a second time.
func (w *walk) toMenu(t target) Outcome {
	m := w.env.Plan.menus[t.to]
	if m == nil {
		return missing("there is no IVR menu %s", t.to)
	}
	if slices.Contains(w.visits, m) {
		w.again = m.menu.ID
		return Outcome{Result: presentAgain}
	}
	w.left = append(w.left, m.menu.ID)
	w.visits = append(w.visits, m)
	out := w.present(m)
	for out.Result == presentAgain && w.again == m.menu.ID {
		if w.hops++; w.hops > maxHops {
			out = Outcome{Result: Failed, Detail: fmt.Sprintf("the menu was presented again and again, %d steps in all", maxHops)}
			break
		}
		out = w.present(m)
	}
	w.visits = w.visits[:len(w.visits)-1]
	return w.orFallback(out, m.menu.Fallback, Routing{Pattern: catchAllIs, Branch: Branch{menu: m.menu}})
}

// present presents a menu once and goes where the digits lead.
func (w *walk) present(m *menuPlan) Outcome {
	k := w.keypad(m)
	res := w.env.Caller.Menu(w.ctx, MenuRequest{Menu: fitted(m.menu, k), Match: k})
	said := hide(m.menu, res.Digits)
	detail := map[string]any{
		"menu_id": m.menu.ID, "reason": res.Reason, "attempts": res.Attempts, "barged_in": res.BargedIn, "duration_ms": res.DurationMS,
	}
	if res.Digits != "" {
		detail["digits"] = said
	}
	switch res.Reason {
	case MenuHangup, MenuCancelled:
		w.note(StepMenu, nil, fmt.Sprintf("menu %s: the caller left (%s)", m.menu.ID, res.Reason), detail)
		return Outcome{Result: Gone, Detail: res.Reason}
	case MenuNoInput:
		w.note(StepMenu, nil, fmt.Sprintf("menu %s: nothing was pressed in %s", m.menu.ID, count(res.Attempts, "attempt", "attempts")), detail)
		return Outcome{Result: NoInput, Detail: "nothing was pressed in menu " + m.menu.ID}
	case MenuInvalid:
		w.note(StepMenu, nil, fmt.Sprintf("menu %s: nothing valid was pressed in %s", m.menu.ID, count(res.Attempts, "attempt", "attempts")), detail)
		return Outcome{Result: InvalidInput, Detail: "nothing valid was pressed in menu " + m.menu.ID}
	}
	w.note(StepMenu, nil, fmt.Sprintf("menu %s: the caller pressed %s (%s)", m.menu.ID, said, res.Reason), detail)
	return w.choose(m, k, res.Digits)
}

// choose goes where digits lead: the menu's options first, then the flow's
// digit rules in order.
func (w *walk) choose(m *menuPlan, k *keypad, digits string) Outcome {
	last := Outcome{Result: InvalidInput, Detail: "no option and no rule matches what was pressed in menu " + m.menu.ID}
	if i, ok := k.options.Find(digits); ok {
		o := m.menu.Options[i]
		digit := hide(m.menu, o.Digit)
		because := fmt.Sprintf("option %s of menu %s", digit, m.menu.ID)
		w.note(StepOption, nil, because+" matches", map[string]any{"menu_id": m.menu.ID, "digit": digit})
		out := w.pursue(target{kind: o.DestinationType, to: o.Destination}, Routing{By: ByOption, Pattern: digit, Because: because, Branch: Branch{menu: m.menu, index: i}})
		if !out.Result.FallsBack() {
			return out
		}
		last = out
	}
	if k.rules == nil {
		return last
	}
	for i := range w.at.flow.Routing {
		if w.at.rules[i].catchAll {
			continue
		}
		if !w.tried(m.menu, i, digits, k.held[i]) {
			continue
		}
		why := w.ruleRouting(i, k.held[i].words("the caller pressed "+hide(m.menu, digits)))
		if m.menu.Sensitive {
			why.RuleIndex, why.Pattern = nil, hide(m.menu, why.Pattern)
		}
		out := w.withFallback(&w.at.flow.Routing[i], why)
		if !out.Result.FallsBack() {
			return out
		}
		last = out
	}
	return last
}

// tried tells whether digit rule i takes these digits, and notes why. For a
// sensitive menu nothing is noted: which rule matched would tell the digits.
func (w *walk) tried(m *IVRMenu, i int, digits string, h holding) bool {
	matches := w.at.patterns.matches(i, digits)
	switch {
	case m.Sensitive:
	case matches:
		w.noteRule(i, h, "matches "+digits)
	default:
		w.noteRule(i, holding{}, "does not match "+digits)
	}
	return matches && h.all
}

func (w *walk) keypad(m *menuPlan) *keypad {
	k := &keypad{options: m.patterns}
	if w.at == nil {
		return k
	}
	k.held = make([]holding, len(w.at.rules))
	w.decide()
	for i := range w.at.rules {
		if !w.at.rules[i].catchAll {
			k.held[i] = w.holding(i)
		}
	}
	k.rules = w.at.patterns.Only(func(i int) bool { return k.held[i].all })
	return k
}

// fitted is a copy of the menu with defaults, wide enough for the longest
// pattern in play, and with a finish key that no pattern needs for itself.
func fitted(m *IVRMenu, k *keypad) *IVRMenu {
	fit := *m
	fit.ApplyDefaults()
	fit.MaxDigits = max(fit.MaxDigits, k.longest())
	if key := *fit.FinishOnKey; key != "" && k.wants(key[0]) {
		none := ""
		fit.FinishOnKey = &none
	}
	return &fit
}

// hide keeps the digits of a sensitive menu out of everything told.
func hide(m *IVRMenu, digits string) string {
	if m.Sensitive && digits != "" {
		return "(hidden)"
	}
	return digits
}
