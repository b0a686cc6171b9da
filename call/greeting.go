package call

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media/audio"
	"b2bua/recorder"
)

// greeting is one that is being recorded, or was and is not in use yet.
type greeting struct {
	id  string
	rec *recorder.Recording
}

const greetingTime = 2 * time.Minute

// Greeting is the prompt that the owner has recorded, if any.
func (o *ownBox) Greeting() string { return o.box().RecordedGreeting }

// RecordGreeting opens the file of a new greeting among the prompts.
func (o *ownBox) RecordGreeting() (ivr.Recording, error) {
	id := events.NewID(flows.GreetingPrefix)
	rec, err := recorder.Start(recorder.Options{
		Dir: o.call.sys.PromptsDir, ID: id, Format: recorder.WAV, Participant: recorder.Caller, MaxDuration: greetingTime, Log: o.call.log,
	})
	if err != nil {
		return nil, err
	}
	o.made = &greeting{id: id, rec: rec}
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
	return clip.Resample(8000), nil
}

// UseGreeting lets callers hear the greeting recorded last.
func (o *ownBox) UseGreeting() error {
	if err := o.setGreeting(o.made.id); err != nil {
		return err
	}
	o.made = nil
	return nil
}

// ForgetGreeting removes the greeting recorded last, unless it is in use.
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
	if strings.HasPrefix(before, flows.GreetingPrefix) && before != id {
		if err := os.Remove(filepath.Join(o.call.sys.PromptsDir, before+".wav")); err != nil && !errors.Is(err, os.ErrNotExist) {
			o.call.log.Warn("remove the greeting before", "err", err)
		}
	}
	return nil
}
