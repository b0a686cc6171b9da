package store_test

import (
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/store"
)

// What calls take is counted by what a rule says: it outlives a restart and the
// moving of rules, and goes with its flow.
func TestCoverageStaysWithItsRule(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	f := flow("x", "+14155552671")
	f.ID = "cf"
	f.Routing = append([]flows.Rule{{Pattern: "*", Destination: "bye", DestinationType: flows.ToHangup, Conditions: &flows.Conditions{BlockedNumbers: []string{"+14155552699"}}}}, f.Routing...)
	ok(t, s.Flows().Create(ctx, f))
	second := func() flows.Branch {
		for _, b := range s.Plan().Branches(s.Plan().Flow("cf")) {
			if b.Text() == "*: voicemail box voicemail_default" {
				return b
			}
		}
		t.Fatal("no such rule")
		return flows.Branch{}
	}
	for n := range 5 {
		s.Took(flows.Routing{FlowID: "cf", Branch: second()}, moment.Add(time.Duration(n)*time.Minute))
	}
	ok(t, s.Close())
	s = open(t, dir, store.Options{})
	if _, err := s.Flows().Update(ctx, "cf", "", func(f *flows.CallFlow) error {
		f.Routing = f.Routing[1:] // the rule before goes
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.Took(flows.Routing{FlowID: "cf", Branch: second()}, moment)
	s.Took(flows.Routing{FlowID: "cf"}, moment) // a transfer: no rule
	all, err := s.Coverage("cf")
	ok(t, err)
	if got := all[second().Key()]; len(all) != 1 || got.Count != 6 || !got.Last.Equal(moment.Add(4*time.Minute)) {
		t.Errorf("%+v", all)
	}
	s.Took(flows.Routing{FlowID: "cf", Branch: second()}, moment)
	ok(t, s.Flows().Delete(ctx, "cf", ""))
	if all, err := s.Coverage("cf"); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}
