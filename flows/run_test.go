package flows_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
)

const (
	office = "+14155552673"
	mobile = "+14155552674"
)

var (
	busy     = flows.OutcomeFromSIP(486, "Busy Here")
	noAnswer = flows.Outcome{Result: flows.NoAnswer, Detail: "ring time-out"}
)

func TestFirstRuleThatHoldsWins(t *testing.T) {
	s := tell(t, "1 phone_number "+mobile, "* phone_number "+office, "* voicemail voicemail_default")
	ending := s.goes("dial phone_number " + office + " 1m0s")
	if ending.Failed || ending.Reason != flows.EndCompleted || ending.Last.Result != flows.Connected {
		t.Errorf("%+v", ending)
	}
	if len(s.routed) != 1 || *s.routed[0].RuleIndex != 1 || s.routed[0].By != flows.ByRule || s.routed[0].FlowID != "cf_story" {
		t.Errorf("routed %+v", s.routed)
	}
	if !s.traced("rule 0 (1): waits for digits") || !s.traced("rule 1 (*): matches any call") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestFallbackRunsAfterItsTimeout(t *testing.T) {
	s := tell(t, "* phone_number "+office+" ! voicemail voicemail_default 30")
	s.dials = map[string][]flows.Outcome{office: {noAnswer}}
	s.goes("dial phone_number "+office+" 30s", "voicemail voicemail_default")
	if r := s.routed[1]; r.By != flows.ByFallback || r.Because != "fallback: no answer, ring time-out" || *r.RuleIndex != 0 {
		t.Errorf("%+v", r)
	}
}

func TestNoFallbackWhenTheCallerHangsUp(t *testing.T) {
	s := tell(t, "* phone_number "+office+" ! voicemail voicemail_default 30", "* voicemail voicemail_default")
	s.dials = map[string][]flows.Outcome{office: {{Result: flows.Gone}}}
	if ending := s.goes("dial phone_number " + office + " 30s"); ending.Reason != flows.EndGone || ending.Failed {
		t.Errorf("%+v", ending)
	}

	// The far end's failure and the caller's hanging up at the same moment.
	s = tell(t, "* phone_number "+office+" ! voicemail voicemail_default 30")
	s.dials = map[string][]flows.Outcome{office: {busy}}
	s.during = func(string) { s.hangUp() }
	if ending := s.goes("dial phone_number " + office + " 30s"); ending.Reason != flows.EndGone {
		t.Errorf("%+v", ending)
	}
	s = tell(t, "* phone_number "+office)
	s.dials = map[string][]flows.Outcome{office: {busy}}
	s.during = func(string) { s.hangUp() }
	if ending := s.goes("dial phone_number " + office + " 1m0s"); ending.Failed || ending.Reason != flows.EndGone {
		t.Errorf("nobody is left to apologise to: %+v", ending)
	}
}

func TestNextMatchingRuleAfterFailure(t *testing.T) {
	s := tell(t, "* phone_number "+office, "* phone_number "+mobile+" ! ivr_menu nowhere 5", "* voicemail voicemail_default")
	s.dials = map[string][]flows.Outcome{office: {busy}, mobile: {noAnswer}}
	s.goes("dial phone_number "+office+" 1m0s", "dial phone_number "+mobile+" 5s", "voicemail voicemail_default")
	if !s.traced("there is no IVR menu nowhere") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestExhausted(t *testing.T) {
	s := tell(t, "* phone_number "+office, "* phone_number "+mobile)
	s.dials = map[string][]flows.Outcome{office: {noAnswer}, mobile: {busy}}
	ending := s.goes("dial phone_number "+office+" 1m0s", "dial phone_number "+mobile+" 1m0s", "apologise busy 486")
	if !ending.Failed || ending.Reason != flows.EndRoutingFailed || ending.Last != busy {
		t.Errorf("%+v", ending)
	}
	if !s.traced("all routing attempts failed, the last one with: busy (486 Busy Here)") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestNoRuleHolds(t *testing.T) {
	s := tell(t, "1 phone_number "+office)
	if ending := s.goes("apologise failed 480"); !ending.Failed {
		t.Errorf("%+v", ending)
	}
}

func TestANumberWithoutAFlowWaitsForTheAPI(t *testing.T) {
	s := newStory(t, town(t), nil)
	if ending := s.goes("application 0s", "apologise no_answer 480"); !ending.Failed {
		t.Errorf("%+v", ending)
	}
}

func TestApplicationRingsAsLongAsItsFallbackSays(t *testing.T) {
	s := tell(t, "* application ! voicemail voicemail_default 20")
	s.goes("application 20s", "voicemail voicemail_default")
}

func TestMissingDestinations(t *testing.T) {
	s := tell(t, "* voicemail nobox", "* device nobody", "* call_flow noflow", "* queue noqueue ! ring_group all 5", "* ivr_menu nomenu ! voicemail voicemail_default 5")
	s.goes("voicemail voicemail_default")
	for _, text := range []string{"there is no voicemail box nobox", "there is no device nobody", "there is no call flow noflow",
		"there is no queue noqueue", "there is no queue all", "there is no IVR menu nomenu", "destination missing"} {
		if !s.traced(text) {
			t.Errorf("the trace does not say %q:\n%s", text, strings.Join(s.trace(), "\n"))
		}
	}
}

func TestDevices(t *testing.T) {
	s := tell(t, "* device dev_1", "* device alice", "* phone_number +14155552680", "* sip sip:bob@example.com")
	s.dials = map[string][]flows.Outcome{"dev_1": {noAnswer}, "alice": {busy}, "+14155552680": {busy}}
	s.goes("dial device dev_1 (device dev_1) 1m0s", "dial device alice (device dev_1) 1m0s",
		"dial phone_number +14155552680 (device dev_1) 1m0s", "dial sip sip:bob@example.com 1m0s")
}

func TestHangupAndReject(t *testing.T) {
	s := tell(t, "* hangup closed", "* voicemail voicemail_default")
	if ending := s.goes("hangup closed"); ending.Reason != "closed" || ending.Failed {
		t.Errorf("%+v", ending)
	}
	s = tell(t, "* hangup")
	if ending := s.goes("hangup hangup"); ending.Reason != flows.EndHangup {
		t.Errorf("%+v", ending)
	}
	s = tell(t, "* reject 603")
	if ending := s.goes("reject 603"); ending.Reason != flows.EndRejected || ending.Failed {
		t.Errorf("%+v", ending)
	}
	s = tell(t, "* reject")
	s.flow.Routing[0].Reason = "busy"
	s.goes("reject busy")
}

func TestRunDestination(t *testing.T) {
	s := newStory(t, town(t), nil)
	s.dials = map[string][]flows.Outcome{office: {busy}}
	rule := flows.Rule{Destination: office, DestinationType: flows.ToNumber,
		Fallback: &flows.Fallback{Timeout: 7, Action: flows.ToVoicemail, ActionID: "voicemail_default"}}
	ending := flows.RunDestination(s.ctx, s.env(), rule)
	s.compare([]string{"dial phone_number " + office + " 7s", "voicemail voicemail_default"})
	if ending.Failed || s.routed[0].By != flows.ByRequest {
		t.Errorf("%+v %+v", ending, s.routed)
	}

	s = newStory(t, town(t), nil)
	s.dials = map[string][]flows.Outcome{office: {busy}}
	rule.Fallback = nil
	ending = flows.RunDestination(s.ctx, s.env(), rule)
	s.compare([]string{"dial phone_number " + office + " 1m0s"}) // whoever asked decides what a failure means
	if !ending.Failed || ending.Last != busy {
		t.Errorf("%+v", ending)
	}

	s = newStory(t, town(t), nil)
	s.keys = []string{"1"}
	flows.RunDestination(s.ctx, s.env(), flows.Rule{Destination: "main", DestinationType: flows.ToMenu})
	s.compare([]string{"menu main", "dial phone_number " + office + " 1m0s"})

	s = newStory(t, town(t), nil)
	ending = flows.RunDestination(s.ctx, s.env(), flows.Rule{Destination: "555", DestinationType: flows.ToNumber})
	if ending.Last.Result != flows.InvalidNumber || len(s.asked) > 0 {
		t.Errorf("%+v %v", ending, s.asked)
	}
}

func TestAFlowOutsideThePlanRunsToo(t *testing.T) {
	f := routing(t, "cf_new", "* phone_number "+office)
	s := newStory(t, town(t), f)
	s.goes("dial phone_number " + office + " 1m0s")
}

func TestVouchedNumbersAreToldApart(t *testing.T) {
	s := tell(t, "* hangup spoofed", "* phone_number "+office, "* voicemail voicemail_default")
	s.flow.Routing[0].Conditions = &flows.Conditions{Verstat: []string{"failed"}}
	s.flow.Routing[1].Conditions = &flows.Conditions{Verstat: []string{"passed"}}
	s.plan = town(t, s.flow)
	s.goes("voicemail voicemail_default")
	s.asked, s.call.Verstat, s.call.Attestation = nil, "passed", "A"
	s.goes("dial phone_number " + office + " 1m0s")
	if text := "verstat holds: the caller's number is vouched for, attestation A"; !s.traced("rule 1 (*): matches any call; " + text) {
		t.Errorf("the trace does not say %q:\n%s", text, strings.Join(s.trace(), "\n"))
	}
	s.asked, s.call.Verstat = nil, "failed"
	s.goes("hangup spoofed")
	bad := flows.NewCallFlow()
	bad.Name, bad.Routing = "x", []flows.Rule{{Pattern: "*", DestinationType: flows.ToHangup, Conditions: &flows.Conditions{Verstat: []string{"maybe"}}}}
	if problems := bad.Validate(); !strings.Contains(problems.Error(), `"maybe" is not one of passed, failed, none`) {
		t.Error(problems)
	}
}

func TestConditionsExplainThemselves(t *testing.T) {
	yes := true
	s := tell(t, "* voicemail voicemail_default", "* hangup vip", "* hangup hidden", "* phone_number "+office)
	s.flow.Routing[0].Conditions = &flows.Conditions{BlockedNumbers: []string{"+14155552699", "+14155552698"}}
	s.flow.Routing[1].Conditions = &flows.Conditions{AllowedNumbers: []string{"+14155552600", "+1212*"}, TimeRange: &flows.TimeRange{Start: "09:00", End: "17:00", Timezone: "America/New_York", Days: []string{"THU"}}}
	s.flow.Routing[2].Conditions = &flows.Conditions{Anonymous: &yes}
	s.plan = town(t, s.flow)
	s.goes("dial phone_number " + office + " 1m0s")
	for _, text := range []string{
		"rule 0 (*): matches any call; blocked_numbers does not hold: the caller +14155552672 is none of the 2 entries",
		"rule 1 (*): matches any call; allowed_numbers does not hold: the caller +14155552672 is none of the 2 entries",
		"rule 2 (*): matches any call; anonymous does not hold: the caller shows a number",
		"rule 3 (*): matches any call",
	} {
		if !s.traced(text) {
			t.Errorf("the trace does not say %q:\n%s", text, strings.Join(s.trace(), "\n"))
		}
	}
	detail, err := json.Marshal(s.steps[2].Detail)
	if err != nil || !strings.Contains(string(detail), `"condition":"time_range"`) || !strings.Contains(string(detail), `"local":"2026-01-15T10:04:00-05:00"`) {
		t.Errorf("%v %s", err, detail)
	}

	s.asked, s.routed, s.call.From = nil, nil, "12125550100"
	s.goes("hangup vip")
	if because := s.routed[0].Because; because != "pattern * matches any call; time_range holds: local time THU 2026-01-15 10:04:00 in America/New_York is inside THU 09:00-17:00; allowed_numbers holds: the caller +12125550100 begins with +1212, entry 2 of 2" {
		t.Error(because)
	}
	s.asked, s.now = nil, s.now.Add(12*time.Hour)
	s.goes("dial phone_number " + office + " 1m0s") // a number that is allowed, at a time that is not
	s.now = s.now.Add(-12 * time.Hour)
	s.asked, s.call.From = nil, "+14155552698"
	s.goes("voicemail voicemail_default")
	s.asked, s.call.From = nil, "anonymous"
	s.goes("hangup hidden")
	s.asked, s.call.From, s.call.Anonymous = nil, "+14155552698", true
	s.goes("hangup hidden")
}
