package flows

import "fmt"

// The kinds of nouns that Warnings knows.
const (
	KindFlow   = "call_flow"
	KindMenu   = "ivr_menu"
	KindNumber = "phone_number"
	KindDevice = "device"
	KindBox    = "voicemail_box"
	KindTrunk  = "trunk"
	KindQueue  = "queue"
	KindPrompt = "prompt"
)

// Warnings tells what about a noun was accepted but will not work as the plan
// stands: destinations that do not exist yet, rules that no call comes to, and
// whatever else can be found by thinking. It is found once for each plan.
func (p *Plan) Warnings(kind, id string) []Warning {
	key := kind + " " + id
	if known, ok := p.warned.Load(key); ok {
		return known.([]Warning)
	}
	list := p.warnings(kind, id)
	p.warned.Store(key, list)
	return list
}

func (p *Plan) warnings(kind, id string) []Warning {
	switch kind {
	case KindFlow:
		if f := p.flows[id]; f != nil {
			return p.flowWarnings(f)
		}
	case KindMenu:
		if m := p.menus[id]; m != nil {
			return p.menuWarnings(m)
		}
	case KindNumber:
		if n := p.numbers[id]; n != nil && n.CallFlowID != "" && p.flows[n.CallFlowID] == nil {
			return []Warning{{Path: "call_flow_id", Code: WarnFlowMissing, Fix: "create it, or assign another", Message: fmt.Sprintf("there is no call flow %q yet; until there is, calls to %s take the default call flow", n.CallFlowID, n.Number)}}
		}
	case KindQueue:
		if q := p.queues[id]; q != nil {
			return p.queueWarnings(q)
		}
	case KindBox:
		if b := p.boxes[id]; b != nil {
			return p.boxWarnings(b)
		}
	case KindPrompt:
		if x := p.prompts[id]; x != nil && x.Problem != "" {
			return []Warning{{Path: x.Source, Code: WarnNoSound, Fix: "save it again once that is mended", Message: x.Problem}}
		}
	case KindDevice:
		if d := p.devices[id]; d != nil && d.VoicemailBoxID != "" && p.boxes[d.VoicemailBoxID] == nil {
			return []Warning{{Path: "voicemail_box_id", Code: WarnBoxMissing, Fix: "create it, or choose another", Message: fmt.Sprintf("there is no voicemail box %q yet", d.VoicemailBoxID)}}
		}
	case KindTrunk:
		if t := p.Trunk(id); t != nil && t.SRTP == SRTPRequired && t.Outbound != nil && !t.Outbound.Private() {
			return []Warning{{Path: "srtp", Code: WarnKeysInClear, Fix: "reach this trunk by TLS: give transport tls",
				Message: "the keys of the sound travel in the SIP messages, and those are not encrypted: whoever reads them hears the calls"}}
		}
	}
	return nil
}

// boxWarnings tells what a box names that is not there.
func (p *Plan) boxWarnings(b *VoicemailBox) []Warning {
	l := newLint(p)
	dark := func(path, device string) {
		if device != "" && p.devices[device] == nil {
			l.add(path, WarnDeviceMissing, "create it, or choose another", "there is no device %q yet, so its lamp tells nobody of new messages", device)
		}
	}
	dark("mwi_device", b.MWIDevice)
	for i, device := range b.MWIDevices {
		dark(fmt.Sprintf("mwi_devices[%d]", i), device)
	}
	if o := b.Operator; o != nil {
		where := []place{{"operator.destination", o.DestinationType, o.Destination}}
		l.missing(where[0])
		l.reachable(where)
	}
	l.missingPrompts(b.Spoken())
	return l.list
}

