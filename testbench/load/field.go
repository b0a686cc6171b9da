package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"b2bua/media/codec"
	"b2bua/testbench/load/dial"
	"b2bua/testbench/load/stream"
)

const (
	eventType = 101
	dynamic   = 96 // payload type of codecs that have none of their own
	// settling passes between the last answer and what is measured: sources are
	// learnt, buffers find their depth.
	settling = 1500 * time.Millisecond
	// draining is what may still be on its way when a window ends.
	draining = 500 * time.Millisecond
	patience = 32 * time.Second // RFC 3261: 64 times T1
)

// field is the far ends of a switch: all calls that are up, both ends of them.
type field struct {
	t      trial
	engine *stream.Engine
	line   *dial.Line
	all    sync.WaitGroup
	cancel context.CancelFunc

	mu      sync.Mutex
	calls   []*call
	changed chan struct{} // holds a value after a call has changed
}

// call is one call with its far ends.
type call struct {
	near, far       *stream.Stream // far: nil until the trunk is called
	number          string         // at which the trunk was called
	answered, ended bool
	left            bool // the trunk's leg is gone
	why             string
	farKeys         []byte // that came to the trunk by SIP INFO
}

// openField opens the sockets of the far ends of a switch.
func openField(ctx context.Context, t trial, bind, target netip.AddrPort) (*field, error) {
	f := &field{t: t, changed: make(chan struct{}, 1)}
	var err error
	if f.engine, err = stream.New(bind.Addr(), t.Ptime); err != nil {
		return nil, err
	}
	if f.line, err = dial.Open(bind, target, dial.Events{Answered: f.answered, Ended: f.ended, Invited: f.invited, Key: f.key, Left: f.left}); err != nil {
		f.engine.Close()
		return nil, err
	}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.all.Go(func() { f.engine.Run(ctx) })
	f.all.Go(func() { f.line.Run(ctx) })
	return f, nil
}

func (f *field) close() {
	f.cancel()
	f.all.Wait()
	f.engine.Close()
}

// raise makes further calls at the rate, and waits until all are up.
func (f *field) raise(ctx context.Context, further int) error {
	offer, err := f.sound()
	if err != nil {
		return err
	}
	began := time.Now()
	for i := range further {
		if err := pause(ctx, time.Until(began.Add(time.Duration(i)*time.Second/time.Duration(f.t.Rate)))); err != nil {
			return err
		}
		c := &call{near: f.engine.Open(callerVoice)}
		f.mu.Lock()
		at := len(f.calls)
		f.calls = append(f.calls, c)
		f.mu.Unlock()
		offer.At = c.near.Local()
		f.line.Call(at, f.t.Number, offer)
	}
	return f.await(ctx, "are up", func(c *call) bool { return c.answered && (f.t.menus() || c.far != nil) })
}

// await waits until something is true of every call. A call that has ended, which
// none should, is an error.
func (f *field) await(ctx context.Context, what string, is func(*call) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		f.mu.Lock()
		count, why := 0, ""
		for _, c := range f.calls {
			if is(c) {
				count++
			} else if c.ended {
				why = c.why
			}
		}
		of := len(f.calls)
		f.mu.Unlock()
		switch {
		case count == of:
			return nil
		case why != "":
			return fmt.Errorf("%d of %d calls %s; one was ended: %s", count, of, what, why)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d calls %s after %v: %w", count, of, what, patience, ctx.Err())
		case <-f.changed:
		}
	}
}

// change does something to a call and lets await look again.
func (f *field) change(at int, do func(*call)) {
	f.mu.Lock()
	if at < len(f.calls) {
		do(f.calls[at])
	}
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *field) answered(at int, s dial.Sound) {
	f.change(at, func(c *call) {
		if f.t.menus() && c.far == nil {
			c.near.HearVoice(promptVoice)
		}
		if err := f.connect(c.near, s, f.t.Codec); err != nil {
			c.ended, c.why = true, err.Error()
		}
		c.answered = true
	})
}

func (f *field) ended(at int, why string) {
	f.change(at, func(c *call) {
		c.near.Stop()
		c.ended, c.why = true, why
	})
}

func (f *field) left(at int) {
	f.change(at, func(c *call) {
		c.left = true
		if c.far != nil {
			c.far.Stop()
		}
	})
}

func (f *field) key(at int, trunk bool, key byte) {
	f.change(at, func(c *call) {
		if trunk {
			c.farKeys = append(c.farKeys, key)
		}
	})
}

// invited answers a call that the switch sends to the trunk.
func (f *field) invited(at int, number string, offer dial.Sound) (answer dial.Sound, err error) {
	err = fmt.Errorf("there is no call %d", at)
	f.change(at, func(c *call) {
		chosen, ok := offer.Find(f.t.Far)
		if !ok {
			err = fmt.Errorf("the switch does not offer %s", f.t.Far)
			return
		}
		answer = dial.Sound{Codecs: []dial.Codec{chosen}, Ptime: f.t.Ptime}
		for _, e := range offer.Codecs {
			if strings.EqualFold(e.Name, dial.EventName) && e.Clock == chosen.Clock && f.t.KeysBy != keysTones {
				answer.Codecs = append(answer.Codecs, e)
			}
		}
		c.far, c.number = f.engine.Open(calledVoice), number
		c.far.Hear(c.near)
		c.near.Hear(c.far)
		if f.t.KeysBy == keysTones {
			c.far.ListenForTones(true)
		}
		answer.At = c.far.Local()
		err = f.connect(c.far, dial.Sound{At: offer.At, Codecs: answer.Codecs}, f.t.Far)
	})
	return answer, err
}

// connect starts a stream as a description says.
func (f *field) connect(s *stream.Stream, told dial.Sound, name string) error {
	c, ok := told.Find(plain(name))
	if !ok {
		return fmt.Errorf("the switch does not speak %s", name)
	}
	format := stream.Format{Codec: name, PayloadType: c.Type, Ptime: f.t.Ptime}
	if e, ok := told.Find(dial.EventName); ok && f.t.KeysBy == keysEvents {
		format.Event = e.Type
	}
	return s.Start(told.At, format)
}

// hangUp ends all calls and waits until they are over.
func (f *field) hangUp(ctx context.Context) error {
	f.mu.Lock()
	count := len(f.calls)
	f.mu.Unlock()
	for at := range count {
		f.line.Hangup(at)
		if at%50 == 49 {
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return f.await(ctx, "are over", func(c *call) bool { return c.ended && (c.far == nil || c.left) })
}

// sound describes what a caller offers: one codec, and events unless keys are
// pressed as tones.
func (f *field) sound() (dial.Sound, error) {
	info, ok := codec.Lookup(f.t.Codec)
	if !ok {
		return dial.Sound{}, errors.New("no codec " + f.t.Codec)
	}
	c := dial.Codec{Name: info.Name, Clock: info.ClockRate, Channels: info.Channels, Type: dynamic}
	if info.PayloadType >= 0 {
		c.Type = uint8(info.PayloadType)
	}
	s := dial.Sound{Codecs: []dial.Codec{c}, Ptime: f.t.Ptime}
	if f.t.KeysBy != keysTones {
		s.Codecs = append(s.Codecs, dial.Codec{Name: dial.EventName, Clock: info.ClockRate, Type: eventType})
	}
	return s, nil
}

// plain is the name of a codec without the rate behind it.
func plain(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
