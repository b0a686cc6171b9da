package flows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
)

// story is a Caller that follows a script and writes down what it was asked.
type story struct {
	t      testing.TB
	plan   *flows.Plan
	flow   *flows.CallFlow
	call   flows.Call
	now    time.Time
	ctx    context.Context
	hangUp context.CancelFunc

	keys   []string                    // what the caller presses, attempt by attempt; "" is nothing, "hangup" hangs up
	dials  map[string][]flows.Outcome  // by destination, one for each time it is rung; then Connected
	hooks  map[string][]flows.Decision // by URL; then failure
	during func(what string)           // called with each thing asked

	asked  []string
	menus  []flows.MenuRequest
	routed []flows.Routing
	steps  []flows.Step
	tags   map[string]string
}

func newStory(t testing.TB, plan *flows.Plan, flow *flows.CallFlow) *story {
	s := &story{t: t, plan: plan, flow: flow, now: time.Date(2026, 1, 15, 15, 4, 0, 0, time.UTC), tags: map[string]string{}}
	s.call = flows.Call{ID: "call_1", From: "+14155552672", To: "+14155552671", At: s.now}
	s.ctx, s.hangUp = context.WithCancel(t.Context())
	return s
}

func (s *story) env() flows.Env {
	return flows.Env{Plan: s.plan, Flow: s.flow, Call: s.call, Now: func() time.Time { return s.now }, Caller: s}
}

func (s *story) ask(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	s.asked = append(s.asked, what)
	if s.during != nil {
		s.during(what)
	}
}

func (s *story) Menu(_ context.Context, r flows.MenuRequest) flows.MenuResult {
	s.ask("menu %s", r.Menu.ID)
	s.menus = append(s.menus, r)
	pressed := false
	for attempt := 1; attempt <= r.Menu.MaxAttempts; attempt++ {
		key := ""
		if len(s.keys) > 0 {
			key, s.keys = s.keys[0], s.keys[1:]
		}
		if key == "hangup" {
			s.hangUp()
			return flows.MenuResult{Reason: flows.MenuHangup, Attempts: attempt}
		}
		pressed = pressed || key != ""
		if hit, _ := r.Match.Match(key); hit {
			return flows.MenuResult{Digits: key, Reason: flows.MenuMatched, Attempts: attempt}
		}
	}
	if pressed {
		return flows.MenuResult{Reason: flows.MenuInvalid, Attempts: r.Menu.MaxAttempts}
	}
	return flows.MenuResult{Reason: flows.MenuNoInput, Attempts: r.Menu.MaxAttempts}
}

func (s *story) Dial(ctx context.Context, r flows.DialRequest) flows.Outcome {
	to := r.Destination
	if r.Device != nil {
		to += " (device " + r.Device.ID + ")"
	}
	s.ask("dial %s %s %s", r.Type, to, r.Timeout)
	if ctx.Err() != nil {
		return flows.Outcome{Result: flows.Gone}
	}
	if list := s.dials[r.Destination]; len(list) > 0 {
		s.dials[r.Destination] = list[1:]
		return list[0]
	}
	return flows.Outcome{Result: flows.Connected}
}

func (s *story) Voicemail(_ context.Context, b *flows.VoicemailBox) flows.Outcome {
	s.ask("voicemail %s", b.ID)
	return flows.Outcome{Result: flows.Connected}
}

func (s *story) Mailbox(_ context.Context, b *flows.VoicemailBox) flows.Outcome {
	if b == nil {
		s.ask("mailbox")
	} else {
		s.ask("mailbox %s", b.ID)
	}
	return flows.Outcome{Result: flows.Connected}
}

func (s *story) Queue(_ context.Context, r flows.QueueRequest) flows.Outcome {
	group := ""
	if r.Group {
		group = " group"
	}
	s.ask("queue %s%s %s %s", r.Queue.ID, group, r.MaxWait, r.Language)
	if list := s.dials[r.Queue.ID]; len(list) > 0 {
		s.dials[r.Queue.ID] = list[1:]
		return list[0]
	}
	return flows.Outcome{Result: flows.Connected}
}

func (s *story) Say(_ context.Context, text, language string) flows.Outcome {
	s.ask("say (%s) %s", language, text)
	return flows.Outcome{Result: flows.Connected}
}

func (s *story) AskWebhook(_ context.Context, url string) (flows.Decision, flows.Outcome) {
	s.ask("ask %s", url)
	if list := s.hooks[url]; len(list) > 0 {
		s.hooks[url] = list[1:]
		return list[0], flows.Outcome{Result: flows.Connected}
	}
	return flows.Decision{}, flows.Outcome{Result: flows.WebhookFailed, Detail: "time-out"}
}

func (s *story) Application(_ context.Context, timeout time.Duration) flows.Outcome {
	s.ask("application %s", timeout)
	return flows.Outcome{Result: flows.NoAnswer}
}

func (s *story) Apologise(_ context.Context, last flows.Outcome) {
	code, _ := last.Result.ToCaller()
	s.ask("apologise %s %d", last.Result, code)
}

