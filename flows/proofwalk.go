package flows

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// flow is walk.flow: the rules in order, for every set of menus that the call may
// have been in by then.
func (x *explorer) flow(f *flowPlan, s spot) (out []reach) {
	outer := s.left
	if len(s.visits) > 0 {
		s.left = ""
	}
	s.f, s.visits = f, nil
	looking := []reach{{kind: reachFailed, left: s.left}}
	for i := range f.rules {
		if !f.rules[i].catchAll || !x.held[f][i] {
			continue
		}
		r := &f.flow.Routing[i]
		var next []reach
		for _, before := range looking {
			if r.DestinationType == ToMenu && slices.Contains(split(before.left), r.Destination) {
				next = add(next, before)
				continue
			}
			s.left = before.left
			for _, now := range x.withFallback(r, fmt.Sprintf("rule %d", i), s) {
				if now = now.after(before); now.kind == reachFailed {
					next = add(next, now)
				} else {
					out = add(out, now)
				}
			}
		}
		looking = next
	}
	for _, r := range looking {
		if r.trail == nil {
			r.trail = step(leaf{text: "no rule takes the call"})
		}
		r.left = outer
		out = add(out, r)
	}
	return out
}

// withFallback is walk.withFallback.
func (x *explorer) withFallback(r *Rule, label string, s spot) []reach {
	ring := 0
	if r.Fallback != nil {
		ring = r.Fallback.Timeout
	}
	return x.orFallback(x.pursue(target{kind: r.DestinationType, to: r.Destination, ring: ring}, label, s), r.Fallback, label, s)
}

func (x *explorer) orFallback(list []reach, b *Fallback, label string, s spot) (out []reach) {
	for _, before := range list {
		if before.kind != reachFailed || b == nil {
			out = add(out, before)
			continue
		}
		s.left = before.left
		for _, now := range x.pursue(target{kind: b.Action, to: b.ActionID}, "fallback of "+label, s) {
			out = add(out, now.after(before))
		}
	}
	return out
}

// pursue is walk.pursue. What comes of a state is found once; one that leads back
// to itself without anybody pressing a key goes round until it is given up.
func (x *explorer) pursue(t target, label string, s spot) []reach {
	here := reach{tried: 1, trail: step(leaf{text: label + ": " + destinationWords(t.kind, t.to)})}
	key := fmt.Sprintf("%s %s %d|%s", t.kind, t.to, t.ring, s.key())
	list, known := x.known[key]
	if depth, circular := x.open[key]; circular {
		x.lowest = min(x.lowest, depth)
		list, known = []reach{{kind: reachEnded, end: EndLost, trail: step(leaf{text: fmt.Sprintf("and so on, until the call is given up after %d destinations", maxHops)})}}, true
	}
	if !known {
		x.states++
		if !x.may(1) {
			return nil
		}
		if len(x.open) > mostDepth {
			x.cut = cmp.Or(x.cut, fmt.Sprintf("there are more than %d destinations inside one another", mostDepth))
			return nil
		}
		outside := x.lowest
		depth := len(x.open)
		x.open[key], x.lowest = depth, depth
		list = x.visit(t, s)
		delete(x.open, key)
		if x.lowest >= depth {
			x.known[key] = list // it hangs on nothing that is still open
			x.lowest = outside
		} else {
			x.lowest = min(x.lowest, outside)
		}
	}
	x.work += len(list)
	out := make([]reach, len(list))
	for i, r := range list {
		out[i] = r.after(here)
	}
	return out
}

