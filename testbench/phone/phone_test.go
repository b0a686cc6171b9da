package phone_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

var update = flag.Bool("update", false, "keep the ladders as they are now")

// pair is two phones that call each other without a switch between them.
type pair struct {
	net        *memnet.Network
	ladder     *phone.Ladder
	alice, bob *phone.Phone
}

// together runs a test with two phones, in virtual time.
func together(t *testing.T, a, b phone.Quirks, test func(t *testing.T, p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{net: memnet.New(), ladder: phone.NewLadder("alice", "bob")}
		p.alice = p.phone(t, "alice", "10.0.0.1:5060", a)
		p.bob = p.phone(t, "bob", "10.0.0.2:5060", b)
		test(t, p)
		for _, one := range []*phone.Phone{p.alice, p.bob} {
			if err := one.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := p.net.Listeners(); n != 0 {
			t.Errorf("%d sockets left open", n)
		}
	})
}

func (p *pair) phone(t *testing.T, name, at string, q phone.Quirks, codecs ...string) *phone.Phone {
	t.Helper()
	conn, err := p.net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	one, err := phone.New(phone.Config{
		Name: name, Conn: conn, Quirks: q, Ladder: p.ladder, Codecs: codecs,
		ListenRTP: func(at netip.AddrPort) (phone.RTPConn, error) { return p.net.Listen(at) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	return one
}

// soon ends a wait that lasts longer than everything that can happen.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

func (p *pair) invite(t *testing.T, o phone.Options) *phone.Call {
	t.Helper()
	c, err := p.alice.Invite(soon(t), p.bob.URI(), o)
	must(t, err)
	return c
}

func (p *pair) next(t *testing.T) *phone.Call {
	t.Helper()
	c, err := p.bob.Next(soon(t))
	must(t, err)
	return c
}

// connected is a call that bob has answered.
func (p *pair) connected(t *testing.T, o phone.Options) (a, b *phone.Call) {
	t.Helper()
	a = p.invite(t, o)
	b = p.next(t)
	b.Ring()
	must(t, b.Accept())
	must(t, a.WaitState(soon(t), phone.Established))
	must(t, b.WaitState(soon(t), phone.Established))
	return a, b
}

func (p *pair) golden(t *testing.T) {
	t.Helper()
	if err := phone.Golden(filepath.Join("testdata", t.Name()+".ladder"), p.ladder.String(), *update); err != nil {
		t.Error(err)
	}
}

func TestCallAndHangup(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a, b := p.connected(t, phone.Options{Display: "Alice"})
		if a.Codec() != phone.PCMU || b.Codec() != phone.PCMU {
			t.Errorf("%s and %s", a.Codec(), b.Codec())
		}
		pass(time.Second)
		must(t, a.Hangup(soon(t)))
		e, err := b.WaitEnded(soon(t))
		must(t, err)
		if e.By != phone.ByThem || a.Ending().By != phone.ByUs {
			t.Errorf("%+v, %+v", e, a.Ending())
		}
		if s := b.Stats(); s.Lost != 0 || s.SSRCs != 1 || s.Received < 50 || s.Received > 52 {
			t.Errorf("%+v", s)
		}
		must(t, a.Hangup(soon(t)))
		p.golden(t)
	})
}

func TestCancel(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a := p.invite(t, phone.Options{})
		b := p.next(t)
		b.Ring()
		must(t, a.WaitState(soon(t), phone.Ringing))
		must(t, a.Cancel(soon(t)))
		if e, _ := b.WaitEnded(soon(t)); e.By != phone.ByThem || e.Code != 487 {
			t.Errorf("%+v", e)
		}
		if e := a.Ending(); e.By != phone.ByUs || e.Code != 487 {
			t.Errorf("%+v", e)
		}
		p.golden(t)
	})
}

func TestReject(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{RejectWith: 486}, func(t *testing.T, p *pair) {
		a := p.invite(t, phone.Options{})
		err := a.WaitState(soon(t), phone.Established)
		var ended *phone.EndedError
		if !errors.As(err, &ended) || ended.By != phone.ByRefusal || ended.Code != 486 {
			t.Errorf("%v", err)
		}
		p.golden(t)
	})
}