func (s *story) Hangup(_ context.Context, reason string) { s.ask("hangup %s", reason) }
func (s *story) Reject(_ context.Context, cause string)  { s.ask("reject %s", cause) }
func (s *story) Routed(r flows.Routing)                  { s.routed = append(s.routed, r) }
func (s *story) Note(step flows.Step)                    { s.steps = append(s.steps, step.Told()) }

func (s *story) Tag(tags map[string]string) {
	for k, v := range tags {
		s.tags[k] = v
	}
}

// goes runs the flow and compares what was asked of the caller.
func (s *story) goes(asked ...string) flows.Ending {
	s.t.Helper()
	ending := flows.Run(s.ctx, s.env())
	s.compare(asked)
	return ending
}

func (s *story) compare(asked []string) {
	s.t.Helper()
	if !slices.Equal(s.asked, asked) {
		s.t.Errorf("asked\n  %s\nwant\n  %s\ntrace\n  %s",
			strings.Join(s.asked, "\n  "), strings.Join(asked, "\n  "), strings.Join(s.trace(), "\n  "))
	}
}

func (s *story) trace() []string {
	lines := make([]string, len(s.steps))
	for i, step := range s.steps {
		lines[i] = step.Kind + ": " + step.Text
	}
	return lines
}

func (s *story) traced(text string) bool {
	return slices.ContainsFunc(s.trace(), func(line string) bool { return strings.Contains(line, text) })
}

// town is a plan with everything the stories need besides their flow.
func town(t testing.TB, more ...*flows.CallFlow) *flows.Plan {
	t.Helper()
	option := func(digit string, kind flows.DestinationType, to string) flows.Option {
		return flows.Option{Digit: digit, DestinationType: kind, Destination: to}
	}
	n := flows.Nouns{
		Flows: more,
		Menus: []*flows.IVRMenu{
			{ID: "plain", Name: "plain", Prompt: "Press a key."},
			{ID: "main", Name: "main", Prompt: "Press a key.", Options: []flows.Option{
				option("1", flows.ToNumber, "+14155552673"),
				option("5", flows.ToMenu, "sub"),
				option("6", flows.ToSay, "It is {time} on {date}."),
				option("9", flows.ToMenu, "main"),
			}},
			{ID: "sub", Name: "sub", Prompt: "Press a key.", Language: "de-DE", Options: []flows.Option{
				option("1", flows.ToVoicemail, "voicemail_default"),
				option("6", flows.ToSay, "Es ist {time}, {date}."),
				option("*", flows.ToMenu, "main"),
			}},
			{ID: "kind", Name: "kind", Prompt: "Press a key.", Options: []flows.Option{
				option("1", flows.ToNumber, "+14155552673"), option("#", flows.ToVoicemail, "voicemail_default"),
			}, Fallback: &flows.Fallback{Action: flows.ToNumber, ActionID: "+14155552679"}},
			{ID: "secret", Name: "secret", Prompt: "Press a key.", Sensitive: true, Options: []flows.Option{
				option("7", flows.ToNumber, "+14155552673"),
			}},
		},
		Boxes: []*flows.VoicemailBox{flows.DefaultBox(time.Unix(0, 0))},
		Queues: []*flows.Queue{flows.DefaultQueue(), {ID: "sales", Name: "sales", Strategy: flows.Linear, RingTimeout: 10, MaxWait: 120,
			Members:  []flows.QueueMember{{Destination: "alice", DestinationType: flows.ToDevice}, {Destination: "+14155552673", DestinationType: flows.ToNumber}},
			Overflow: &flows.Fallback{Action: flows.ToVoicemail, ActionID: "voicemail_default"}}},
		Devices: []*flows.Device{{ID: "dev_1", Username: "alice", Password: "x", Number: "+14155552680"}},
	}
	plan, problems := flows.NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return plan
}

// routing makes a flow of rules written as pattern type destination, and after
// a ! the fallback's type, id and timeout.
func routing(t testing.TB, id string, rules ...string) *flows.CallFlow {
	t.Helper()
	f := &flows.CallFlow{ID: id, Name: id, Active: true, Revision: 1}
	for _, text := range rules {
		way, otherwise, has := strings.Cut(text, " ! ")
		part := strings.SplitN(way, " ", 3)
		r := flows.Rule{Pattern: part[0], DestinationType: flows.DestinationType(part[1])}
		if len(part) > 2 {
			r.Destination = part[2]
		}
		if has {
			r.Fallback = &flows.Fallback{}
			if _, err := fmt.Sscanf(otherwise, "%s %s %d", &r.Fallback.Action, &r.Fallback.ActionID, &r.Fallback.Timeout); err != nil {
				t.Fatalf("%q: %v", otherwise, err)
			}
		}
		f.Routing = append(f.Routing, r)
	}
	if problems := f.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	return f
}

// tell begins a story in the town with one flow of these rules.
func tell(t testing.TB, rules ...string) *story {
	t.Helper()
	f := routing(t, "cf_story", rules...)
	return newStory(t, town(t, f), f)
}
