package simulate_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/flows/simulate"
)

var mazes = flag.Int("mazes", 500, "how many random flows are proved and called")

// ends is what a simulated call came to, in the words of a proof.
func ends(r simulate.Result) string {
	last := flows.Routing{}
	if n := len(r.Taken); n > 0 {
		last = r.Taken[n-1]
	}
	if r.Outcome.Result != string(flows.Connected) && r.Outcome.Result != string(flows.Gone) {
		return flows.EndLost
	}
	switch last.DestinationType {
	case flows.ToNumber, flows.ToDevice, flows.ToSIP, flows.ToQueue, flows.ToRingGroup:
		return flows.EndPerson + " " + last.Destination
	case flows.ToVoicemail:
		return flows.EndVoicemail + " " + last.Destination
	case flows.ToHangup, flows.ToReject:
		return flows.EndGoodbye + " " + last.Destination
	case flows.ToSay:
		return flows.EndGoodbye
	case flows.ToApplication:
		return flows.EndApplication
	}
	return flows.EndWebhook
}

func named(p flows.CallPath) string {
	if p.End == flows.EndLost || p.Destination == "" {
		return p.End
	}
	return p.End + " " + p.Destination
}

// drawMaze makes flows and menus that lead to each other in every way.
func drawMaze(r *rand.Rand) flows.Nouns {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	destination := func() (flows.DestinationType, string) {
		switch r.IntN(12) {
		case 0, 1, 2:
			return flows.ToMenu, pick("m1", "m2", "m3")
		case 3, 4:
			return flows.ToNumber, pick("+14155552671", "+14155552672")
		case 5:
			return flows.ToVoicemail, pick("box", "none")
		case 6:
			return flows.ToFlow, pick("f1", "f2", "f3")
		case 7:
			return flows.ToSay, "hello"
		case 8:
			return flows.ToApplication, ""
		case 9:
			return flows.ToHangup, "bye"
		case 10:
			return []flows.DestinationType{flows.ToQueue, flows.ToRingGroup}[r.IntN(2)], pick("q1", "q2", "none")
		}
		return flows.ToDevice, pick("dev", "none")
	}
	fallback := func() *flows.Fallback {
		if r.IntN(2) == 0 {
			return nil
		}
		f := &flows.Fallback{Timeout: 10}
		f.Action, f.ActionID = destination()
		return f
	}
	box := flows.DefaultBox(time.Time{})
	box.ID = "box"
	n := flows.Nouns{Boxes: []*flows.VoicemailBox{box}, Devices: []*flows.Device{{ID: "dev", Username: "dev", Password: "secret-secret"}}}
	for _, id := range []string{"f1", "f2"} {
		f := &flows.CallFlow{ID: id, Name: id, Active: true, PhoneNumber: "+1415555270" + id[1:]}
		for range 1 + r.IntN(3) {
			rule := flows.Rule{Pattern: pick("*", "*", "1", "2", "12", "[12]"), Fallback: fallback()}
			rule.DestinationType, rule.Destination = destination()
			if r.IntN(3) == 0 {
				rule.Conditions = &flows.Conditions{TimeRange: &flows.TimeRange{Start: "09:00", End: "17:00", Timezone: "UTC"}}
			}
			f.Routing = append(f.Routing, rule)
		}
		n.Flows = append(n.Flows, f)
	}
	for _, id := range []string{"m1", "m2", "m3"} {
		m := &flows.IVRMenu{ID: id, Name: id, Prompt: "x", MaxAttempts: 1, Fallback: fallback()}
		for _, key := range []string{"1", "2", "11", "3"} {
			if r.IntN(2) == 0 {
				o := flows.Option{Digit: key}
				o.DestinationType, o.Destination = destination()
				m.Options = append(m.Options, o)
			}
		}
		if f := m.Fallback; f != nil && f.ActionID == id {
			m.Fallback = nil
		}
		m.ApplyDefaults()
		n.Menus = append(n.Menus, m)
	}
	for _, id := range []string{"q1", "q2"} {
		q := &flows.Queue{ID: id, Name: id, Overflow: fallback()}
		if r.IntN(2) == 0 {
			q.Members = []flows.QueueMember{{Destination: "dev", DestinationType: flows.ToDevice}}
		}
		q.ApplyDefaults()
		n.Queues = append(n.Queues, q)
	}
	return n
}

// wander makes a call that does anything.
func wander(r *rand.Rand) flows.Given {
	g := flows.Given{From: "+14155550100", At: time.Date(2024, 1, 9, r.IntN(24), 0, 0, 0, time.UTC), Outcomes: map[string]flows.Results{}}
	for range r.IntN(6) {
		g.Script = append(g.Script, []string{"", "1", "2", "11", "12", "3", "9"}[r.IntN(7)])
	}
	for _, to := range []string{"q1", "q2"} {
		if r.IntN(3) == 0 {
			g.Outcomes[to] = flows.Results{"timeout"}
		}
	}
	for _, to := range []string{"+14155552671", "+14155552672", "dev", "application"} {
		for range 1 + r.IntN(3) {
			g.Outcomes[to] = append(g.Outcomes[to], []string{"connected", "busy", "no_answer", "503"}[r.IntN(4)])
		}
	}
	return g
}