// visit is walk.visit, with everything that can come of it.
func (x *explorer) visit(t target, s spot) []reach {
	failed := func(result Result, seconds float64, text string) reach {
		return reach{kind: reachFailed, left: s.left, seconds: seconds, trail: step(leaf{text: text, to: t.to, result: result})}
	}
	absent := []reach{{kind: reachFailed, left: s.left, trail: step(leaf{text: "which is not there"})}}
	ended := func(end string, seconds float64, result Result) reach {
		return reach{kind: reachEnded, end: end, to: t.to, seconds: seconds, trail: step(leaf{text: endWords[end], to: t.to, result: result})}
	}
	switch t.kind {
	case ToMenu:
		if m := x.plan.menus[t.to]; m != nil {
			return x.menu(m, s)
		}
	case ToNumber, ToDevice, ToSIP:
		if t.kind == ToDevice && x.plan.devices[t.to] == nil && x.plan.byUsername[t.to] == nil {
			return absent
		}
		ring := time.Duration(t.ring) * time.Second
		if ring == 0 {
			ring = DefaultRing
		}
		return []reach{ended(EndPerson, answering.Seconds(), Connected), failed(NoAnswer, ring.Seconds(), "no answer")}
	case ToVoicemail:
		if x.plan.boxes[t.to] != nil {
			return []reach{ended(EndVoicemail, 0, Connected)}
		}
	case ToAccess:
		if !named(t.to) || x.plan.boxes[t.to] != nil {
			return []reach{ended(EndGoodbye, 0, Connected)}
		}
	case ToQueue, ToRingGroup:
		if q := x.plan.queueAt(t.kind, t.to); q != nil {
			return x.queue(q, t, s)
		}
	case ToWebhook:
		if s.webhooks == maxWebhooks {
			return []reach{failed("", 0, "too many webhooks in a row")}
		}
		return []reach{ended(EndWebhook, 0, Connected), failed(WebhookFailed, askingWebhook.Seconds(), "the webhook does not answer")}
	case ToFlow:
		if next := x.plan.flows[t.to]; next != nil && next.flow.Active {
			if s.handOver == maxHandOver {
				return []reach{failed("", 0, fmt.Sprintf("handed on %d times", maxHandOver))}
			}
			s.handOver++
			return x.flow(next, s)
		}
	case ToHangup, ToReject:
		return []reach{{kind: reachEnded, end: EndGoodbye, to: t.to, trail: step(leaf{text: endWords[EndGoodbye]})}}
	case ToSay:
		return x.say(t, s)
	case ToApplication:
		e := ended(EndApplication, 0, "")
		e.trail.leaf.to, e.trail.leaf.result = "application", Connected
		none := failed(NoAnswer, cmp.Or(time.Duration(t.ring)*time.Second, DefaultApplication).Seconds(), "no program takes the call over")
		none.trail.leaf.to = "application"
		return []reach{e, none}
	}
	return absent
}

var endWords = map[string]string{
	EndPerson: "answered", EndVoicemail: "leaves a message", EndGoodbye: "the call is ended, as the flow says",
	EndApplication: "a program takes the call over", EndWebhook: "the webhook decides",
}

// queue is walk.queue: somebody answers, or the time is up and the overflow comes
// before the fallback of the rule.
func (x *explorer) queue(q *Queue, t target, s spot) []reach {
	none := reach{kind: reachFailed, left: s.left, seconds: float64(q.MaxWait), trail: step(leaf{text: "nobody answers", to: t.to, result: QueueTimeout})}
	if t.kind == ToRingGroup {
		none.seconds = float64(q.RingTimeout * rounds(q))
	}
	var out []reach
	switch {
	case len(q.Members) > 0:
		out = append(out, reach{kind: reachEnded, end: EndPerson, to: t.to, seconds: answering.Seconds(), trail: step(leaf{text: endWords[EndPerson], to: t.to, result: Connected})})
	case !q.JoinWhenEmpty:
		none.seconds, none.trail.leaf.text, none.trail.leaf.result = 0, "the queue is empty", QueueEmpty
	}
	return append(out, x.orFallback([]reach{none}, q.Overflow, "queue "+q.ID, s)...)
}

