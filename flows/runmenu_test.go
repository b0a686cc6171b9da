package flows_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"b2bua/flows"
)

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
	if s.traced("rule 0 (*): does not match") {
		t.Error("a catch-all was held against digits")
	}
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
		"menu main", "menu sub", "say (de-DE) Es ist 10 Uhr 4, Donnerstag, der fünfzehnte Januar.",
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

func TestACallerWhoNeverStopsPressing(t *testing.T) {
	s := tell(t, "* ivr_menu main", "* voicemail voicemail_default")
	s.keys = slices.Repeat([]string{"9"}, 1000)
	ending := flows.Run(s.ctx, s.env())
	if !ending.Failed || len(s.menus) > 100 {
		t.Errorf("%+v after %d menus", ending, len(s.menus))
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
