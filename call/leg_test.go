package call

import (
	"testing"

	"b2bua/sip"
)

// Between two calls nothing that happens to a leg is lost, nor told twice.
func TestLegBetweenCalls(t *testing.T) {
	before, after := &Call{id: "before"}, &Call{id: "after"}
	l := before.newLeg("ben")
	var heard []sip.Event
	l.on = func(sip.Event) { t.Error("told to the call that has given it up") }
	l.asking, l.waits = true, true
	l.leaves(after)
	l.event(sip.Offered{SDP: []byte("v=0")})
	l.event(sip.InfoReceived{})
	if l.over || l.asking {
		t.Errorf("over %v, asking %v", l.over, l.asking)
	}
	l.arrives(func(ev sip.Event) { heard = append(heard, ev) })
	l.event(sip.ReofferRefused{})
	if len(heard) != 3 {
		t.Fatalf("heard %v", heard)
	}
	if _, ok := heard[0].(sip.Offered); !ok || l.owner.Load() != after {
		t.Errorf("heard %v first", heard[0])
	}
}

// Who hangs up between two calls is nobody to talk to.
func TestLegEndsBetweenCalls(t *testing.T) {
	l := (&Call{}).newLeg("ben")
	l.leaves(&Call{})
	if l.event(sip.Ended{}); !l.over {
		t.Error("a leg that has ended is taken for one that lives")
	}
}
