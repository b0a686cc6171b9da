package ivr

import (
	"context"
	"errors"
	"time"

	"b2bua/media"
	"b2bua/media/audio"
)

// A greeting is as long as a caller may be asked to listen.
const (
	longestGreeting = 120 * time.Second
	greetingSilence = 5 * time.Second
	shortestSpeech  = 300 * time.Millisecond
)

// greetings is the menu of the owner's own greeting.
func (r *reader) greetings(ctx context.Context) error {
	for silent := 0; silent < ownerAttempts; {
		key, err := r.ask(ctx, r.text(sayGreetingKeys))
		if err != nil {
			return err
		}
		silent++
		switch key {
		case 0:
			continue
		case keyLeave:
			return nil
		case '1':
			err = r.playGreeting(ctx)
		case '2':
			err = r.newGreeting(ctx)
		case '3':
			err = r.deleteGreeting(ctx)
		}
		if silent = 0; err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) playGreeting(ctx context.Context) error {
	ref := r.box.Greeting()
	if ref == "" {
		return r.say(ctx, sayNoGreeting)
	}
	return r.tell(ctx, said(ref))
}

func (r *reader) deleteGreeting(ctx context.Context) error {
	if r.box.Greeting() == "" {
		return r.say(ctx, sayNoGreeting)
	}
	if err := r.box.DeleteGreeting(); err != nil {
		r.desk.log.Error("delete a greeting", "err", err)
		return r.say(ctx, sayUnavailable)
	}
	return r.say(ctx, sayGreetingDeleted)
}

// newGreeting records until the owner is content. What is not used is forgotten,
// however the owner leaves.
func (r *reader) newGreeting(ctx context.Context) error {
	for {
		clip, err := r.record(ctx)
		if ctx.Err() != nil {
			r.box.ForgetGreeting()
			return context.Cause(ctx)
		}
		if err != nil {
			r.box.ForgetGreeting()
			r.desk.log.Error("record a greeting", "err", err)
			return r.say(ctx, sayGreetingFailed)
		}
		again, err := r.judge(ctx, clip)
		if again {
			r.box.ForgetGreeting()
			continue
		}
		return err
	}
}

// judge asks what is to become of a greeting.
func (r *reader) judge(ctx context.Context, clip audio.Clip) (again bool, err error) {
	for silent := 0; silent < ownerAttempts; {
		key, err := r.ask(ctx, r.text(sayGreetingDone))
		if err != nil {
			r.box.ForgetGreeting()
			return false, err
		}
		silent++
		switch key {
		case '1':
			silent = 0
			if _, err := r.hear(ctx, part{clip: clip}); err != nil {
				r.box.ForgetGreeting()
				return false, err
			}
		case '2':
			return true, nil
		case '3':
			if err := r.box.UseGreeting(); err != nil {
				r.box.ForgetGreeting()
				r.desk.log.Error("use a greeting", "err", err)
				return false, r.say(ctx, sayGreetingFailed)
			}
			return false, r.say(ctx, sayGreetingKept)
		case keyLeave:
			r.box.ForgetGreeting()
			return false, nil
		}
	}
	r.box.ForgetGreeting()
	return false, nil
}

// record beeps and records one greeting.
func (r *reader) record(ctx context.Context) (audio.Clip, error) {
	d := r.desk
	if err := r.say(ctx, sayRecordGreeting); err != nil {
		return audio.Clip{}, err
	}
	rec, err := r.box.RecordGreeting()
	if err != nil {
		return audio.Clip{}, err
	}
	defer func() { rec.Finish(); <-rec.Done() }()
	d.keys.Flush()
	if err := d.hear(ctx, media.Beep(beepTime, beepLevel)); err != nil {
		return audio.Clip{}, err
	}
	voice := newDetector()
	d.line.AddTap(rec)
	d.line.AddTap(voice)
	end, err := r.spoken(ctx, rec, voice)
	d.line.RemoveTap(voice)
	d.line.RemoveTap(rec)
	if err != nil {
		return audio.Clip{}, err
	}
	if end > 0 {
		rec.FinishAt(end)
	}
	rec.Finish()
	<-rec.Done()
	if voice.spoken() < shortestSpeech {
		return audio.Clip{}, errors.New("nothing was said")
	}
	return r.box.RecordedGreeting()
}

// spoken waits for the end of a greeting: a key, silence, or the longest that it
// may be. The silence at its end is cut off.
func (r *reader) spoken(ctx context.Context, rec Recording, voice *detector) (end time.Duration, err error) {
	began := time.Now()
	look := time.NewTicker(listenEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-rec.Done():
			return 0, errors.New("the recording ended by itself")
		case <-r.desk.keys.ready:
			if _, pressed := r.desk.keys.next(); pressed {
				return 0, nil
			}
		case <-look.C:
			switch quiet := voice.quiet(); {
			case quiet >= greetingSilence && voice.spoken() >= shortestSpeech:
				return time.Since(began) - quiet + 300*time.Millisecond, nil
			case quiet >= 2*greetingSilence, time.Since(began) >= longestGreeting:
				return 0, nil
			}
		}
	}
}
