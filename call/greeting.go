package call

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media/audio"
	"b2bua/recorder"
	"b2bua/store"
)

// greetingPrefix begins the ids of prompts that owners have recorded by phone.
const greetingPrefix = "prompt_greeting_"

// ScratchPrefix begins the names of files in the folder of messages that are none:
// greetings that nobody has decided on yet.
const ScratchPrefix = "greeting_"

// Greetings keeps what owners have recorded, as prompts.
type Greetings interface {
	Record(ctx context.Context, p *flows.Prompt, clip audio.Clip) error
	Delete(ctx context.Context, id, ifMatch string) error
}

// greeting is one that is being recorded, or was and is not in use yet.
type greeting struct {
	rec  *recorder.Recording
	clip audio.Clip
}

const greetingTime = 2 * time.Minute

// Greeting is the prompt that the owner has recorded, if any.
func (o *ownBox) Greeting() string { return o.box().RecordedGreeting }

// RecordGreeting opens the file of a new greeting.
func (o *ownBox) RecordGreeting() (ivr.Recording, error) {
	rec, err := recorder.Start(recorder.Options{
		Dir: o.call.sys.VoicemailDir, ID: events.NewID(ScratchPrefix), Format: recorder.WAV, Participant: recorder.Caller,
		MaxDuration: greetingTime, Log: o.call.log,
	})
	if err != nil {
		return nil, err
	}
	o.made = &greeting{rec: rec}
	return rec, nil
}

// RecordedGreeting is the sound of the greeting recorded last.
func (o *ownBox) RecordedGreeting() (audio.Clip, error) {
	r := o.made.rec.Result()
	if r.Err != nil {
		return audio.Clip{}, r.Err
	}
	f, err := os.Open(r.Path)
	if err != nil {
		return audio.Clip{}, fmt.Errorf("open the greeting: %w", err)
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{Duration: greetingTime + time.Second})
	if err != nil {
		return audio.Clip{}, fmt.Errorf("read the greeting: %w", err)
	}
	o.made.clip = clip.Resample(8000)
	return o.made.clip, nil
}

// UseGreeting makes a prompt of the greeting recorded last, and lets callers hear
// it.
func (o *ownBox) UseGreeting() error {
	box := o.box()
	p := &flows.Prompt{ID: events.NewID(greetingPrefix), Name: strings.TrimSpace("Greeting of " + box.Name), Language: box.Language}
	if err := o.call.sys.Greetings.Record(context.Background(), p, o.made.clip); err != nil {
		return fmt.Errorf("keep the greeting of box %s: %w", o.id, err)
	}
	if err := o.setGreeting(p.ID); err != nil {
		o.forget(p.ID)
		return err
	}
	o.ForgetGreeting() // the file it was made of
	return nil
}

// ForgetGreeting removes the file of the greeting recorded last.
func (o *ownBox) ForgetGreeting() {
	if o.made == nil {
		return
	}
	if err := os.Remove(o.made.rec.Stop().Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		o.call.log.Warn("remove a greeting", "err", err)
	}
	o.made = nil
}

// DeleteGreeting lets callers hear the written greeting again.
func (o *ownBox) DeleteGreeting() error { return o.setGreeting("") }

func (o *ownBox) setGreeting(id string) error {
	before := ""
	if _, err := o.call.sys.Store.Boxes().Update(context.Background(), o.id, "", func(b *flows.VoicemailBox) error {
		before, b.RecordedGreeting = b.RecordedGreeting, id
		return nil
	}); err != nil {
		return fmt.Errorf("change the greeting of box %s: %w", o.id, err)
	}
	// A prompt of somebody else's making may be in use elsewhere.
	if strings.HasPrefix(before, greetingPrefix) && before != id {
		o.forget(before)
	}
	return nil
}

func (o *ownBox) forget(prompt string) {
	if err := o.call.sys.Greetings.Delete(context.Background(), prompt, ""); err != nil && !errors.Is(err, store.ErrNotFound) {
		o.call.log.Warn("delete a greeting", "prompt", prompt, "err", err)
	}
}