func (p *Plan) flowWarnings(f *flowPlan) []Warning {
	l := newLint(p)
	if f.flow.Active && f.flow.PhoneNumber == "" && p.fallback != nil && p.fallback != f.flow {
		l.add("phone_number", WarnFurtherDefaultFlow, "give it a phone_number, or assign it to numbers",
			"this call flow has no phone_number, and the older call flow %q already takes all calls without a flow of their own; this one takes calls only for numbers assigned to it in /v2/phone-numbers",
			p.fallback.ID)
	}
	arrival := false
	for _, d := range f.places(false) {
		l.missing(d)
	}
	for i, r := range f.flow.Routing {
		arrival = arrival || f.rules[i].catchAll
		if c := r.Conditions; c != nil && c.Calendar != "" && p.calendars[c.Calendar] == nil {
			l.add(at("routing", i, "conditions.calendar"), WarnCalendarMissing, "create the calendar, or name another",
				"there is no calendar %q yet; until there is, the rule never holds", c.Calendar)
		}
		if !f.rules[i].catchAll && !presentsMenu(f.flow) {
			l.add(at("routing", i, "pattern"), WarnNeverReached, "add a rule with the pattern * that leads to an ivr_menu",
				"the pattern %s waits for digits, but no rule of this call flow leads to an ivr_menu, which would ask for them", r.Pattern)
		}
	}
	if !arrival {
		l.add("routing", WarnNoCatchAll, "add a rule with the pattern *",
			"no rule has the pattern *, so no rule takes part when a call arrives, and every call fails")
	}
	l.reachable(f.places(false))
	l.circles(f)
	l.rules(f)
	l.waits(f)
	return l.list
}

// presentsMenu says whether the flow can lead to a menu; what a webhook will
// answer is not known.
func presentsMenu(f *CallFlow) bool {
	for _, r := range f.Routing {
		if r.DestinationType == ToMenu || r.DestinationType == ToWebhook {
			return true
		}
		if fb := r.Fallback; fb != nil && (fb.Action == ToMenu || fb.Action == ToWebhook) {
			return true
		}
	}
	return false
}

func (p *Plan) menuWarnings(m *menuPlan) []Warning {
	l := newLint(p)
	for _, d := range m.places() {
		l.missing(d)
	}
	l.reachable(m.places())
	l.menuCircle(m)
	l.options(m)
	l.prompt(m)
	l.missingPrompts(m.menu.Spoken())
	return l.list
}

// missing tells of a destination that does not exist yet.
func (l *lint) missing(d place) {
	switch {
	case d.kind == ToFlow && l.plan.flows[d.to] != nil:
	case !l.exists(d.kind, d.to):
		l.add(d.path, WarnDestinationMissing, "create it, or name another", "there is no %s %q yet; until there is, calls go on to the fallback or the next rule, with the reason destination_missing", nameOf(d.kind), d.to)
	}
}

// PlainWebhooks tells every webhook of the flow that is called without TLS: to
// be refused at save where private webhooks are not allowed.
func (f *CallFlow) PlainWebhooks() Problems {
	var problems Problems
	for i, r := range f.Routing {
		at := fmt.Sprintf("routing[%d]", i)
		problems.checkPlain(r.DestinationType, r.Destination, at+".destination")
		if r.Fallback != nil {
			problems.checkPlain(r.Fallback.Action, r.Fallback.ActionID, at+".fallback.action_id")
		}
	}
	return problems
}

// PlainWebhooks tells every webhook of the menu that is called without TLS.
func (m *IVRMenu) PlainWebhooks() Problems {
	var problems Problems
	for i, o := range m.Options {
		problems.checkPlain(o.DestinationType, o.Destination, fmt.Sprintf("options[%d].destination", i))
	}
	if m.Fallback != nil {
		problems.checkPlain(m.Fallback.Action, m.Fallback.ActionID, "fallback.action_id")
	}
	return problems
}

// PlainWebhooks tells every webhook of the queue that is called without TLS.
func (q *Queue) PlainWebhooks() Problems {
	var problems Problems
	if q.Overflow != nil {
		problems.checkPlain(q.Overflow.Action, q.Overflow.ActionID, "overflow.action_id")
	}
	return problems
}

func (p *Problems) checkPlain(kind DestinationType, to, path string) {
	if kind == ToWebhook && isPlain(to) {
		p.add(path, "%q is not an https URL; write it as https://example.com/calls, or allow private webhooks in the configuration", shorten(to))
	}
}
