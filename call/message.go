package call

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/recorder"
	"b2bua/store"
)

// taking is a message being left.
type taking struct {
	call  *Call
	box   *flows.VoicemailBox
	draft *store.Draft
	rec   *recorder.Recording
}

// takeMessage takes a voicemail message into a box. It runs on the flow's
// goroutine and finishes even when the caller has hung up: that is how most
// messages end.
func (c *Call) takeMessage(ctx context.Context, b *flows.VoicemailBox) flows.Outcome {
	if n, err := c.sys.Store.Messages().Count(b.ID); err == nil && n >= b.MaxMessages {
		return c.boxFull(ctx, b)
	}
	t := &taking{call: c, box: b}
	result := c.desk.TakeMessage(ctx, b, t.start)
	if result.Err != nil && !errors.Is(result.Err, context.Canceled) && !errors.Is(result.Err, ivr.ErrHangup) && !errors.Is(result.Err, store.ErrBoxFull) {
		c.log.Error("take message", "box", b.ID, "err", result.Err)
	}
	switch {
	case errors.Is(result.Err, store.ErrBoxFull):
		return c.boxFull(ctx, b)
	case result.Reason == ivr.MessageOperator:
		return flows.Outcome{Result: flows.WantsOperator, Detail: "the caller wants the operator"}
	case result.Reason == ivr.MessageAccess:
		return flows.Outcome{Result: flows.WantsAccess, Detail: "the owner wants to listen"}
	case result.Reason == ivr.MessageFailed:
		return t.notTaken(ctx, result)
	case result.Kept:
		if !t.keep(ctx) {
			return t.notTaken(ctx, result)
		}
	default:
		t.discard(result)
	}
	if ctx.Err() != nil {
		return gone
	}
	return flows.Outcome{Result: flows.Connected}
}

// start opens the message: its file, and its place in the box, by which the next
// process finds the file should this one be killed.
func (t *taking) start() (ivr.Recording, error) {
	c := t.call
	rec, err := recorder.Start(recorder.Options{
		Dir: c.sys.VoicemailDir, ID: events.NewID("msg_"), Participant: recorder.Caller,
		MaxDuration: time.Duration(t.box.MaxDuration+1) * time.Second, Pool: c.sys.Recorders, Log: c.log,
	})
	if err != nil {
		return nil, err
	}
	file := rec.File()
	d := &store.Draft{Message: store.Message{
		ID: file.ID, BoxID: t.box.ID, CallID: c.id, From: c.env.Call.From, FromName: c.env.Call.FromDisplay,
		Format: file.Format, Channels: file.Channels, SampleRate: file.SampleRate, Warning: file.Warning,
		Path: file.Path, CreatedAt: c.sys.Now(),
	}, MinLen: float64(t.box.MinDuration)}
	_ = c.loop.Call(context.Background(), func() { d.Head = c.head(c.sequence) })
	if err := c.sys.Store.OpenDraft(context.Background(), d, t.box.MaxMessages); err != nil {
		rec.Stop()
		return nil, errors.Join(err, os.Remove(file.Path))
	}
	t.draft, t.rec = d, rec
	return rec, nil
}

// keep puts the message into the box and tells of it; false means that it could
// not, and that the caller is still there to be told.
func (t *taking) keep(ctx context.Context) bool {
	c, r := t.call, t.rec.Result()
	m := t.draft.Message
	m.Duration, m.Size, m.SHA256, m.Warning = events.Seconds(r.Duration), r.Size, r.SHA256, r.Warning
	m.Format, m.Channels, m.SampleRate, m.Path = r.Format, r.Channels, r.SampleRate, r.Path
	fact := m.Received()
	fact.From = c.env.Call.From
	var told events.Event
	_ = c.loop.Call(context.Background(), func() {
		now := c.now()
		fact.At = now
		fact.Head = c.head(c.sequence + 1)
		told = events.New(fact, now)
	})
	receive := func() error {
		return c.sys.Receive(context.Background(), t.box, &m, told)
	}
	err := receive()
	switch {
	case err == nil:
		c.log.Info("voicemail received", "box", t.box.ID, "message", m.ID, "duration", r.Duration)
		_ = c.loop.Call(context.Background(), func() { c.tellAs(told.ID, fact, fact.At) })
		return true
	case ctx.Err() == nil:
		c.log.Error("keep message", "box", t.box.ID, "message", m.ID, "err", err)
		return false
	}
	// Nobody can be told any more, and the sound is there: the index gets it as
	// soon as it can be written, at the next start at the latest.
	c.log.Error("message not in the box yet", "box", t.box.ID, "message", m.ID, "err", err)
	c.sys.Later(func() error {
		if err := receive(); err != nil {
			return fmt.Errorf("put message %s into box %s: %w", m.ID, t.box.ID, err)
		}
		c.sys.Bus.Publish(told)
		return nil
	})
	return true
}

// drop removes what there is of the message.
func (t *taking) drop() (length time.Duration) {
	if t.rec == nil {
		return 0
	}
	r := t.rec.Result()
	if err := os.Remove(r.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.call.log.Warn("remove an abandoned message", "err", err)
	}
	if err := t.call.sys.Store.DropDraft(context.Background(), r.ID); err != nil {
		t.call.log.Error("abandon a message", "message", r.ID, "err", err)
		t.call.sys.Later(func() error { return t.call.sys.Store.DropDraft(context.Background(), r.ID) })
	}
	return r.Duration
}

// discard throws away what was too short to be a message.
func (t *taking) discard(why ivr.MessageResult) {
	length := t.drop()
	t.call.voicemail(&events.Voicemail{
		Event: events.VoicemailAbandoned, VoicemailBoxID: t.box.ID, Duration: events.Seconds(length), Reason: why.Reason,
	})
}

// notTaken tells the caller that there is no message, because it could not be
// written.
func (t *taking) notTaken(ctx context.Context, why ivr.MessageResult) flows.Outcome {
	length := t.drop()
	t.call.voicemail(&events.Voicemail{
		Event: events.VoicemailAbandoned, VoicemailBoxID: t.box.ID, Duration: events.Seconds(length), Reason: recorder.DiskFail,
	})
	if why.Err == nil {
		why.Err = errors.New("the message could not be put into the box")
	}
	return t.call.regret(ctx, t.box, ivr.SayNotTaken, "no message was taken: "+why.Err.Error())
}

// boxFull tells the caller that no message can be left.
func (c *Call) boxFull(ctx context.Context, b *flows.VoicemailBox) flows.Outcome {
	c.voicemail(&events.Voicemail{Event: events.VoicemailBoxFull, VoicemailBoxID: b.ID})
	return c.regret(ctx, b, ivr.SayBoxFull, "voicemail box full")
}

// regret says why there will be no message.
func (c *Call) regret(ctx context.Context, b *flows.VoicemailBox, what ivr.Phrase, detail string) flows.Outcome {
	text := ivr.Prompt{Ref: ivr.Words(b.Language, what), Language: b.Language, Voice: b.Voice}
	if err := c.desk.Say(ctx, text); err != nil && ctx.Err() == nil {
		c.log.Warn("say what is wrong with the box", "err", err)
	}
	if ctx.Err() != nil {
		return gone
	}
	return flows.Outcome{Result: flows.Connected, Detail: detail}
}

// voicemail tells a fact about a message.
func (c *Call) voicemail(f *events.Voicemail) {
	_ = c.loop.Call(context.Background(), func() {
		now := c.now()
		f.At, f.From = now, c.record.From
		c.tell(f, now)
	})
}
