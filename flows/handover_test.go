package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
)

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
	if len(s.routed) > 110 || !s.traced("the call was handed on 10 times") {
		t.Errorf("%d destinations", len(s.routed))
	}
}

func TestHandOverLeavesTheMenuBehind(t *testing.T) {
	first := routing(t, "cf_first", "* ivr_menu main", "7 call_flow cf_say", "8 call_flow cf_off", "8 call_flow cf_main")
	say := routing(t, "cf_say", "* say Goodbye.")
	off := routing(t, "cf_off", "* hangup off")
	off.Active = false
	again := routing(t, "cf_main", "* ivr_menu main", "* voicemail voicemail_default", "2 phone_number "+mobile)
	plan := town(t, first, say, off, again)

	s := newStory(t, plan, first)
	s.keys = []string{"7"}
	s.goes("menu main", "say (en-US) Goodbye.")

	s = newStory(t, plan, first)
	s.keys = []string{"8", "2"} // the same menu with the keys of another flow
	s.goes("menu main", "menu main", "dial phone_number "+mobile+" 1m0s")
	if !s.traced("the call flow cf_off is not active") {
		t.Error(strings.Join(s.trace(), "\n"))
	}
}

func TestASilentCallerIsNotHandedBackToTheMenu(t *testing.T) {
	s := tell(t, "* ivr_menu plain", "* call_flow cf_story")
	if ending := s.goes("menu plain", "apologise failed 480"); !ending.Failed {
		t.Errorf("%+v", ending)
	}
}
