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

// takeMessage takes a voicemail message into a box. It runs on the flow's
// goroutine and finishes even when the caller has hung up: that is how most
// messages end.
func (c *Call) takeMessage(ctx context.Context, b *flows.VoicemailBox) flows.Outcome {
	if n, err := c.sys.Store.Messages().Count(b.ID); err != nil {
		c.log.Error("count messages", "box", b.ID, "err", err)
	} else if n >= b.MaxMessages {
		return c.boxFull(ctx, b)
	}
	id := events.NewID("msg_")
	var rec *recorder.Recording
	result := c.desk.TakeMessage(ctx, b, func() (ivr.Recording, error) {
		var err error
		rec, err = recorder.Start(recorder.Options{
			Dir: c.sys.VoicemailDir, ID: id, Participant: recorder.Caller,
			MaxDuration: time.Duration(b.MaxDuration+1) * time.Second, Log: c.log,
		})
		if err != nil {
			return nil, fmt.Errorf("record the message: %w", err)
		}
		return rec, nil
	})
	if result.Err != nil && !errors.Is(result.Err, context.Canceled) && !errors.Is(result.Err, ivr.ErrHangup) {
		c.log.Error("take message", "box", b.ID, "err", result.Err)
	}
	switch {
	case result.Kept && rec != nil:
		c.keepMessage(b, id, rec.Result())
	case rec != nil:
		c.discard(b, rec.Result(), result)
	default:
		c.voicemail(&events.Voicemail{Event: events.VoicemailAbandoned, VoicemailBoxID: b.ID, Reason: result.Reason})
	}
	if ctx.Err() != nil {
		return gone
	}
	if result.Reason == ivr.MessageFailed && !result.Kept {
		return flows.Outcome{Result: flows.Failed, Detail: result.Err.Error()}
	}
	return flows.Outcome{Result: flows.Connected}
}

// keepMessage puts a message into the box and tells of it.
func (c *Call) keepMessage(b *flows.VoicemailBox, id string, r recorder.Result) {
	m := &store.Message{
		ID: id, BoxID: b.ID, CallID: c.id, From: c.env.Call.From, FromName: c.env.Call.FromDisplay,
		Duration: events.Seconds(r.Duration), Size: r.Size, SHA256: r.SHA256, Format: r.Format,
		Channels: r.Channels, SampleRate: r.SampleRate, Warning: r.Warning,
		Path: r.Path, CreatedAt: c.sys.Now(),
	}
	if err := c.sys.Store.Messages().Save(context.Background(), m); err != nil {
		// The file stays where it is: a message is never thrown away because
		// the index could not be written.
		c.log.Error("keep message", "box", b.ID, "message", id, "err", err)
		return
	}
	c.log.Info("voicemail received", "box", b.ID, "message", id, "duration", r.Duration)
	c.voicemail(&events.Voicemail{
		Event: events.VoicemailReceived, MessageID: id, VoicemailBoxID: b.ID, Duration: events.Seconds(r.Duration),
		URL: "/v2/voicemail-boxes/" + b.ID + "/messages/" + id + "/audio",
	})
}

// discard throws away what was too short to be a message.
func (c *Call) discard(b *flows.VoicemailBox, r recorder.Result, why ivr.MessageResult) {
	if err := os.Remove(r.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.log.Warn("remove an abandoned message", "err", err)
	}
	c.voicemail(&events.Voicemail{
		Event: events.VoicemailAbandoned, VoicemailBoxID: b.ID, Duration: events.Seconds(r.Duration), Reason: why.Reason,
	})
}

// boxFull tells the caller that no message can be left.
func (c *Call) boxFull(ctx context.Context, b *flows.VoicemailBox) flows.Outcome {
	c.voicemail(&events.Voicemail{Event: events.VoicemailBoxFull, VoicemailBoxID: b.ID})
	if err := c.desk.Say(ctx, ivr.Prompt{Ref: boxFullText, Language: b.Language, Voice: b.Voice}); err != nil && ctx.Err() == nil {
		c.log.Warn("say that the box is full", "err", err)
	}
	if ctx.Err() != nil {
		return gone
	}
	return flows.Outcome{Result: flows.Connected, Detail: "voicemail box full"}
}

const boxFullText = "This mailbox is full. No message can be left at this time. Goodbye."

// voicemail tells a fact about a message.
func (c *Call) voicemail(f *events.Voicemail) {
	_ = c.loop.Call(context.Background(), func() {
		now := c.now()
		f.At, f.From = now, c.record.From
		c.tell(f, now)
	})
}
