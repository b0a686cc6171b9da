package flows_test

import (
	"encoding/json"
	"slices"
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

func TestMenuOptionsComeBeforeDigitRules(t *testing.T) {
	s := tell(t, "* ivr_menu main", "1 phone_number "+mobile, "2 phone_number "+mobile)
	s.keys = []string{"1"}
	s.goes("menu main", "dial phone_number "+office+" 1m0s")
	if r := s.routed[1]; r.By != flows.ByOption || r.RuleIndex != nil || r.Pattern != "1" {
		t.Errorf("%+v", r)
	}

	s = tell(t, "* ivr_menu main", "1 phone_number "+mobile, "2 phone_number "+mobile)
	s.keys = []string{"2"}
	s.goes("menu main", "dial phone_number "+mobile+" 1m0s")
	if r := s.routed[1]; r.By != flows.ByRule || *r.RuleIndex != 2 || r.Pattern != "2" {
		t.Errorf("%+v", r)
	}
}

func TestAFailedOptionGoesOnToTheDigitRule(t *testing.T) {
	s := tell(t, "* ivr_menu main", "1 phone_number "+mobile, "* voicemail voicemail_default")
	s.keys = []string{"1"}
	s.dials = map[string][]flows.Outcome{office: {busy}, mobile: {busy}}
	s.goes("menu main", "dial phone_number "+office+" 1m0s", "dial phone_number "+mobile+" 1m0s", "voicemail voicemail_default")
}

func TestSeveralDigitRulesForOneKey(t *testing.T) {
	s := tell(t, "* ivr_menu plain", "1 phone_number "+office, "[0-9] phone_number "+mobile, "2 voicemail voicemail_default")
	s.keys = []string{"1"}
	s.dials = map[string][]flows.Outcome{office: {noAnswer}}
	s.goes("menu plain", "dial phone_number "+office+" 1m0s", "dial phone_number "+mobile+" 1m0s")
}

func TestTheMenuJustLeftIsNotEnteredAgain(t *testing.T) {
	s := tell(t, "* ivr_menu plain", "* ivr_menu plain", "1 voicemail voicemail_default", "* phone_number "+office)
	s.goes("menu plain", "dial phone_number "+office+" 1m0s")
	if !s.traced("rule 1 (*): leads to menu plain, which the caller has just left") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestAMenuWithoutAnswerFallsBack(t *testing.T) {
	s := tell(t, "* ivr_menu kind ! voicemail voicemail_default 10")
	s.keys = []string{"4", "8", "4"}
	s.dials = map[string][]flows.Outcome{"+14155552679": {busy}}
	s.goes("menu kind", "dial phone_number +14155552679 1m0s", "voicemail voicemail_default")
	if !s.traced("nothing valid was pressed in 3 attempts") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestWrongKeysAreTheMenusBusiness(t *testing.T) {
	s := tell(t, "* ivr_menu main", "* voicemail voicemail_default")
	s.keys = []string{"8", "", "1"}
	s.goes("menu main", "dial phone_number "+office+" 1m0s")
}

func TestSubMenuAndBack(t *testing.T) {
	s := tell(t, "* ivr_menu main")
	s.keys = []string{"5", "*", "5", "1"}
	s.goes("menu main", "menu sub", "menu main", "menu sub", "voicemail voicemail_default")
}

func TestDigitRulesHoldInSubMenusToo(t *testing.T) {
	s := tell(t, "* ivr_menu main", "3 phone_number "+mobile)
	s.keys = []string{"5", "3"}
	s.goes("menu main", "menu sub", "dial phone_number "+mobile+" 1m0s")
}

func TestAnOptionMayRepeatItsMenu(t *testing.T) {
	s := tell(t, "* ivr_menu main")
	s.keys = []string{"9", "9", "1"}
	s.goes("menu main", "menu main", "menu main", "dial phone_number "+office+" 1m0s")
}

func TestSayReturnsToTheMenu(t *testing.T) {
	f := routing(t, "cf_story", "* ivr_menu main", "4 say From a rule.")
	f.Timezone = "America/New_York"
	s := newStory(t, town(t, f), f)
	s.keys = []string{"6", "4", "5", "6", "1"}
	s.goes("menu main", "say (en-US) It is 10:04 AM on Thursday, January 15.",
		"menu main", "say (en-US) From a rule.",
		"menu main", "menu sub", "say (de-DE) Es ist 10:04, 2026-01-15.",
		"menu sub", "voicemail voicemail_default")
}

func TestSayOutsideAMenuEndsTheCall(t *testing.T) {
	s := tell(t, "* phone_number "+office+" ! say closed 10", "* voicemail voicemail_default")
	s.dials = map[string][]flows.Outcome{office: {busy}}
	if ending := s.goes("dial phone_number "+office+" 10s", "say (en-US) closed"); ending.Reason != flows.EndCompleted {
		t.Errorf("%+v", ending)
	}
}

func TestHangupInAMenu(t *testing.T) {
	s := tell(t, "* ivr_menu main", "* voicemail voicemail_default")
	s.keys = []string{"hangup"}
	if ending := s.goes("menu main"); ending.Reason != flows.EndGone {
		t.Errorf("%+v", ending)
	}
}

func TestTheMenuIsFittedToWhatIsInPlay(t *testing.T) {
	s := tell(t, "* ivr_menu kind", "4[0-9][0-9] phone_number "+mobile)
	s.keys = []string{"#"}
	s.goes("menu kind", "voicemail voicemail_default")
	asked := s.menus[0]
	if asked.Menu.MaxDigits != 3 || *asked.Menu.FinishOnKey != "" {
		t.Errorf("max digits %d, finish key %q", asked.Menu.MaxDigits, *asked.Menu.FinishOnKey)
	}
	if kept := s.plan.Menu("kind"); kept.MaxDigits != 0 || kept.FinishOnKey != nil {
		t.Error("the plan's menu was written to")
	}
	if hit, longer := asked.Match.Match("4"); hit || !longer {
		t.Errorf("4: hit %v longer %v", hit, longer)
	}
}

func TestDigitRuleOutOfHoursIsNoChoice(t *testing.T) {
	f := routing(t, "cf_story", "* ivr_menu plain", "1 phone_number "+office, "1 voicemail voicemail_default", "2 phone_number "+mobile)
	closed := &flows.Conditions{TimeRange: &flows.TimeRange{Start: "01:00", End: "02:00", Timezone: "UTC"}}
	f.Routing[1].Conditions, f.Routing[3].Conditions = closed, closed
	s := newStory(t, town(t, f), f)
	s.keys = []string{"2", "1"}
	s.goes("menu plain", "voicemail voicemail_default")
	if !s.traced("rule 1 (1): matches 1; time_range does not hold: local time THU 2026-01-15 15:04:00 in UTC is outside every day 01:00-02:00") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestMissingDestinations(t *testing.T) {
	s := tell(t, "* voicemail nobox", "* device nobody", "* call_flow noflow", "* queue queue_support ! ring_group all 5", "* ivr_menu nomenu ! voicemail voicemail_default 5")
	s.goes("voicemail voicemail_default")
	for _, text := range []string{"there is no voicemail box nobox", "there is no device nobody", "there is no call flow noflow",
		"queues are not served by this switch yet", "there is no IVR menu nomenu", "destination missing"} {
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

func TestWebhookDecides(t *testing.T) {
	s := tell(t, "* webhook https://example.com/a ! voicemail voicemail_default 15")
	s.hooks = map[string][]flows.Decision{"https://example.com/a": {
		{Destination: office, DestinationType: flows.ToNumber, Tags: map[string]string{"routed_by": "webhook"}},
	}}
	s.goes("ask https://example.com/a", "dial phone_number "+office+" 15s")
	if s.tags["routed_by"] != "webhook" || s.routed[1].By != flows.ByWebhook {
		t.Errorf("%v %+v", s.tags, s.routed)
	}
}

func TestWebhookFailures(t *testing.T) {
	for what, decisions := range map[string][]flows.Decision{
		"no reply":                {},
		"no destination":          {{}},
		"wrong number":            {{Destination: "555", DestinationType: flows.ToNumber}},
		"unknown type":            {{Destination: "x", DestinationType: "teleport"}},
		"destination not there":   {{Destination: "x", DestinationType: flows.ToMenu}},
		"destination unreachable": {{Destination: office, DestinationType: flows.ToNumber}},
	} {
		s := tell(t, "* webhook https://example.com/a ! voicemail voicemail_default 15")
		s.hooks = map[string][]flows.Decision{"https://example.com/a": decisions}
		s.dials = map[string][]flows.Outcome{office: {busy}}
		flows.Run(s.ctx, s.env())
		if got := s.asked[len(s.asked)-1]; got != "voicemail voicemail_default" {
			t.Errorf("%s: ended with %s", what, got)
		}
	}
}

func TestWebhooksThatAnswerWithWebhooks(t *testing.T) {
	s := tell(t, "* webhook https://example.com/a", "* voicemail voicemail_default")
	again := flows.Decision{Destination: "https://example.com/a", DestinationType: flows.ToWebhook}
	s.hooks = map[string][]flows.Decision{"https://example.com/a": slices.Repeat([]flows.Decision{again}, 50)}
	ask := "ask https://example.com/a"
	s.goes(ask, ask, ask, ask, ask, "voicemail voicemail_default")
}

func TestWebhookSendsToAMenuOfTheFlow(t *testing.T) {
	s := tell(t, "* webhook https://example.com/a", "1 phone_number "+mobile)
	s.hooks = map[string][]flows.Decision{"https://example.com/a": {{Destination: "plain", DestinationType: flows.ToMenu}}}
	s.keys = []string{"1"}
	s.goes("ask https://example.com/a", "menu plain", "dial phone_number "+mobile+" 1m0s")
}

func TestHandOver(t *testing.T) {
	first := routing(t, "cf_first", "* call_flow cf_second ! voicemail voicemail_default 5", "1 phone_number "+office)
	second := routing(t, "cf_second", "* ivr_menu plain", "2 phone_number "+mobile)
	second.CreatedAt = time.Unix(1, 0)
	plan := town(t, first, second)

	s := newStory(t, plan, first)
	s.keys = []string{"1", "2"} // 1 is a key of the first flow, which is left
	s.goes("menu plain", "dial phone_number "+mobile+" 1m0s")
	if last := s.routed[len(s.routed)-1]; last.FlowID != "cf_second" {
		t.Errorf("%+v", last)
	}

	s = newStory(t, plan, first)
	s.goes("menu plain", "voicemail voicemail_default")
	if last := s.routed[len(s.routed)-1]; last.FlowID != "cf_first" || last.By != flows.ByFallback {
		t.Errorf("%+v", last)
	}
}

func TestFlowsThatLeadToEachOther(t *testing.T) {
	a := routing(t, "cf_a", "* call_flow cf_b", "* call_flow cf_b", "* call_flow cf_b")
	b := routing(t, "cf_b", "* call_flow cf_a", "* call_flow cf_a")
	s := newStory(t, town(t, a, b), a)
	if ending := s.goes("apologise failed 480"); !ending.Failed {
		t.Errorf("%+v", ending)
	}
	if len(s.routed) > 110 {
		t.Errorf("%d destinations", len(s.routed))
	}
}

func TestMenusThatFallBackToEachOther(t *testing.T) {
	menu := func(id, other string) *flows.IVRMenu {
		return &flows.IVRMenu{ID: id, Name: id, Prompt: "x", Fallback: &flows.Fallback{Action: flows.ToMenu, ActionID: other}}
	}
	f := routing(t, "cf", "* ivr_menu m1")
	plan, problems := flows.NewPlan(flows.Nouns{Flows: []*flows.CallFlow{f}, Menus: []*flows.IVRMenu{menu("m1", "m2"), menu("m2", "m1")}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := newStory(t, plan, f)
	ending := flows.Run(s.ctx, s.env())
	if !ending.Failed || len(s.menus) > 100 {
		t.Errorf("%+v after %d menus", ending, len(s.menus))
	}
}

func TestASubMenuMayFallBackToItsParent(t *testing.T) {
	f := routing(t, "cf", "* ivr_menu top")
	top := &flows.IVRMenu{ID: "top", Name: "top", Prompt: "x", Options: []flows.Option{
		{Digit: "1", Destination: "deep", DestinationType: flows.ToMenu}, {Digit: "2", Destination: "sorry", DestinationType: flows.ToHangup}}}
	deep := &flows.IVRMenu{ID: "deep", Name: "deep", Prompt: "x", MaxAttempts: 1, Fallback: &flows.Fallback{Action: flows.ToMenu, ActionID: "top"}}
	plan, problems := flows.NewPlan(flows.Nouns{Flows: []*flows.CallFlow{f}, Menus: []*flows.IVRMenu{top, deep}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := newStory(t, plan, f)
	s.keys = []string{"1", "", "2"}
	if ending := s.goes("menu top", "menu deep", "menu top", "hangup sorry"); ending.Reason != "sorry" {
		t.Errorf("%+v", ending)
	}
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

func TestSensitiveDigitsAreToldNowhere(t *testing.T) {
	s := tell(t, "* ivr_menu secret", "8 phone_number "+mobile, "* voicemail voicemail_default")
	for _, keys := range [][]string{{"7"}, {"8"}} {
		s := newStory(t, s.plan, s.flow)
		s.keys = keys
		flows.Run(s.ctx, s.env())
		for _, step := range s.steps {
			if step.Kind == flows.StepRule && step.Rule != nil && *step.Rule == 1 && strings.Contains(step.Text, "match") {
				t.Errorf("%v: the trace tells which rule took the digits: %s", keys, step.Text)
			}
			if step.Kind != flows.StepMenu && step.Kind != flows.StepOption {
				continue
			}
			if told, _ := json.Marshal(step.Detail); strings.Contains(step.Text, keys[0]) || strings.Contains(string(told), `"`+keys[0]+`"`) {
				t.Errorf("%v: %s %s", keys, step.Text, told)
			}
		}
		if last := s.routed[len(s.routed)-1]; last.Pattern != "(hidden)" || last.RuleIndex != nil || strings.Contains(last.Because, "pressed "+keys[0]) {
			t.Errorf("%+v", last)
		}
	}
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
	s.asked, s.call.From = nil, "+14155552698"
	s.goes("voicemail voicemail_default")
	s.asked, s.call.From = nil, "anonymous"
	s.goes("hangup hidden")
	s.asked, s.call.From, s.call.Anonymous = nil, "+14155552698", true
	s.goes("hangup hidden")
}