// What calls come to by brute force, a proof has found; and what a proof has
// found, a call comes to when it is simulated as the proof says.
func TestProofIsWhatCallsComeTo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	proved, always, calls := 0, 0, 0
	for n := range *mazes {
		nouns := drawMaze(r)
		plan, problems := flows.NewPlan(nouns)
		if len(problems) > 0 {
			continue // such as a reject behind digits
		}
		f := nouns.Flows[0]
		p := plan.Prove(f)
		if !p.Exact {
			continue
		}
		proved++
		var found []string
		for _, e := range p.Ends {
			found = append(found, named(e))
			if len(e.Steps) > 60 {
				continue // round and round: longer than scripts are
			}
			got := simulate.Run(t.Context(), plan, f, e.Given, e.Given.At, nil)
			if ends(got) != named(e) {
				t.Fatalf("maze %d: the proof comes to %s, the call to %s\n%s\n%+v\n%s", n, named(e), ends(got), lines(e.Steps), e.Given, lines(texts(got)))
			}
		}
		for range 40 {
			g := wander(r)
			got := simulate.Run(t.Context(), plan, f, g, g.At, nil)
			calls++
			if end := ends(got); !slices.Contains(found, end) {
				t.Fatalf("maze %d: a call comes to %s, the proof knows only %v\n%+v\n%s", n, end, found, g, lines(texts(got)))
			} else if p.Always && end == flows.EndLost {
				t.Fatalf("maze %d: lost", n)
			}
		}
		if p.Always {
			always++
		}
	}
	if proved < *mazes*9/10 || always < *mazes/10 || always > proved/2 {
		t.Errorf("%d flows proved, %d good", proved, always)
	}
	t.Logf("%d flows proved, %d of them to the good; %d calls agree", proved, always, calls)
}

func lines(list []string) (text string) {
	for _, s := range list {
		text += "  " + s + "\n"
	}
	return text
}

func texts(r simulate.Result) (list []string) {
	for _, s := range r.Steps {
		list = append(list, fmt.Sprint(s.Kind, ": ", s.Text))
	}
	return list
}

// Flows of which everybody can say what becomes of callers.
func TestProofSaysWhoIsLost(t *testing.T) {
	for _, c := range []struct {
		what, files string
		always      bool
		worst       string // end of the worst way
		says        string // in one of its steps
	}{
		{"a number without a fallback", `{"name": "x", "routing": [{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number"}]}`, false, "lost", "no answer"},
		{"the same with voicemail behind it", `{"name": "x", "routing": [{"pattern": "*", "destination": "+14155552673", "destination_type": "phone_number"},
			{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail"}]}`, true, "voicemail", "leaves a message"},
		{"only by day", `{"name": "x", "routing": [{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail",
			"conditions": {"time_range": {"start": "09:00", "end": "17:00", "timezone": "UTC"}}}]}`, false, "lost", "no rule takes the call"},
		{"two menus whose silence leads to each other", `{"call_flows": [{"name": "x", "routing": [{"pattern": "*", "destination": "a", "destination_type": "ivr_menu"}]}], "ivr_menus": [
			{"menu_id": "a", "name": "a", "prompt": "a", "options": [{"digit": "1", "destination": "bye", "destination_type": "hangup"}], "fallback": {"action": "ivr_menu", "action_id": "b"}},
			{"menu_id": "b", "name": "b", "prompt": "b", "options": [{"digit": "1", "destination": "bye", "destination_type": "hangup"}], "fallback": {"action": "ivr_menu", "action_id": "a"}}]}`,
			false, "lost", "and so on, until the call is given up"},
		{"a webhook that is down", `{"name": "x", "routing": [{"pattern": "*", "destination": "https://example.com/route", "destination_type": "webhook",
			"fallback": {"action": "hangup", "action_id": "sorry"}}]}`, true, "goodbye", "the webhook does not answer"},
	} {
		plan, f := bundle(t, c.files)
		p := plan.Prove(f)
		if !p.Exact || p.Always != c.always || p.Worst == nil || p.Worst.End != c.worst || !strings.Contains(lines(p.Worst.Steps), c.says) {
			t.Errorf("%s: always %v, exact %v\n%+v", c.what, p.Always, p.Exact, p.Worst)
		}
	}
}

// More than can be followed is cut, and said; nothing is claimed then.
func TestProofSaysWhereItWasCut(t *testing.T) {
	n := flows.Nouns{Flows: []*flows.CallFlow{{ID: "f", Name: "f", Active: true, Routing: []flows.Rule{{Pattern: "*", Destination: "m0", DestinationType: flows.ToMenu}}}}}
	for i := range 12 {
		m := &flows.IVRMenu{ID: fmt.Sprint("m", i), Name: "m", Prompt: "m"}
		for j := range 12 {
			m.Options = append(m.Options, flows.Option{Digit: fmt.Sprintf("%02d", j), Destination: fmt.Sprint("m", j), DestinationType: flows.ToMenu})
		}
		m.ApplyDefaults()
		n.Menus = append(n.Menus, m)
	}
	plan, problems := flows.NewPlan(n)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	begun := time.Now()
	if p := plan.Prove(n.Flows[0]); p.Exact || p.Always || p.Cut == "" {
		t.Errorf("%+v", p)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