func TestHoldAndResume(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a, b := p.connected(t, phone.Options{})
		must(t, a.Hold(soon(t)))
		must(t, b.WaitHeld(soon(t), true))
		pass(100 * time.Millisecond)
		before := a.Stats().Received
		pass(time.Second)
		if n := a.Stats().Received - before; n != 0 {
			t.Errorf("%d packets while held", n)
		}
		must(t, a.Resume(soon(t)))
		must(t, b.WaitHeld(soon(t), false))
		pass(time.Second)
		if n := a.Stats().Received - before; n < 45 {
			t.Errorf("%d packets after it", n)
		}
		must(t, b.Hangup(soon(t)))
		p.golden(t)
	})
}

func TestOfferInThe200(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a, b := p.connected(t, phone.Options{NoOffer: true})
		a.SendTone(440, -10, 500*time.Millisecond)
		b.SendTone(1000, -10, 500*time.Millisecond)
		pass(time.Second)
		for _, c := range []struct {
			call *phone.Call
			freq float64
		}{{a, 1000}, {b, 440}} {
			if got := sound.Tones(c.call.Heard(), c.freq, -12); len(got) != 1 {
				t.Errorf("%v Hz: %v", c.freq, got)
			}
		}
		must(t, a.Hangup(soon(t)))
		p.golden(t)
	})
}

func TestNoCommonCodec(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a := p.invite(t, phone.Options{Codecs: []string{"G729"}})
		b := p.next(t)
		if err := b.Accept(); err == nil {
			t.Error("accepted")
		}
		if e, _ := a.WaitEnded(soon(t)); e.Code != 488 {
			t.Errorf("%+v", e)
		}
		p.golden(t)
	})
}

func TestToneArrivesAsItWasSent(t *testing.T) {
	for _, codec := range []string{phone.PCMU, phone.PCMA} {
		t.Run(codec, func(t *testing.T) {
			together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
				a, b := p.connected(t, phone.Options{Codecs: []string{codec}})
				pass(200 * time.Millisecond)
				at := time.Since(b.Stats().First)
				a.SendTone(440, -10, 300*time.Millisecond)
				must(t, a.Drain(soon(t)))
				pass(100 * time.Millisecond)
				heard := b.Heard()
				tones := sound.Tones(heard, 440, -10.5)
				if len(tones) != 1 {
					t.Fatalf("tones %v", tones)
				}
				one := tones[0]
				if d := one.From - at; d < 0 || d > 40*time.Millisecond {
					t.Errorf("began after %v", d)
				}
				if d := one.Length() - 300*time.Millisecond; d.Abs() > 3*time.Millisecond {
					t.Errorf("lasted %v", one.Length())
				}
				freq, level := sound.Frequency(sound.Window(heard, one.From+20*time.Millisecond, 250*time.Millisecond))
				if math.Abs(freq-440) > 0.5 || math.Abs(level+10) > 0.5 {
					t.Errorf("%.1f Hz at %.2f dBm0", freq, level)
				}
				must(t, a.Hangup(soon(t)))
			})
		})
	}
}

func TestDigits(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a, b := p.connected(t, phone.Options{})
		must(t, a.SendDigits(soon(t), "1#A"))
		must(t, a.SendDigitsTimed(soon(t), "99", 40*time.Millisecond, 40*time.Millisecond))
		pass(100 * time.Millisecond)
		if got := b.Digits(); got != "1#A99" {
			t.Errorf("heard %q", got)
		}
		for i, d := range b.DigitEvents() {
			want := phone.DigitLength
			if i > 2 {
				want = 40 * time.Millisecond
			}
			if d.Duration != want || !d.Ended {
				t.Errorf("%+v", d)
			}
		}
		must(t, a.SendInfo(soon(t), "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"))
		if got := b.Infos(); len(got) != 1 {
			t.Errorf("%q", got)
		}
		if err := a.SendDigits(soon(t), "x"); err == nil {
			t.Error("pressed a key that is none")
		}
		must(t, b.Hangup(soon(t)))
		if err := a.SendDigits(soon(t), "1"); err == nil {
			t.Error("pressed a key after the end")
		}
	})
}

