package ivr

import (
	"context"
	"errors"
	"time"

	"b2bua/flows"
	"b2bua/media"
	"b2bua/media/audio"
)

// Letter is a message as its owner is told of it.
type Letter struct {
	ID     string
	From   string // the number, or what else is known
	Name   string
	At     time.Time
	Length time.Duration
	New    bool // not listened to
}

// ErrLetterGone says that a message was deleted meanwhile, by the API or on
// another phone.
var ErrLetterGone = errors.New("the message is gone")

// Mailbox is what an owner can do with a box.
type Mailbox interface {
	Language() (language, voice string)
	Zone() *time.Location // of spoken times
	// Letters are the messages, the new ones first, each sort with the oldest first.
	Letters() ([]Letter, error)
	Load(id string) (audio.Clip, error)
	Keep(id string) error // as listened to
	Delete(id string) error
	// CallBack connects the owner with the caller; ok is false when that may not be.
	CallBack(ctx context.Context, l Letter) (ok bool)

	Greeting() string // the prompt that is recorded; "" for none
	RecordGreeting() (Recording, error)
	RecordedGreeting() (audio.Clip, error) // the one recorded last
	UseGreeting() error                    // the one recorded last
	ForgetGreeting()                       // the one recorded last, unless it is in use
	DeleteGreeting() error
}

// The keys of the owner's menu.
const (
	keyAgain    = '1'
	keyKeep     = '2'
	keyDelete   = '3'
	keyPrevious = '4'
	keyEnvelope = '5'
	keyNext     = '6'
	keyCallBack = '8'
	keyGreeting = '9'
	keyLeave    = '*'
	keyEnough   = '#' // stops what is heard; else as keyNext
)

const (
	ownerTimeout  = 5 * time.Second // for a key
	ownerAttempts = 3
)

// bargeable is a menu whose prompts a key interrupts.
var bargeable flows.IVRMenu

// reader is an owner in a box.
type reader struct {
	desk    *Desk
	box     Mailbox
	tongue  *tongue
	letters []Letter
	at      int
}

// Read lets an owner listen to a box, until the owner leaves or hangs up.
func (d *Desk) Read(ctx context.Context, box Mailbox) error {
	language, _ := box.Language()
	r := &reader{desk: d, box: box, tongue: tongueOf(language)}
	if err := r.list(); err != nil {
		_ = r.say(ctx, sayUnavailable) // that is all that can be done
		return err
	}
	if err := r.summary(ctx); err != nil {
		return err
	}
	return r.run(ctx)
}

func (r *reader) list() (err error) {
	r.letters, err = r.box.Letters()
	return err
}

// summary says how many messages there are.
func (r *reader) summary(ctx context.Context) error {
	fresh := 0
	for _, l := range r.letters {
		if l.New {
			fresh++
		}
	}
	if len(r.letters) == 0 {
		return r.say(ctx, sayNothing)
	}
	return r.say(ctx, sayCount, r.tongue.counted(fresh, 0), r.tongue.counted(len(r.letters)-fresh, 1))
}

// run plays message after message and does what the keys say.
func (r *reader) run(ctx context.Context) error {
	play := true
	for silent := 0; silent < ownerAttempts; {
		key, err := r.turn(ctx, play)
		if err != nil {
			return err
		}
		if key == 0 {
			silent, play = silent+1, false
			continue
		}
		silent = 0
		if key == keyLeave {
			break
		}
		if play, err = r.do(ctx, key); err != nil {
			return err
		}
	}
	return r.say(ctx, sayGoodbye)
}

// turn plays the message at hand, if that is wanted, names the keys and waits for
// one; 0 when none comes.
func (r *reader) turn(ctx context.Context, play bool) (byte, error) {
	if r.at >= len(r.letters) {
		return r.ask(ctx, r.text(sayHelpless))
	}
	if !play {
		return r.ask(ctx, r.text(sayKeys))
	}
	l := &r.letters[r.at]
	state := sayOld
	if l.New {
		state = sayNew
	}
	head := r.tongue.words(sayNumber, r.at+1, len(r.letters)) + " " + r.tongue.phrases[state] + " " + r.tongue.envelope(*l, r.box.Zone())
	clip, err := r.box.Load(l.ID)
	switch {
	case errors.Is(err, ErrLetterGone):
		return r.ask(ctx, r.text(sayGone), r.text(sayKeys))
	case err != nil:
		r.desk.log.Error("play a message", "message", l.ID, "err", err)
		return r.ask(ctx, said(head), r.text(sayUnplayable), r.text(sayKeys))
	}
	heard := part{clip: clip, then: func() { r.heard(l) }}
	return r.ask(ctx, said(head), heard, r.text(sayKeys))
}

// heard notes that a message was listened to.
func (r *reader) heard(l *Letter) {
	if !l.New {
		return
	}
	if err := r.box.Keep(l.ID); err != nil && !errors.Is(err, ErrLetterGone) {
		r.desk.log.Error("mark a message as read", "message", l.ID, "err", err)
		return
	}
	l.New = false
}

