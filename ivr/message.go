package ivr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2bua/flows"
	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/media/signal"
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
	MessageOperator    = "operator" // 0 during the greeting: the caller wants a person
	MessageAccess      = "access"   // * during the greeting: the owner wants to listen
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

	// messageKey ends a message; the others lead out of the greeting.
	messageKey  = '#'
	operatorKey = '0'
	accessKey   = '*'

	// listenEvery is how often silence is looked at.
	listenEvery = 100 * time.Millisecond
)

// TakeMessage greets, prompts, beeps and records the caller until hang-up, the
// # key, the box's longest duration, its longest silence, or a call-progress
// tone, which is no part of the message. start opens the recording before the
// beep, so that nobody is asked to speak in vain; when TakeMessage returns, its
// file is complete. A key during greeting or prompt skips to the beep, but for 0,
// which wants the box's operator, and *, which wants its owner's menu.
func (d *Desk) TakeMessage(ctx context.Context, box *flows.VoicemailBox, start func() (Recording, error)) MessageResult {
	d.keys.Flush()
	if wants, err := d.greet(ctx, box); err != nil {
		return MessageResult{Reason: left(err), Err: err}
	} else if wants != "" {
		return MessageResult{Reason: wants}
	}
	rec, err := start()
	if err != nil {
		return MessageResult{Reason: MessageFailed, Err: fmt.Errorf("record message: %w", err)}
	}
	if err := d.hear(ctx, media.Beep(beepTime, beepLevel)); err != nil {
		rec.Finish()
		<-rec.Done()
		return MessageResult{Reason: left(err), Recorded: true, Err: err}
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
	r.Kept = r.Speech >= seconds(box.MinDuration, defaultSpeech)
	if reason == MessageFailed {
		// On a full disk, most likely. The caller is told, so it is no message.
		r.Kept, r.Err = false, errors.New("record message: the recording ended by itself")
	}
	return r
}

// greet plays greeting and prompt; wants is what the caller asked for instead of
// leaving a message.
func (d *Desk) greet(ctx context.Context, box *flows.VoicemailBox) (wants string, err error) {
	m := &menu{desk: d, menu: &flows.IVRMenu{ID: box.ID, Language: box.Language, Voice: box.Voice}}
	for _, ref := range []string{box.Welcome(), box.Prompt} {
		skip, err := m.present(ctx, ref)
		if err != nil {
			return "", err
		}
		if !skip {
			continue
		}
		key, _ := d.keys.next()
		switch {
		case key.Symbol == operatorKey && box.Operator != nil:
			return MessageOperator, nil
		case key.Symbol == accessKey && box.PIN != "":
			return MessageAccess, nil // what follows is the PIN
		}
		break
	}
	// What was pressed to get here does not end the message.
	d.keys.Flush()
	return "", nil
}

// Spoken is how much speech is in a sound, as TakeMessage measures it.
func Spoken(c audio.Clip) time.Duration {
	var ear signal.Listener
	frame := c.Rate / 50
	for at := 0; at+frame <= len(c.Samples); at += frame {
		ear.Write(c.Rate, c.Samples[at:at+frame])
	}
	return ear.Speech()
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
