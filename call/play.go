package call

import (
	"context"
	"fmt"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media"
)

// Why a playback is over, in playback.completed.
const (
	reasonFinished    = "finished"
	reasonStopped     = "stopped"
	reasonInterrupted = "interrupted"
)

// playing is what the API plays to the caller.
type playing struct {
	id     string
	sound  *media.Playback
	reason string // why it was stopped; "" when it ended by itself
}

// Play plays audio to an answered caller. It comes back when it has begun.
func (c *Call) Play(ctx context.Context, r PlayRequest) (string, error) {
	clip, err := c.sys.Prompts.Load(ctx, ivr.Prompt{Ref: r.ref(), Language: r.Language, Voice: r.Voice})
	if err != nil {
		return "", fmt.Errorf("load the audio: %w", err)
	}
	loop := r.Loop
	if kept := c.plan.Prompt(r.PromptID); kept != nil && kept.Loop {
		loop = true
	}
	p := &playing{id: events.NewID("play_")}
	err = c.command(ctx, func() error {
		switch {
		case c.transfer.attending():
			return c.consulting("play-audio")
		case !c.caller.answered:
			return &StateError{State: c.record.Status, Verb: "play-audio", Need: "answer the call first"}
		case c.gather != nil:
			return &StateError{State: "gathering", Verb: "play-audio", Need: "wait until the digits asked for are there"}
		case c.serves != "":
			return &StateError{State: c.serves, Verb: "play-audio", Need: "wait until the flow is done with that"}
		}
		c.commanded()
		c.stopPlay(reasonInterrupted)
		c.silence() // second: the end of a playback brings the ringback tone back
		c.caller.hum(false)
		c.playback = p
		p.sound = c.caller.sound.Play(media.ClipSource(clip, loop))
		now := c.now()
		c.tell(&events.Playback{Event: events.PlaybackStarted, PlaybackID: p.id, At: now}, now)
		c.behind(func() {
			<-p.sound.Done()
			c.loop.Post(func() { c.played(p) })
		})
		return nil
	})
	return p.id, err
}

// prompts are what the caller hears. One that cannot be had is tones instead, and
// a step of the trace.
func (c *Call) prompts() ivr.Prompts {
	return &ivr.Audible{Prompts: c.sys.Prompts, Failed: func(_ ivr.Prompt, err error) {
		c.log.Warn("prompt cannot be played, playing tones instead", "err", err)
		c.loop.Post(func() {
			c.note(flows.Step{Kind: "prompt", Text: fmt.Sprintf("a prompt cannot be played, three short tones are heard instead: %v", err)})
		})
	}}
}

// ref is the one of the three that was given.
func (r PlayRequest) ref() string {
	switch {
	case r.PromptID != "":
		return r.PromptID
	case r.AudioURL != "":
		return r.AudioURL
	}
	return r.Message
}

// StopPlay ends what the API plays.
func (c *Call) StopPlay(ctx context.Context) error {
	return c.command(ctx, func() error {
		if c.playback == nil {
			return ErrNoPlayback
		}
		c.stopPlay(reasonStopped)
		return nil
	})
}

// stopPlay ends what the API plays, if anything. On the loop.
func (c *Call) stopPlay(reason string) {
	if c.playback == nil {
		return
	}
	p := c.playback
	p.reason = reason
	p.sound.Stop()
	c.played(p)
}

// played tells, once, that a playback is over.
func (c *Call) played(p *playing) {
	if c.playback != p {
		return
	}
	c.playback = nil
	if c.hunt.rings() {
		c.ringback() // the audio had taken its place
	}
	c.soothe()
	reason := p.reason
	if reason == "" {
		reason = reasonInterrupted
		if p.sound.Finished() {
			reason = reasonFinished
		}
	}
	now := c.now()
	c.tell(&events.Playback{
		Event: events.PlaybackCompleted, PlaybackID: p.id, Reason: reason, Duration: events.Seconds(p.sound.Played()), At: now,
	}, now)
}
