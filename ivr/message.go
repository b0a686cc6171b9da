package ivr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2bua/flows"
	"b2bua/media"
)

// Recording is what ivr needs of *recorder.Recording. Finish asks it to end
// without waiting, FinishAt to leave out what came after so much of it; Done is
// closed when its file is complete.
type Recording interface {
	media.Tap
	Finish()
	FinishAt(keep time.Duration)
	Done() <-chan struct{}
}

// How a message ended.
const (
	MessageHangup      = "hangup"
	MessageFinishKey   = "finish_key"
	MessageMaxDuration = "max_duration"
	MessageSilence     = "silence"
	MessageTone        = "tone" // a busy, congestion or ringback tone instead of the caller
	MessageCancelled   = "cancelled"
	MessageFailed      = "failed"
)

// MessageResult tells what came of TakeMessage. Kept is false when less than
// the box's minimum of speech was heard: the caller throws the file away.
type MessageResult struct {
	Kept     bool
	Reason   string
	Recorded bool          // start was called and gave a recording
	Duration time.Duration // from the beep to the end
	Speech   time.Duration // of it, somebody spoke
	Err      error         // why it failed
}

// Defaults of a box, and the beep of contract: 1000 Hz for half a second.
const (
	defaultMessage = 120 * time.Second
	defaultSilence = 10 * time.Second
	defaultSpeech  = 2 * time.Second

	beepTime  = 500 * time.Millisecond
	beepLevel = -10.0 // dBm0

	// messageKey ends a message.
	messageKey = '#'

	// listenEvery is how often silence is looked at.
	listenEvery = 100 * time.Millisecond
)

// TakeMessage greets, prompts, beeps and records the caller until hang-up, the
// # key, the box's longest duration, its longest silence, or a call-progress
// tone, which is no part of the message. start opens the recording right after
// the beep; when TakeMessage returns, its file is complete. A key during greeting or prompt skips to the beep.
func (d *Desk) TakeMessage(ctx context.Context, box *flows.VoicemailBox, start func() (Recording, error)) MessageResult {
	d.keys.Flush()
	if err := d.greet(ctx, box); err != nil {
		return MessageResult{Reason: left(err), Err: err}
	}
	rec, err := start()
	if err != nil {
		return MessageResult{Reason: MessageFailed, Err: fmt.Errorf("record message: %w", err)}
	}
	began := time.Now()
	voice := newDetector()
	d.line.AddTap(rec)
	d.line.AddTap(voice)
	reason := d.listen(ctx, box, rec, voice)
	d.line.RemoveTap(voice)
	d.line.RemoveTap(rec)
	r := MessageResult{Reason: reason, Recorded: true, Duration: time.Since(began)}
	if end, ok := voice.toned(); ok && reason != MessageFailed {
		// Whatever ended it at last: the tone came first.
		r.Reason, r.Duration = MessageTone, end
		rec.FinishAt(end)
	} else {
		rec.Finish()
	}
	<-rec.Done()
	r.Speech = voice.spoken()
	// A recording that ended by itself, on a full disk, holds what was said so far.
	r.Kept = r.Speech >= seconds(box.MinDuration, defaultSpeech)
	if reason == MessageFailed {
		r.Err = errors.New("record message: the recording ended by itself")
	}
	return r
}

// greet plays greeting, prompt and beep.
func (d *Desk) greet(ctx context.Context, box *flows.VoicemailBox) error {
	m := &menu{desk: d, menu: &flows.IVRMenu{ID: box.ID, Language: box.Language, Voice: box.Voice}}
	for _, ref := range []string{box.Greeting, box.Prompt} {
		skip, err := m.present(ctx, ref)
		if err != nil {
			return err
		}
		if skip {
			break
		}
	}
	// What was pressed to get here does not end the message.
	d.keys.Flush()
	return d.hear(ctx, media.Beep(beepTime, beepLevel))
}

// listen waits for the end of the message.
func (d *Desk) listen(ctx context.Context, box *flows.VoicemailBox, rec Recording, voice *detector) string {
	most := time.NewTimer(seconds(box.MaxDuration, defaultMessage))
	defer most.Stop()
	look := time.NewTicker(listenEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return left(context.Cause(ctx))
		case <-most.C:
			return MessageMaxDuration
		case <-rec.Done():
			return MessageFailed
		case <-look.C:
			if _, ok := voice.toned(); ok {
				return MessageTone
			}
			if voice.quiet() >= seconds(box.MaxSilence, defaultSilence) {
				return MessageSilence
			}
		case <-d.keys.ready:
			for key, ok := d.keys.next(); ok; key, ok = d.keys.next() {
				if key.Symbol == messageKey {
					return MessageFinishKey
				}
			}
		}
	}
}

// left is the reason for a context that ended.
func left(cause error) string {
	if errors.Is(cause, ErrHangup) {
		return MessageHangup
	}
	return MessageCancelled
}
