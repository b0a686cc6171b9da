package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// answer is how one request of a question ended.
type answer struct {
	reply RouteReply
	try   Try
	err   error
}

// race sends the request, and once more when the first one fails or is slow.
// The second one does not replace the first: both may still answer, and the
// receiver can tell by X-Idempotency-Key that they are one question. So a
// receiver that needs four seconds is heard, and one that lost a request gets
// another.
func (r *Router) race(caller context.Context, address string, x *Exchange) (RouteReply, error) {
	ctx, cancel := context.WithTimeout(caller, r.cfg.Timeout)
	answers := make(chan answer, 2)
	sent, open := 0, 0
	send := func() {
		sent++
		open++
		go func() {
			var a answer
			a.reply, a.try, a.err = r.once(ctx, address, x.Key, x.Request)
			answers <- a
		}()
	}
	receive := func(a answer) {
		open--
		x.Tries = append(x.Tries, a.try)
	}
	defer func() {
		cancel()
		for open > 0 {
			receive(<-answers)
		}
	}()
	send()
	second := time.NewTimer(r.cfg.SecondAfter)
	defer second.Stop()
	for {
		select {
		case a := <-answers:
			receive(a)
			switch {
			case !retriable(a.err):
				return a.reply, a.err
			case ctx.Err() != nil:
				return RouteReply{}, r.late(caller)
			case sent < 2:
				send()
			case open == 0:
				return RouteReply{}, a.err
			}
		case <-second.C:
			if sent < 2 {
				send()
			}
		case <-ctx.Done():
			return RouteReply{}, r.late(caller)
		}
	}
}

// late is the error of a question whose time is up, or whose caller is gone.
func (r *Router) late(caller context.Context) error {
	if err := caller.Err(); err != nil {
		return err
	}
	return transient{fmt.Errorf("no answer within %s", r.cfg.Timeout)}
}

// transient is an error after which asking again makes sense.
type transient struct{ error }

// Unwrap gives the cause.
func (t transient) Unwrap() error { return t.error }

func retriable(err error) bool {
	var t transient
	return errors.As(err, &t)
}
