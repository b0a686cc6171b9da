package stories_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
)

// late is how long a datagram is held up, so that later ones overtake it and a
// request has been said again before it arrives.
const late = 700 * time.Millisecond

// brisk is the pace of the calls of the matrix: what is held up in one step is
// still under way in the next.
const brisk = 200 * time.Millisecond

// trouble is what becomes of one SIP datagram of a call, in either direction.
type trouble struct {
	kind string // lost, duplicated, delayed, swapped

	mu   sync.Mutex
	nth  int // counted from 1; 0 means that all goes well
	seen int
	now  bool // this datagram is the n-th
	what string
}

func (t *trouble) begin(nth int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nth, t.seen, t.what = nth, 0, "nothing"
}

func (t *trouble) hit() (seen int, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen, t.what
}

// count is the first hook the network calls for a datagram.
func (t *trouble) count(d memnet.Datagram) (lost bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = false
	if !signalling(d) {
		return false
	}
	t.seen++
	if t.now = t.seen == t.nth; t.now {
		line, _, _ := bytes.Cut(d.Payload, []byte("\r\n"))
		t.what = fmt.Sprintf("%s from %v to %v", line, d.From, d.To)
	}
	return t.now && t.kind == "lost"
}

func (t *trouble) is(kind string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now && t.kind == kind
}

func (t *trouble) on(n *memnet.Network) {
	n.Delay = func(memnet.Datagram) time.Duration {
		if t.is("delayed") {
			return n.Latency + late
		}
		return n.Latency
	}
	n.Duplicate = func(memnet.Datagram) bool { return t.is("duplicated") }
	n.Swap = func(memnet.Datagram) bool { return t.is("swapped") }
}

// basicFlow is a call as it goes every day. Before each call ready is run, if
// there is one; play goes through the call to its end.
type basicFlow struct {
	name  string
	least int // SIP datagrams when all goes well
	set   func(s *stage) (ready func(), play func() []*phone.Call)
	hold  string // what becomes of holds, if not music
}

// Whatever becomes of whichever SIP datagram, a call comes to the end it comes to
// when all goes well: on both legs, told once, and with nothing left over.
func TestTrouble(t *testing.T) {
	for _, f := range basicFlows {
		for _, kind := range []string{"lost", "duplicated", "delayed", "swapped"} {
			t.Run(f.name+" "+kind, func(t *testing.T) {
				tr := &trouble{kind: kind}
				story(t, func(s *stage) { s.troubled(f, tr) }, undrawn, config(func(c *configs.Config) {
					patient(c)
					c.Trunks[0].Hold = f.hold
				}), network(tr.on))
			})
		}
	}
}

func (s *stage) troubled(f basicFlow, tr *trouble) {
	s.Helper()
	ready, play := f.set(s)
	var want string
	for n := 0; ; n++ {
		if ready != nil {
			ready()
		}
		pass(time.Second)
		s.customer.forget()
		tr.begin(n)
		s.drop(tr.count)
		calls := play()
		seen, what := tr.hit()
		s.drop(nil)
		pass(40 * time.Second) // of this call nothing is under way any more
		got := s.howItEnded(calls)
		if n == 0 {
			want = got
			if seen < f.least || strings.Contains(got, "error") {
				s.Fatalf("%d datagrams: %s", seen, got)
			}
		}
		if got != want {
			s.Fatalf("datagram %d %s: %s\n  it came to %s\nand without to %s", n, tr.kind, what, got, want)
		}
		if left := s.leftOver(); len(left) > 0 {
			s.Fatalf("datagram %d %s: %s\nleft over %v", n, tr.kind, what, left)
		}
		if n > seen {
			return
		}
	}
}

// howItEnded is what the phones and the customer know of the end of calls.
func (s *stage) howItEnded(calls []*phone.Call) string {
	var all []string
	for i, c := range calls {
		e := c.Ending()
		all = append(all, fmt.Sprintf("leg %d %v by %s %d", i+1, c.State(), e.By, e.Code))
	}
	var told []string
	for _, e := range s.customer.all() {
		switch e.str("event") {
		case "call.completed", "call.failed":
			d := e.obj("data")
			told = append(told, e.str("event")+" "+d.str("completion_reason")+d.str("failure_reason"))
		}
	}
	slices.Sort(told)
	return strings.Join(append(all, told...), ", ")
}

// insists does something again as long as the other end says that it is in the
// middle of something (RFC 3261 §14.1).
func (s *stage) insists(do func() error) {
	s.Helper()
	for range 8 {
		err := do()
		var status *phone.StatusError
		if !errors.As(err, &status) || status.Code != 491 && status.Code != 500 {
			s.must(err)
			return
		}
		pass(time.Second)
	}
	s.Fatal("never taken")
}
