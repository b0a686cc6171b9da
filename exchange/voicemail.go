package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media/audio"
	"b2bua/notice"
	"b2bua/recorder"
	"b2bua/store"
	"b2bua/webhook"
)

// receive puts a message into its box, together with the event that tells of it
// and whatever is to be sent because of it.
func (x *Exchange) receive(ctx context.Context, box *flows.VoicemailBox, m *store.Message, told events.Event) error {
	body, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("encode the event of message %s: %w", m.ID, err)
	}
	if err := x.store.Receive(ctx, m, told, notice.For(box, m, body)); err != nil {
		return err
	}
	x.notices.Wake()
	return nil
}

// newNotices makes who sends e-mail and calls the webhooks of boxes.
func (x *Exchange) newNotices() (*notice.Office, error) {
	secret, err := x.store.RoutingSecret()
	if err != nil {
		return nil, fmt.Errorf("secret of webhooks: %w", err)
	}
	m, client := x.cfg.Mail, x.newClient()
	return notice.New(x.store, notice.Config{
		Mail: notice.Mail{
			Host: m.Host, Port: m.Port, TLS: m.TLS, Username: m.Username, Password: m.Password, From: m.From,
			Timeout: time.Duration(m.Timeout), Trust: x.opt.MailTrust,
		},
		Post: func(ctx context.Context, url string, body []byte) (final bool, err error) {
			return webhook.Post(ctx, client, url, secret, body)
		},
		Open: func(path string) (*os.File, error) { return os.OpenInRoot(x.cfg.VoicemailDir(), filepath.Base(path)) },
		Now:  x.opt.Now,
	}, x.log), nil
}

// settled is told by the webhooks of every event that everybody has been told of.
func (x *Exchange) settled(e events.Event) {
	switch e.Name {
	case events.VoicemailReceived, events.RecordingCompleted, events.RecordingFailed:
	default:
		return
	}
	x.errands.add(func() error { return x.store.Told(e.ID) })
}

// recoverMessages makes messages of what callers had said when the process before
// this one was killed. It runs before calls are taken.
func (x *Exchange) recoverMessages(ctx context.Context) error {
	left, err := x.store.Untold()
	if err != nil {
		return fmt.Errorf("read the events that were not told: %w", err)
	}
	for _, e := range left {
		x.bus.Publish(e)
	}
	x.sweepGreetings()
	drafts, err := x.store.Drafts()
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if err := x.recoverMessage(ctx, d); err != nil {
			// A full disk keeps nobody from telephoning.
			x.log.Error("message not recovered yet", "message", d.ID, "err", err)
			x.errands.add(func() error { return x.recoverMessage(context.WithoutCancel(ctx), d) })
		}
	}
	return nil
}

// sweepGreetings removes the files of greetings on which nobody has decided.
func (x *Exchange) sweepGreetings() {
	left, _ := filepath.Glob(filepath.Join(x.cfg.VoicemailDir(), call.ScratchPrefix+"*")) // the pattern is a good one
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			x.log.Warn("remove what is left of a greeting", "err", err)
		}
	}
}

// lostSound is what a killed process may not have written yet: a message that
// would have been long enough with it is one.
const lostSound = time.Second

// lostEvents is how many events of its call may have been told since the message
// began, of keys mostly; the numbers of events only rise.
const lostEvents = 100

func (x *Exchange) recoverMessage(ctx context.Context, d *store.Draft) error {
	m := d.Message
	log := x.log.With("message", m.ID, "box", m.BoxID, "call", m.CallID)
	r, err := recorder.Recover(m.Path)
	box := x.store.Plan().Box(m.BoxID)
	fact := m.Received()
	least := time.Duration(d.MinLen*float64(time.Second)) - lostSound
	switch {
	case errors.Is(err, fs.ErrNotExist), box == nil:
		log.Warn("message given up after an unclean stop", "err", err)
		return x.store.DropDraft(ctx, m.ID)
	case err != nil:
		log.Error("message cannot be recovered; its file stays", "path", m.Path, "err", err)
		fact.Event, fact.MessageID, fact.URL, fact.Reason = events.VoicemailAbandoned, "", "", recorder.DiskFail
	case spoken(m.Path) < least:
		fact.Event, fact.MessageID, fact.URL, fact.Reason = events.VoicemailAbandoned, "", "", "hangup"
		if err := removeAudio(m.Path); err != nil {
			return err
		}
	}
	now := x.opt.Now()
	fact.Head, fact.At, fact.Duration = d.Head, now, events.Seconds(r.Duration)
	fact.Sequence += lostEvents
	if fact.Event == events.VoicemailAbandoned {
		if err := x.store.DropDraft(ctx, m.ID); err != nil {
			return err
		}
		x.bus.Publish(events.New(fact, now))
		return nil
	}
	m.Duration, m.Size, m.SHA256, m.Warning = fact.Duration, r.Size, r.SHA256, r.Warning
	m.Format, m.Channels, m.SampleRate = r.Format, r.Channels, r.SampleRate
	m.Warning = "completed after the switch was stopped in mid-call"
	told := events.New(fact, now)
	if err := x.receive(ctx, box, &m, told); err != nil {
		return err
	}
	log.Warn("message recovered after an unclean stop", "duration", r.Duration)
	x.bus.Publish(told)
	return nil
}

// spoken is how much speech is in a file.
func spoken(path string) time.Duration {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{})
	if err != nil {
		return 0
	}
	return ivr.Spoken(clip.Resample(8000))
}
