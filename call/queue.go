package call

import (
	"context"
	"fmt"
	"time"

	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media"
	"b2bua/queue"
	"b2bua/sip"
)

// Queue lets the caller wait for a member of a queue, and talk to the one who
// answers.
func (s *seat) Queue(ctx context.Context, r flows.QueueRequest) flows.Outcome {
	return s.queue(ctx, r, "")
}

// queue is Queue, also for a caller who was called back and has a place already.
func (s *seat) queue(ctx context.Context, r flows.QueueRequest, entryID string) flows.Outcome {
	w := s.newWaiting(r)
	j := queue.Joining{QueueID: r.Queue.ID, Caller: w, CallID: s.call.id, Group: r.Group, MaxWait: r.MaxWait, EntryID: entryID}
	if s.call.loop.Call(ctx, func() {
		j.From, j.Dialled = s.call.record.From, s.call.record.To
		if who := s.call.caller.who; !who.withheld && isNumber(who.number) {
			j.Number = who.number
		}
	}) != nil {
		return gone
	}
	t, refused, err := s.call.sys.Queues.Join(ctx, j)
	switch {
	case ctx.Err() != nil:
		if t != nil {
			t.Leave(queue.Abandoned)
		}
		return gone
	case err != nil:
		return flows.Outcome{Result: flows.Missing, Detail: fmt.Sprintf("queue %s: %s", r.Queue.ID, err)}
	case refused != "":
		s.call.turnedAway(r.Queue, refused)
		return leftWith(refused, w)
	}
	if !r.Group && !s.answered(ctx, r.Queue.ID) {
		t.Leave(queue.Abandoned)
		return gone
	}
	return s.wait(ctx, w, t, entryID)
}

func (s *seat) newWaiting(r flows.QueueRequest) *waiting {
	return &waiting{call: s.call, act: s.act, req: r, done: make(chan flows.Outcome, 1), music: s.call.sys.HoldMusic()}
}

// wait is the time in line, and the conversation after it.
func (s *seat) wait(ctx context.Context, w *waiting, t *queue.Ticket, entryID string) flows.Outcome {
	c := s.call
	w.loadMusic(ctx)
	place, err := t.Place(ctx)
	if err != nil {
		t.Leave(queue.Failed)
		return flows.Outcome{Result: flows.Failed, Detail: err.Error()}
	}
	hosting, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	w.host, w.place = leave, place
	served := c.serve("waiting in a queue")
	_ = c.loop.Call(context.Background(), func() { w.begin(t, entryID) })
	verdict := w.entertain(hosting)
	served()
	if verdict != "" {
		_ = c.loop.Call(context.Background(), func() { w.leave(verdict) })
	}
	talks, result := false, ""
	_ = c.loop.Call(context.Background(), func() {
		if w.talks == nil {
			w.release(sip.Reason{}) // the call ends, or is wanted elsewhere
		}
		talks, result = w.talks != nil, w.result
	})
	if !talks {
		t.Leave(queue.Abandoned) // if it never began
		return leftWith(result, w)
	}
	select {
	case o := <-w.done:
		if o.Result == handedOn {
			return s.handOn(ctx)
		}
		return o
	case <-ctx.Done():
		c.loop.Post(func() { w.talks.release(sip.Reason{}) })
		return gone
	}
}

// leftWith is what a way to leave the queue means to the flow.
func leftWith(result string, w *waiting) flows.Outcome {
	o := flows.Outcome{Detail: "queue " + w.req.Queue.ID}
	switch result {
	case queue.Timeout:
		o.Result = flows.QueueTimeout
	case queue.Full:
		o.Result = flows.QueueFull
	case queue.Empty:
		o.Result = flows.QueueEmpty
	case queue.ExitKey:
		o.Result = flows.QueueExit
	case queue.CalledBack:
		o.Result, o.Detail = flows.Connected, "will be called back"
	case queue.Failed:
		o.Result = flows.Failed
	default:
		return gone
	}
	return o
}

// loadMusic fetches what the queue wants to be heard; the built-in music is there
// when that does not work.
func (w *waiting) loadMusic(ctx context.Context) {
	q := w.req.Queue
	if q.HoldMusic == "" || w.req.Group {
		return
	}
	clip, err := w.call.sys.Prompts.Load(ctx, ivr.Prompt{Ref: q.HoldMusic, Language: w.req.Language, Voice: q.Voice})
	if err != nil {
		if ctx.Err() == nil {
			w.call.log.Warn("hold music", "queue", q.ID, "err", err)
		}
		return
	}
	w.music = media.ClipSource(clip, true)
}

// entertain is what the caller hears and can do while waiting: greeting,
// announcements, keys. It comes back when that is over; verdict is how the caller
// wants to leave, "" when somebody else has decided. On the flow's goroutine.
func (w *waiting) entertain(ctx context.Context) (verdict string) {
	q := w.req.Queue
	if w.req.Group {
		<-ctx.Done()
		return ""
	}
	w.call.desk.Flush() // the way here is over
	if q.Greeting != "" {
		w.say(ctx, q.Greeting)
	}
	every := time.Hour
	if q.Announce != nil {
		every = time.Duration(q.Announce.Every) * time.Second
		w.announce(ctx)
	} else if q.Callback != nil {
		w.announce(ctx)
	}
	for ctx.Err() == nil {
		key, ok := w.call.desk.Key(ctx, every)
		switch {
		case ctx.Err() != nil:
		case !ok && q.Announce != nil:
			w.announce(ctx)
		case !ok:
		case q.ExitKey == string(rune(key)):
			return queue.ExitKey
		case q.Callback != nil && q.Callback.Key == string(rune(key)):
			if w.callBack(ctx) {
				return ""
			}
		}
	}
	return ""
}

// say interrupts the music for a text. A key interrupts the text.
func (w *waiting) say(ctx context.Context, text string) {
	if text == "" || ctx.Err() != nil {
		return
	}
	err := w.call.desk.Announce(ctx, ivr.Prompt{Ref: text, Language: w.req.Language, Voice: w.req.Queue.Voice})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.call.log.Warn("announce", "queue", w.req.Queue.ID, "err", err)
	}
	_ = w.call.loop.Call(ctx, w.hum)
}

// callBack lets the caller hang up and keep the place; false when that cannot be.
func (w *waiting) callBack(ctx context.Context) bool {
	c := w.call
	var rung []*poll
	may := false
	_ = c.loop.Call(ctx, func() {
		may = !w.over && w.talks == nil && w.req.Queue.Callback.May(c.caller.who.number) && !c.caller.who.withheld
		for _, p := range w.polls {
			may = may && p.at == nil
		}
		if may {
			w.frozen, rung = true, w.polls
			w.hangUp(sip.Reason{})
		}
	})
	if !may {
		w.say(ctx, w.phrase("no_callback"))
		return false
	}
	granted, err := w.ticket.CallBack(context.Background())
	_ = c.loop.Call(context.Background(), func() {
		w.frozen = false
		if err == nil && granted && !w.over {
			w.over = true
			w.told(queue.CalledBack, "")
			return
		}
		for _, p := range rung {
			w.ticket.Refused(p.member.Destination)
		}
	})
	if !granted {
		w.say(ctx, w.phrase("no_callback"))
		return false
	}
	if err := c.desk.Say(ctx, ivr.Prompt{Ref: w.phrase("callback_agreed"), Language: w.req.Language, Voice: w.req.Queue.Voice}); err != nil && ctx.Err() == nil {
		c.log.Warn("say that the caller is called back", "err", err)
	}
	return true
}