// do does what a key says; play tells whether the message at hand is to be heard.
func (r *reader) do(ctx context.Context, key byte) (play bool, err error) {
	if key == keyGreeting {
		return false, r.greetings(ctx)
	}
	if r.at >= len(r.letters) {
		return r.back(key), nil
	}
	l := &r.letters[r.at]
	switch key {
	case keyAgain:
		return true, nil
	case keyKeep:
		r.heard(l)
		return r.next(ctx, saySaved)
	case keyDelete:
		return r.delete(ctx, l)
	case keyPrevious:
		if r.at == 0 {
			return true, r.say(ctx, sayFirst)
		}
		r.at--
		return true, nil
	case keyEnvelope:
		return false, r.tell(ctx, said(r.tongue.envelope(*l, r.box.Zone())))
	case keyNext, keyEnough:
		r.heard(l)
		return r.next(ctx, -1)
	case keyCallBack:
		return false, r.callBack(ctx, *l)
	}
	return false, nil
}

// back is the way from behind the last message: to the first one, or to the last.
func (r *reader) back(key byte) (play bool) {
	switch {
	case len(r.letters) == 0:
		return false
	case key == keyAgain:
		r.at = 0
	case key == keyPrevious:
		r.at = len(r.letters) - 1
	default:
		return false
	}
	return true
}

// next goes on to the next message, having said what was done with this one. Those
// that have come meanwhile are found at the end.
func (r *reader) next(ctx context.Context, done Phrase) (play bool, err error) {
	if done >= 0 {
		if err := r.say(ctx, done); err != nil {
			return false, err
		}
	}
	if r.at++; r.at < len(r.letters) {
		return true, nil
	}
	if err := r.list(); err != nil {
		return false, err
	}
	r.at = 0
	if len(r.letters) > 0 && r.letters[0].New {
		return true, r.summary(ctx)
	}
	r.at = len(r.letters)
	return false, r.say(ctx, sayNoMore)
}

func (r *reader) delete(ctx context.Context, l *Letter) (play bool, err error) {
	switch err := r.box.Delete(l.ID); {
	case errors.Is(err, ErrLetterGone):
		if err := r.say(ctx, sayGone); err != nil {
			return false, err
		}
	case err != nil:
		r.desk.log.Error("delete a message", "message", l.ID, "err", err)
		return false, r.say(ctx, sayUnavailable)
	}
	r.letters = append(r.letters[:r.at:r.at], r.letters[r.at+1:]...)
	r.at--
	return r.next(ctx, sayDeleted)
}

func (r *reader) callBack(ctx context.Context, l Letter) error {
	if !r.box.CallBack(ctx, l) {
		return r.say(ctx, sayNoCallBack)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.say(ctx, sayBackAgain)
}

// part is one thing to be heard: a text, or a clip.
type part struct {
	words string
	clip  audio.Clip
	then  func() // when it was heard to its end; nil for nothing
}

func said(words string) part { return part{words: words} }

func (r *reader) text(p Phrase, args ...any) part { return said(r.tongue.words(p, args...)) }

func (r *reader) say(ctx context.Context, p Phrase, args ...any) error {
	return r.tell(ctx, r.text(p, args...))
}

// tell lets something be heard, unless keys wait already: who knows the way types
// ahead.
func (r *reader) tell(ctx context.Context, p part) error {
	_, err := r.hear(ctx, p)
	return err
}

// ask lets parts be heard until a key is pressed, and then waits for one.
func (r *reader) ask(ctx context.Context, parts ...part) (key byte, err error) {
	for _, p := range parts {
		stopped, err := r.hear(ctx, p)
		if err != nil {
			return 0, err
		}
		if stopped {
			break
		}
	}
	timer := time.NewTimer(ownerTimeout)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if key, ok := r.desk.keys.next(); ok {
			return key.Symbol, nil
		}
		select {
		case <-r.desk.keys.ready:
		case <-timer.C:
			return 0, nil
		case <-ctx.Done():
		}
	}
}

// hear plays one part until its end or a key.
func (r *reader) hear(ctx context.Context, p part) (stopped bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	if r.desk.keys.Waiting() > 0 {
		return true, nil
	}
	clip := p.clip
	if p.words != "" {
		language, voice := r.box.Language()
		if clip, err = r.desk.prompts.Load(ctx, Prompt{Ref: p.words, Language: language, Voice: voice}); err != nil {
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			r.desk.log.Warn("not said to the owner of a mailbox", "err", err)
			return false, nil
		}
	}
	stopped, err = (&menu{desk: r.desk, menu: &bargeable}).hear(ctx, media.ClipSource(clip, false))
	if !stopped && err == nil && p.then != nil {
		p.then()
	}
	return stopped, err
}