func TestQuirks(t *testing.T) {
	t.Run("no ACK", func(t *testing.T) {
		together(t, phone.Quirks{NoACK: true}, phone.Quirks{}, func(t *testing.T, p *pair) {
			p.invite(t, phone.Options{})
			b := p.next(t)
			must(t, b.Accept())
			begin := time.Now()
			e, err := b.WaitEnded(soon(t))
			must(t, err)
			if took := time.Since(begin); e.By != phone.ByTimeout || took < 32*time.Second || took > 33*time.Second {
				t.Errorf("%+v after %v", e, took)
			}
		})
	})
	t.Run("late ACK", func(t *testing.T) {
		together(t, phone.Quirks{LateACK: 3 * time.Second}, phone.Quirks{}, func(t *testing.T, p *pair) {
			a, b := p.connected(t, phone.Options{})
			must(t, a.Hangup(soon(t)))
			must(t, b.WaitState(soon(t), phone.Ended))
			p.golden(t)
		})
	})
	t.Run("answers by itself", func(t *testing.T) {
		together(t, phone.Quirks{}, phone.Quirks{AnswerAfter: 4 * time.Second, NoRTP: true, Refuse: 488}, func(t *testing.T, p *pair) {
			begin := time.Now()
			a := p.invite(t, phone.Options{})
			must(t, a.WaitState(soon(t), phone.Established))
			if took := time.Since(begin).Truncate(time.Second); took != 4*time.Second {
				t.Errorf("answered after %v", took)
			}
			var status *phone.StatusError
			if err := a.Hold(soon(t)); !errors.As(err, &status) || status.Code != 488 {
				t.Errorf("hold: %v", err)
			}
			pass(time.Second)
			if s := a.Stats(); s.Received != 0 {
				t.Errorf("%+v", s)
			}
			must(t, a.Hangup(soon(t)))
		})
	})
	t.Run("silent", func(t *testing.T) {
		together(t, phone.Quirks{}, phone.Quirks{Silent: true}, func(t *testing.T, p *pair) {
			if e, _ := p.invite(t, phone.Options{}).WaitEnded(soon(t)); e.By != phone.ByTimeout || e.Code != 408 {
				t.Errorf("%+v", e)
			}
			p.golden(t)
		})
	})
}

// The same call with each of its SIP messages lost in turn: retransmission heals
// all of them.
func TestEveryMessageLostOnce(t *testing.T) {
	for lost := 1; lost <= 8; lost++ {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			together(t, phone.Quirks{}, phone.Quirks{NoTrying: true}, func(t *testing.T, p *pair) {
				n := 0
				p.net.Drop = func(d memnet.Datagram) bool {
					if d.To.Port() == 5060 {
						n++
						return n == lost
					}
					return false
				}
				a := p.invite(t, phone.Options{})
				b := p.next(t)
				b.Ring()
				pass(20 * time.Millisecond)
				must(t, b.Accept())
				must(t, b.WaitState(soon(t), phone.Established))
				must(t, a.WaitState(soon(t), phone.Established))
				must(t, a.Hangup(soon(t)))
				must(t, b.WaitState(soon(t), phone.Ended))
				pass(40 * time.Second)
				p.golden(t)
			})
		})
	}
}

func TestCloseInTheMiddle(t *testing.T) {
	together(t, phone.Quirks{}, phone.Quirks{}, func(t *testing.T, p *pair) {
		a, _ := p.connected(t, phone.Options{})
		p.invite(t, phone.Options{})
		a.SendTone(440, -10, time.Hour)
		done := make(chan error)
		go func() { done <- a.Drain(soon(t)) }()
		synctest.Wait()
		must(t, p.alice.Close())
		<-done
		if _, err := p.alice.Invite(t.Context(), p.bob.URI(), phone.Options{}); !errors.Is(err, phone.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