// say is walk.say.
func (x *explorer) say(t target, s spot) []reach {
	r := reach{kind: reachEnded, end: EndGoodbye, seconds: spoken(t.to), trail: step(leaf{text: "spoken to the end"})}
	if len(s.visits) > 0 {
		r.kind, r.end, r.menu, r.left = reachAgain, "", s.visits[len(s.visits)-1], s.left
	}
	return []reach{r}
}

// menu is walk.toMenu: it is presented until it leads out. How often a caller
// comes back to it makes no difference but to the menus that were left meanwhile.
func (x *explorer) menu(m *menuPlan, s spot) (out []reach) {
	if slices.Contains(s.visits, m) {
		return []reach{{kind: reachAgain, menu: m, left: s.left, trail: step(leaf{text: "presented again"})}}
	}
	inside := s
	inside.visits = append(slices.Clone(s.visits), m)
	inside.left = leave(s.left, m.menu.ID)
	rounds := []reach{{left: inside.left}}
	var all []reach
	for n := 0; n < len(rounds); n++ {
		inside.left = rounds[n].left
		for _, r := range x.present(m, inside) {
			r = r.after(rounds[n])
			if r.kind != reachAgain || r.menu != m {
				all = add(all, r)
				continue
			}
			if x.circle == nil {
				x.circle = join2(step(leaf{text: "IVR menu " + m.menu.ID}), r.trail)
			}
			if !slices.ContainsFunc(rounds, func(o reach) bool { return o.left == r.left }) {
				rounds = append(rounds, r)
			}
		}
	}
	return x.orFallback(all, m.menu.Fallback, "IVR menu "+m.menu.ID, s)
}

// present is walk.present: silence, wrong keys, and every kind of right ones.
// Silence and wrong keys lead to the same; silence takes longer.
func (x *explorer) present(m *menuPlan, s spot) (out []reach) {
	fit := fitted(m.menu, &keypad{options: m.patterns})
	tries := float64(fit.MaxAttempts)
	silence := reach{kind: reachFailed, left: s.left,
		seconds: tries*(spoken(fit.Prompt)+float64(fit.Timeout)) + (tries-1)*spoken(fit.NoInputPrompt) + spoken(fit.ExitPrompt),
		trail:   step(leaf{text: "nothing is pressed in " + count(fit.MaxAttempts, "attempt", "attempts"), script: make([]string, fit.MaxAttempts)})}
	out = add(out, silence)
	for _, c := range x.classes(m, s.f) {
		before := reach{seconds: float64(len(c.digits)) * pressing.Seconds(), left: s.left,
			trail: step(leaf{text: "the caller presses " + hide(m.menu, c.digits), script: []string{c.digits}})}
		if c.waits {
			before.seconds += float64(fit.InterDigitTimeout)
		}
		for _, r := range x.choose(m, s, c) {
			out = add(out, r.after(before))
		}
	}
	return out
}

// choose is walk.choose.
func (x *explorer) choose(m *menuPlan, s spot, c keying) (out []reach) {
	looking := []reach{{kind: reachFailed, left: s.left}}
	try := func(to func(spot) []reach) {
		var next []reach
		for _, before := range looking {
			s.left = before.left
			for _, r := range to(s) {
				if r = r.after(before); r.kind == reachFailed {
					next = add(next, r)
				} else {
					out = add(out, r)
				}
			}
		}
		looking = next
	}
	if c.option >= 0 {
		o := m.menu.Options[c.option]
		try(func(s spot) []reach {
			return x.pursue(target{kind: o.DestinationType, to: o.Destination}, "option "+hide(m.menu, o.Digit), s)
		})
	}
	for _, i := range c.rules {
		label := fmt.Sprintf("rule %d", i)
		if m.menu.Sensitive {
			label = "a rule"
		}
		try(func(s spot) []reach { return x.withFallback(&s.f.flow.Routing[i], label, s) })
	}
	for _, r := range looking {
		out = add(out, r)
	}
	return out
}
