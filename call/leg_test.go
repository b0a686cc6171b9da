package call

import (
	"context"
	"fmt"
	"testing"

	"b2bua/internal/loop"
	"b2bua/sip"
)

// What was told to the call that a leg has left, and waits on its loop, comes
// before what was told to the next one.
func TestOrderAcrossAHandover(t *testing.T) {
	before, between, after := &Call{id: "before", loop: loop.New()}, &Call{id: "between", loop: loop.New()}, &Call{id: "after", loop: loop.New()}
	l := before.newLeg("ben")
	var heard []int
	tell := func(n int) {
		if !l.post(func() { heard = append(heard, n) }) {
			t.Errorf("%d is not taken", n)
		}
	}
	// No loop runs yet: all that is told waits where it was told.
	tell(1)
	tell(2)
	l.leaves(between)
	tell(3)
	l.leaves(after)
	tell(4)
	tell(5)
	run := func(c *Call) {
		c.loop.Stop()
		c.loop.Run(context.Background())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		after.loop.Run(context.Background())
	}()
	if err := after.loop.Call(context.Background(), func() {}); err != nil { // the newest first
		t.Fatal(err)
	}
	run(between)
	run(before)
	after.loop.Stop()
	<-done
	if got := fmt.Sprint(heard); got != "[1 2 3 4 5]" {
		t.Errorf("heard %s", got)
	}
	if l.post(func() { t.Error("run by a call that is over") }) || len(l.inbox.queue) != 0 {
		t.Error("a call that is over takes something")
	}
}

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
