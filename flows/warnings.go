package flows

import "fmt"

// The kinds of nouns that Warnings knows.
const (
	KindFlow   = "call_flow"
	KindMenu   = "ivr_menu"
	KindNumber = "phone_number"
	KindDevice = "device"
)

// Warnings tells what about a noun was accepted but will not work as the plan
// stands: above all destinations that do not exist yet.
func (p *Plan) Warnings(kind, id string) []Warning {
	switch kind {
	case KindFlow:
		if f := p.flows[id]; f != nil {
			return p.flowWarnings(f)
		}
	case KindMenu:
		if m := p.Menu(id); m != nil {
			return p.menuWarnings(m)
		}
	case KindNumber:
		if n := p.numbers[id]; n != nil && n.CallFlowID != "" && p.flows[n.CallFlowID] == nil {
			return []Warning{{"call_flow_id", WarnFlowMissing,
				fmt.Sprintf("there is no call flow %q yet; until there is, calls to %s take the default call flow", n.CallFlowID, n.Number)}}
		}
	case KindDevice:
		if d := p.devices[id]; d != nil && d.VoicemailBoxID != "" && p.boxes[d.VoicemailBoxID] == nil {
			return []Warning{{"voicemail_box_id", WarnBoxMissing, fmt.Sprintf("there is no voicemail box %q yet", d.VoicemailBoxID)}}
		}
	}
	return nil
}

func (p *Plan) flowWarnings(f *flowPlan) []Warning {
	var list []Warning
	if f.flow.Active && f.flow.PhoneNumber == "" && p.fallback != f.flow {
		list = append(list, Warning{"phone_number", WarnFurtherDefaultFlow, fmt.Sprintf(
			"this call flow has no phone_number, and the older call flow %q already takes all calls without a flow of their own; this one takes calls only for numbers assigned to it in /v2/phone-numbers",
			p.fallback.ID)})
	}
	arrival := false
	for i, r := range f.flow.Routing {
		at := fmt.Sprintf("routing[%d]", i)
		arrival = arrival || f.rules[i].catchAll
		list = p.warnDestination(list, r.DestinationType, r.Destination, at+".destination")
		if r.Fallback != nil {
			list = p.warnDestination(list, r.Fallback.Action, r.Fallback.ActionID, at+".fallback.action_id")
		}
		if c := r.Conditions; c != nil && c.Calendar != "" && p.calendars[c.Calendar] == nil {
			list = append(list, Warning{at + ".conditions.calendar", WarnCalendarMissing, fmt.Sprintf(
				"there is no calendar %q yet; until there is, the rule never holds", c.Calendar)})
		}
		if !f.rules[i].catchAll && !presentsMenu(f.flow) {
			list = append(list, Warning{at + ".pattern", WarnNeverReached, fmt.Sprintf(
				"the pattern %s waits for digits, but no rule of this call flow leads to an ivr_menu, which would ask for them", r.Pattern)})
		}
	}
	if !arrival {
		list = append(list, Warning{"routing", WarnNoCatchAll,
			"no rule has the pattern *, so no rule takes part when a call arrives, and every call fails; add a rule with the pattern *"})
	}
	return list
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

func (p *Plan) menuWarnings(m *IVRMenu) []Warning {
	var list []Warning
	for i, o := range m.Options {
		list = p.warnDestination(list, o.DestinationType, o.Destination, fmt.Sprintf("options[%d].destination", i))
	}
	if m.Fallback != nil {
		list = p.warnDestination(list, m.Fallback.Action, m.Fallback.ActionID, "fallback.action_id")
	}
	return list
}

func (p *Plan) warnDestination(list []Warning, kind DestinationType, to, path string) []Warning {
	exists := true
	switch kind {
	case ToMenu:
		exists = p.menus[to] != nil
	case ToVoicemail:
		exists = p.boxes[to] != nil
	case ToDevice:
		exists = p.devices[to] != nil || p.byUsername[to] != nil
	case ToFlow:
		exists = p.flows[to] != nil
	case ToQueue, ToRingGroup:
		return append(list, Warning{path, WarnQueueNotServed, fmt.Sprintf(
			"queues are not served by this switch yet; calls for %q go on to the fallback or the next rule, with the reason destination_missing", to)})
	}
	if exists {
		return list
	}
	return append(list, Warning{path, WarnDestinationMissing, fmt.Sprintf(
		"there is no %s %q yet; until there is, calls go on to the fallback or the next rule, with the reason destination_missing", nameOf(kind), to)})
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

func (p *Problems) checkPlain(kind DestinationType, to, path string) {
	if kind == ToWebhook && isPlain(to) {
		p.add(path, "%q is not an https URL; write it as https://example.com/calls, or allow private webhooks in the configuration", shorten(to))
	}
}
