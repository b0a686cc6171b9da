package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// talk is how long callers speak before they press a key or hang up.
const talk = 200 * time.Millisecond

// BenchmarkMenuCall is a call to a menu: answered, a prompt of tone played,
// 200 ms of speech heard, the prompt interrupted by one RFC 4733 digit, hung up
// by the flow, recorded in the store. Caller and switch are in this process:
// the figure is that of both ends.
func BenchmarkMenuCall(b *testing.B) {
	x := start(b)
	x.create("/v2/ivr-menus", `{"menu_id":"menu_bench","name":"Bench","prompt":"prompt_bench","options":[{"digit":"1","destination":"done","destination_type":"hangup"}]}`)
	x.create("/v2/call-flows", `{"name":"Bench","phone_number":"`+did+`","routing":[{"pattern":"*","destination":"menu_bench","destination_type":"ivr_menu"}]}`)
	x.calls(64, 512, func(ctx context.Context, p *phone.Phone) error {
		c, err := x.talks(ctx, p)
		if err != nil {
			return err
		}
		// The flow may hang up while the key is still held.
		if err := c.SendDigits(ctx, "1"); err != nil && c.State() != phone.Ended {
			return fmt.Errorf("press 1: %w", err)
		}
		end, err := c.WaitEnded(ctx)
		if err == nil && (end.By != phone.ByThem || c.Stats().Received == 0) {
			err = fmt.Errorf("ended %+v after %+v", end, c.Stats())
		}
		return err
	})
}

// BenchmarkBridgedCall is a call that is bridged to a trunk, where it is
// answered at once; both say something for 200 ms, then the caller hangs up.
// All three ends are in this process.
func BenchmarkBridgedCall(b *testing.B) {
	x := start(b)
	x.create("/v2/call-flows", `{"name":"Bench","phone_number":"`+did+`","routing":[{"pattern":"*","destination":"+14155552673","destination_type":"phone_number"}]}`)
	x.calls(64, 512, func(ctx context.Context, p *phone.Phone) error {
		c, err := x.talks(ctx, p)
		if err != nil {
			return err
		}
		if s := c.Stats(); s.Received == 0 {
			return fmt.Errorf("the caller heard %+v", s)
		}
		if err := c.Hangup(ctx); err != nil {
			return fmt.Errorf("hang up: %w", err)
		}
		return nil
	})
}

// talks calls the switch and speaks for a moment when it has answered.
func (x *bench) talks(ctx context.Context, p *phone.Phone) (*phone.Call, error) {
	c, err := p.Invite(ctx, "sip:"+did+"@"+x.addr.String(), phone.Options{From: "+14155552672"})
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	if err := c.WaitState(ctx, phone.Established); err != nil {
		return nil, fmt.Errorf("wait for the answer: %w", err)
	}
	c.SendTone(400, -13, talk)
	if err := c.Drain(ctx); err != nil {
		return nil, fmt.Errorf("speak: %w", err)
	}
	return c, nil
}
