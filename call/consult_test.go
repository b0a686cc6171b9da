package call

import "testing"

// Who consults leaves the caller to the new party at any time: also before
// anybody is rung, and when the new party has just gone.
func TestWhoConsultsMayLeaveAtAnyTime(t *testing.T) {
	for name, c := range map[string]*Call{"nobody is rung": {}, "somebody is": {hunt: &hunt{}}} {
		x := &transfer{call: c, consults: true, prong: &prong{leg: &leg{}}}
		if !x.completes() {
			t.Errorf("%s: the caller is not left to anybody", name)
		}
		if x.call.hunt.heard() != nil {
			t.Errorf("%s: the caller hears somebody", name)
		}
		x.prong.leg.over = true
		if x.completes() {
			t.Errorf("%s: a caller who has gone is left to somebody", name)
		}
	}
	both := &transfer{left: true}
	if !both.forsaken() {
		t.Error("both have left, and somebody has the caller")
	}
	if both.concluded = true; both.forsaken() {
		t.Error("what became of it was told, and nobody has the caller")
	}
}
