package sip_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip"
	"b2bua/testbench/memnet"
)

// everyone is a Directory in which every address is the trunk.
type everyone struct{ book }

func (everyone) TrunkBySource(netip.Addr) (sip.Trunk, bool) { return sip.Trunk{ID: "trunk_1"}, true }

// pair is two switches: near dials far.
type pair struct {
	near, far *bench
}

// lossy runs a story between two switches once with nothing lost and then again
// for every datagram, with that one lost. f must come to the same end each time.
func lossy(t *testing.T, f func(p pair)) {
	sent := 1 << 10
	for lost := 0; lost <= sent; lost++ {
		t.Run(fmt.Sprintf("lost %d", lost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New()
				count := 0
				n.Drop = func(d memnet.Datagram) bool {
					count = max(count, d.N)
					return d.N == lost
				}
				p := pair{near: lossyBench(t, n, switchAt), far: lossyBench(t, n, trunkAt)}
				f(p)
				time.Sleep(70 * time.Second)
				synctest.Wait()
				for _, b := range []*bench{p.near, p.far} {
					if s := b.ep.Stats(); s.Legs+s.Dialogs+s.ServerTransactions+s.ClientTransactions != 0 || s.Panics != 0 {
						t.Errorf("left over: %+v", s)
					}
				}
				if lost == 0 {
					sent = count
				}
			})
		})
	}
}

func lossyBench(t *testing.T, n *memnet.Network, at netip.AddrPort) *bench {
	b := &bench{t: t, net: n, invited: make(chan *sip.Invitation, 100)}
	var err error
	b.ep, err = sip.New(sip.Config{Listen: []string{"udp://" + at.String()}, ListenPacket: n.ListenPacket}, everyone{}, b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.ep.Run(ctx) }()
	<-b.ep.Ready()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func (p pair) ringing() (caller, callee *owner) {
	p.near.t.Helper()
	caller = p.near.dial(sip.Dial{})
	callee, _ = p.far.take()
	callee.do((*sip.Leg).Ring)
	time.Sleep(2 * time.Second)
	return caller, callee
}

// final skips the provisional events, of which any may be lost.
func final(o *owner) sip.Event {
	o.b.t.Helper()
	for {
		select {
		case ev := <-o.events:
			if _, ok := ev.(sip.Progressed); !ok {
				return ev
			}
		case <-time.After(70 * time.Second):
			o.b.t.Fatal("told nothing")
		}
	}
}

func TestAnyLossWhenAnswered(t *testing.T) {
	lossy(t, func(p pair) {
		caller, callee := p.ringing()
		callee.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		if ev, ok := final(caller).(sip.Answered); !ok || string(ev.SDP) != answerSDP {
			t.Errorf("caller told %#v", ev)
		}
		told[sip.Confirmed](callee)
		time.Sleep(3 * time.Second)
		caller.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) })
		told[sip.Offered](callee)
		callee.do(func(l *sip.Leg) { l.AcceptOffer(callee.offer, []byte(answerSDP)) })
		told[sip.Reanswered](caller)
		time.Sleep(3 * time.Second)
		caller.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		if ev := told[sip.Ended](callee); ev.By != sip.ByBye {
			t.Errorf("callee told %#v", ev)
		}
	})
}

func TestAnyLossWhenTheCalleeHangsUp(t *testing.T) {
	lossy(t, func(p pair) {
		caller, callee := p.ringing()
		callee.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)); l.Hangup(sip.Reason{}) })
		if ev, ok := final(caller).(sip.Answered); !ok {
			t.Errorf("caller told %#v", ev)
		}
		if ev := told[sip.Ended](caller); ev.By != sip.ByBye {
			t.Errorf("caller told %#v", ev)
		}
	})
}

func TestAnyLossWhenCancelled(t *testing.T) {
	lossy(t, func(p pair) {
		caller, callee := p.ringing()
		caller.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		if ev := told[sip.Ended](callee); ev.By != sip.ByCancel {
			t.Errorf("callee told %#v", ev)
		}
	})
}

func TestAnyLossWhenRejected(t *testing.T) {
	lossy(t, func(p pair) {
		caller, callee := p.ringing()
		callee.do(func(l *sip.Leg) { l.Reject(486, "") })
		if ev, ok := final(caller).(sip.Rejected); !ok || ev.Code != 486 {
			t.Errorf("caller told %#v", ev)
		}
	})
}
