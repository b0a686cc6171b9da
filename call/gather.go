package call

import (
	"context"

	"b2bua/flows"
)

// gathering is a gather-dtmf at work. It runs on the API's goroutine.
type gathering struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when it reads no more keys
}

// stop ends the gathering; its result tells why. On the loop.
func (g *gathering) stop(why error) {
	if g != nil {
		g.cancel(why)
	}
}

// Gather asks the caller for digits for the API and waits for them.
func (c *Call) Gather(ctx context.Context, m *flows.IVRMenu) (flows.MenuResult, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := &gathering{cancel: cancel, done: make(chan struct{})}
	if err := c.command(ctx, func() error { return c.mayGather(g) }); err != nil {
		return flows.MenuResult{}, err
	}
	defer c.guard()
	defer close(g.done)
	defer c.keepSecret(ctx, m.Sensitive)()
	result := c.desk.Menu(ctx, flows.MenuRequest{Menu: m})
	_ = c.loop.Call(context.Background(), func() {
		c.gather = nil
		c.gathered(m, result)
	})
	return result, nil
}

// mayGather begins a gathering if nobody else asks the caller for digits.
func (c *Call) mayGather(g *gathering) error {
	no := func(state, need string) error { return &StateError{State: state, Verb: "gather-dtmf", Need: need} }
	switch {
	case c.transfer.attending():
		return c.consulting("gather-dtmf")
	case !c.caller.answered:
		return no(c.record.Status, "answer the call first")
	case c.peer != nil:
		return no("bridged", "the caller talks to somebody, whose keys these would be")
	case c.gather != nil:
		return no("gathering", "wait until the digits asked for now are there")
	case c.hunt != nil:
		return no("dialling", "wait until the party that is called answers or refuses")
	case c.next != nil:
		return no("being transferred", "wait for the transfer")
	case c.serves != "":
		return no(c.serves, "the flow has the caller; transfer the call to an application first")
	}
	c.gather = g
	c.commanded()
	return nil
}

// settle waits until a gathering that was stopped reads no more keys. On the
// flow's goroutine.
func (c *Call) settle() {
	var g *gathering
	_ = c.loop.Call(context.Background(), func() { g = c.gather })
	if g != nil {
		<-g.done
	}
}
