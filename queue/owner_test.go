package queue

import (
	"testing"
	"time"

	"b2bua/flows"
)

// still is a caller who does what the queue says and no more.
type still struct{ rung []Offer }

func (s *still) Ring(o Offer) { s.rung = append(s.rung, o) }
func (s *still) Out(string)   {}

func queueOf(members ...string) *flows.Queue {
	q := &flows.Queue{ID: "queue_a", Name: "queue_a", JoinWhenEmpty: true, Callback: &flows.QueueCallback{Key: "1", Numbers: []string{"+1415*"}}}
	for _, m := range members {
		q.Members = append(q.Members, flows.QueueMember{Destination: m, DestinationType: flows.ToDevice})
	}
	q.ApplyDefaults()
	return q
}

func carry(l *line) {
	for len(l.orders) > 0 {
		orders := l.orders
		l.orders = nil
		for _, o := range orders {
			o()
		}
	}
}

// personOf has all names of one phone be one person.
func personOf(m flows.QueueMember) string { return m.Destination[:1] }

// A queue that is deleted while it waits for a busy member wants the member no
// more, nor does it keep one it was granted as it closed.
func TestDeletedQueueWantsNobody(t *testing.T) {
	busy := Busy
	r := NewRoster(func(string) Presence { return busy })
	now := time.Unix(1_700_000_000, 0)
	l := newLine(queueOf("anna"), personOf, r, func(string) {}, now)
	l.join(now, joining{caller: &still{}, number: number(1)})
	if len(r.wants) != 1 {
		t.Fatalf("wants %v", r.wants)
	}
	l.close(now)
	busy = Free
	r.Freed("a")
	if len(r.wants) != 0 || len(r.taken) != 0 {
		t.Errorf("wants %v, taken %v", r.wants, r.taken)
	}
	r.want(l.owner, "a", want{grant: func(string) {}})
	r.Freed("a")
	r.leave(l.owner)
	if len(r.wants) != 0 || len(r.taken) != 0 {
		t.Errorf("after the end: wants %v, taken %v", r.wants, r.taken)
	}
}

// Who talks to a caller of a queue that was deleted is not rung by one made anew
// under its id.
func TestQueueMadeAnewRingsNobodyWhoTalks(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := NewRoster(nil)
	old := newLine(queueOf("anna"), personOf, r, func(string) {}, now)
	e, _ := old.join(now, joining{caller: &still{}, number: number(1)})
	old.accepted(now, e, "anna")
	old.close(now)
	anew, c := newLine(queueOf("anna"), personOf, r, func(string) {}, now), &still{}
	anew.join(now, joining{caller: c, number: number(2)})
	if carry(anew); len(c.rung) != 0 {
		t.Error("rung while talking")
	}
	old.over(now, e, "anna")
	old.settle(now.Add(time.Hour))
	anew.granted(now, "a")
	if carry(anew); len(c.rung) != 1 {
		t.Errorf("rung %d times", len(c.rung))
	}
}

// A member who is written otherwise while talking stays one person.
func TestMemberRespelledWhileTalking(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLine(queueOf("anna"), personOf, NewRoster(nil), func(string) {}, now)
	e, _ := l.join(now, joining{caller: &still{}, number: number(1)})
	l.accepted(now, e, "anna")
	l.configure(now, queueOf("a1"))
	c := &still{}
	l.join(now, joining{caller: c, number: number(2)})
	if carry(l); len(c.rung) != 0 {
		t.Error("rung while talking")
	}
	l.over(now, e, "anna")
	now = now.Add(time.Minute)
	l.settle(now)
	l.granted(now, "a")
	if carry(l); len(c.rung) != 1 || c.rung[0].Members[0].Destination != "a1" {
		t.Errorf("rung %v", c.rung)
	}
}
