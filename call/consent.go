package call

import (
	"context"
	"slices"
	"time"

	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media"
	"b2bua/media/audio"
)

// The tone that says that a recording begins, as ITU-T has it: 1400 Hz.
const (
	recordTone  = 1400.0
	recordTime  = 400 * time.Millisecond
	recordLevel = -18.0
)

// announceTime is the longest that a consent text may take to be made and spoken:
// no caller is kept from the flow for longer.
const announceTime = 30 * time.Second

// notice has what the flow says wait until an announcement has been made. On the
// loop.
func (c *Call) notice() {
	if c.noticed == nil {
		c.noticed = make(chan struct{})
	}
}

// announced: the announcement has been made, or will not be. On the loop.
func (c *Call) announced() {
	if c.noticed != nil {
		close(c.noticed)
		c.noticed = nil
	}
}

// announce lets all parties hear that a recording has begun: a text, a tone, both
// or nothing. It goes over what they hear anyway, and is in no recording. On the
// loop.
func (c *Call) announce(want flows.Recording) {
	if want.Announce == "" && !want.Beep {
		return
	}
	c.behind(func() {
		defer func() { _ = c.loop.Call(context.Background(), c.announced) }()
		ctx, cancel := context.WithTimeout(context.Background(), announceTime)
		defer cancel()
		var clip audio.Clip
		if want.Announce != "" {
			text, err := c.sys.Prompts.Load(ctx, ivr.Prompt{Ref: want.Announce, Language: want.Language, Voice: want.Voice})
			if err != nil {
				c.log.Error("announce the recording", "err", err)
			}
			clip = text
		}
		if want.Beep {
			clip = beepAfter(clip)
		}
		var heard []*media.Playback
		_ = c.loop.Call(ctx, func() {
			if c.ending != nil {
				return
			}
			for _, l := range []*leg{c.caller, c.peer} {
				if l != nil && len(clip.Samples) > 0 {
					heard = append(heard, l.sound.PlayOver(media.ClipSource(clip, false)))
				}
			}
		})
		for _, p := range heard {
			select {
			case <-p.Done():
			case <-ctx.Done():
			}
		}
	})
}

// beepAfter is a text with the tone behind it.
func beepAfter(clip audio.Clip) audio.Clip {
	if clip.Rate == 0 {
		clip.Rate = 8000
	}
	tone := audio.Tone(clip.Rate, recordTime, recordLevel, recordTone)
	clip.Samples = append(slices.Clone(clip.Samples), tone.Samples...)
	return clip
}

// informed waits until the caller has heard what must be heard first. Not on the
// loop.
func (c *Call) informed() {
	var noticed chan struct{}
	_ = c.loop.Call(context.Background(), func() { noticed = c.noticed })
	if noticed != nil {
		<-noticed
	}
}
