package flows_test

import (
	"slices"
	"strings"
	"testing"

	"b2bua/flows"
)

func TestQueueDefaults(t *testing.T) {
	q := flows.DefaultQueue()
	if q.ID != "queue_support" || q.Strategy != flows.RingAll || q.RingTimeout != 15 || q.Retry != 5 || q.WrapUp != 0 || q.MaxSize != 0 ||
		q.MaxWait != 300 || *q.KeepPlaceFor != 60 || len(q.Members) != 0 || len(q.Validate()) != 0 {
		t.Errorf("%+v %v", q, q.Validate())
	}
}

func TestQueueSaysWhatIsWrong(t *testing.T) {
	member := flows.QueueMember{Destination: "anna", DestinationType: flows.ToDevice}
	minus := -1
	for path, q := range map[string]flows.Queue{
		"name":                        {ID: "q"},
		"queue_id":                    {ID: "q q", Name: "q"},
		"strategy":                    {Name: "q", Strategy: "random"},
		"ring_timeout":                {Name: "q", RingTimeout: 601},
		"keep_place_for":              {Name: "q", KeepPlaceFor: &minus},
		"exit_key":                    {Name: "q", ExitKey: "12"},
		"announce.every":              {Name: "q", Announce: &flows.QueueAnnounce{Every: 4}},
		"members[1].destination":      {Name: "q", Members: []flows.QueueMember{member, member}},
		"members[0].destination_type": {Name: "q", Members: []flows.QueueMember{{Destination: "main", DestinationType: flows.ToMenu}}},
		"callback.numbers":            {Name: "q", Callback: &flows.QueueCallback{Key: "1"}},
		"callback.key":                {Name: "q", ExitKey: "1", Callback: &flows.QueueCallback{Key: "1", Numbers: []string{"*"}}},
		"callback.numbers[0]":         {Name: "q", Callback: &flows.QueueCallback{Key: "1", Numbers: []string{"abc"}}},
		"overflow.action":             {Name: "q", Overflow: &flows.Fallback{Action: "nowhere", ActionID: "x"}},
		"priority":                    {Name: "q", Priority: 1001},
		"language":                    {Name: "q", Language: "?"},
	} {
		if p := q.Validate(); len(p) != 1 || p[0].Path != path {
			t.Errorf("%s: %v", path, p)
		}
	}
}

func TestNumbersThatMayBeCalledBack(t *testing.T) {
	c := &flows.QueueCallback{Key: "1", Numbers: []string{"+1415*", "+442071838750"}}
	for number, may := range map[string]bool{"+14155552671": true, "+442071838750": true, "+19005551234": false, "anonymous": false, "": false} {
		if c.May(number) != may {
			t.Errorf("%s: %v", number, !may)
		}
	}
	if (*flows.QueueCallback)(nil).May("+14155552671") {
		t.Error("without the feature")
	}
}

func TestCallersGoToQueues(t *testing.T) {
	s := tell(t, "* queue queue_support")
	s.goes("queue queue_support 5m0s en-US")

	// The time of the rule holds when it is shorter than that of the queue.
	s = tell(t, "* queue sales ! voicemail voicemail_default 30")
	s.goes("queue sales 30s en-US")
	s = tell(t, "* queue queue_support ! voicemail voicemail_default 30")
	s.dials = map[string][]flows.Outcome{"queue_support": {{Result: flows.QueueTimeout}}}
	s.goes("queue queue_support 30s en-US", "voicemail voicemail_default")

	// A ring group goes on when everybody was rung once.
	s = tell(t, "* ring_group queue_support")
	s.goes("queue queue_support group 15s en-US")
	s = tell(t, "* ring_group sales")
	s.goes("queue sales group 20s en-US")
}

func TestOverflowComesBeforeTheFallback(t *testing.T) {
	for _, r := range []flows.Result{flows.QueueTimeout, flows.QueueFull, flows.QueueEmpty, flows.QueueExit, flows.Failed} {
		s := tell(t, "* queue sales ! hangup closed 30", "* hangup next")
		s.dials = map[string][]flows.Outcome{"sales": {{Result: r}}}
		s.goes("queue sales 30s en-US", "voicemail voicemail_default")
		if !s.traced("so its overflow is taken") {
			t.Error(strings.Join(s.trace(), "\n"))
		}
		if last := s.routed[len(s.routed)-1]; last.By != flows.ByFallback || !strings.Contains(last.Because, `overflow of queue "sales"`) {
			t.Errorf("%+v", last)
		}
	}
	for _, r := range []flows.Result{flows.Connected, flows.Gone} {
		s := tell(t, "* queue sales ! hangup closed 30")
		s.dials = map[string][]flows.Outcome{"sales": {{Result: r}}}
		s.goes("queue sales 30s en-US")
	}
}

func TestQueueWarnings(t *testing.T) {
	over := func(kind flows.DestinationType, to string) *flows.Fallback {
		return &flows.Fallback{Action: kind, ActionID: to}
	}
	device := flows.QueueMember{Destination: "dev", DestinationType: flows.ToDevice}
	n := flows.Nouns{
		Flows:   []*flows.CallFlow{routing(t, "cf", "* queue empty")},
		Devices: []*flows.Device{{ID: "dev", Username: "u", Password: "x"}},
		Trunks:  []*flows.Trunk{{ID: "in", Name: "in", Hosts: []string{"192.0.2.1"}}},
		Queues: []*flows.Queue{
			{ID: "empty", Name: "q"}, {ID: "good", Name: "q", Members: []flows.QueueMember{device}},
			{ID: "gone", Name: "q", Members: []flows.QueueMember{{Destination: "nobody", DestinationType: flows.ToDevice}}, Overflow: over(flows.ToVoicemail, "nobox")},
			{ID: "out", Name: "q", Members: []flows.QueueMember{{Destination: "+14155552673", DestinationType: flows.ToNumber}}},
			{ID: "a", Name: "q", Members: []flows.QueueMember{device}, Overflow: over(flows.ToQueue, "b")},
			{ID: "b", Name: "q", Members: []flows.QueueMember{device}, Overflow: over(flows.ToQueue, "a")},
		},
	}
	for _, f := range n.Flows {
		f.ApplyDefaults()
	}
	plan := mustPlan(t, n)
	for id, want := range map[string]string{
		"empty": "members queue_empty", "good": "", "nothing": "",
		"gone": "members[0].destination device_missing, overflow.action_id destination_missing",
		"out":  "members[0].destination undialable", "a": "overflow.action_id loop",
	} {
		var got []string
		for _, w := range plan.Warnings(flows.KindQueue, id) {
			got = append(got, w.Path+" "+w.Code)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %q", id, got, want)
		}
	}
	found := false
	for _, w := range plan.Lint("cf") {
		found = found || w.Path == "queues[empty].members" && w.Code == flows.WarnQueueEmpty
	}
	if !found {
		t.Errorf("%v", plan.Lint("cf"))
	}
}

func TestWhatAQueueSays(t *testing.T) {
	q := &flows.Queue{Greeting: "prompt_hello", Whisper: "For {queue}.", AcceptPrompt: "Press 1.", Language: "de-DE",
		Callback: &flows.QueueCallback{Prompt: "Press 2."}}
	want := []flows.Spoken{
		{Path: "greeting", Ref: "prompt_hello", Language: "de-DE"},
		{Path: "callback.prompt", Ref: "Press 2.", Language: "de-DE"},
		{Path: "accept_prompt", Ref: "Press 1.", Language: "de-DE"},
	}
	if got := q.Spoken(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
