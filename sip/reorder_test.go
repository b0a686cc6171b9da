package sip_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip"
	"b2bua/testbench/memnet"
)

// TestReordering lets many calls do different things at once over a network that
// delays, reorders and loses. Whatever happens, each leg ends and nothing is left
// over.
func TestReordering(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(seed, 1))
				n := memnet.New()
				n.Delay = func(memnet.Datagram) time.Duration { return time.Duration(1+dice.IntN(300)) * time.Millisecond }
				n.Drop = func(memnet.Datagram) bool { return dice.IntN(20) == 0 }
				p := pair{near: lossyBench(t, n, switchAt), far: lossyBench(t, n, trunkAt)}
				var wg sync.WaitGroup
				for i := range 40 {
					wg.Go(func() { p.anyCall(rand.New(rand.NewPCG(seed, uint64(100+i)))) })
				}
				done := make(chan struct{})
				go func() {
					for {
						select {
						case in := <-p.far.invited:
							wg.Go(func() { p.far.anyAnswer(in) })
						case <-done:
							return
						}
					}
				}()
				wg.Wait()
				time.Sleep(3 * time.Minute)
				close(done)
				synctest.Wait()
				for _, b := range []*bench{p.near, p.far} {
					if s := b.ep.Stats(); s.Legs+s.Dialogs+s.ServerTransactions+s.ClientTransactions != 0 || s.Panics != 0 {
						t.Errorf("left over: %+v", s)
					}
				}
			})
		})
	}
}

func (p pair) anyCall(dice *rand.Rand) {
	o := p.near.dial(sip.Dial{To: fmt.Sprint(dice.IntN(4))})
	patience := time.Duration(dice.IntN(4000)) * time.Millisecond
	for end := time.After(patience); ; {
		select {
		case ev := <-o.events:
			switch ev.(type) {
			case sip.Answered:
				o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)); l.Info("application/dtmf-relay", []byte("Signal=1")) })
			case sip.Offered:
				o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
			case sip.Rejected, sip.Ended:
				return
			}
		case <-end:
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			return
		}
	}
}

// anyAnswer does what the dialled digit says.
func (b *bench) anyAnswer(in *sip.Invitation) {
	if in.To.User == "0" {
		in.Reject(486, "")
		return
	}
	o := b.owner()
	o.leg = in.Take(o.loop.Post, o.on)
	o.do((*sip.Leg).Ring)
	if in.To.User == "1" {
		time.Sleep(time.Second)
	}
	o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
	for {
		select {
		case ev := <-o.events:
			switch ev.(type) {
			case sip.Confirmed:
				if in.To.User == "2" {
					o.do(func(l *sip.Leg) { l.Reinvite([]byte(offerSDP)) }) // glare
				}
			case sip.Offered:
				o.do(func(l *sip.Leg) { l.AcceptOffer(o.offer, []byte(answerSDP)) })
			case sip.Ended:
				return
			}
		case <-time.After(2 * time.Minute):
			o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
			return
		}
	}
}
