package call

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media/audio"
	"b2bua/store"
)

// Mailbox lets the owner of a box listen to it. No key of it is told to anybody:
// the first ones are a PIN.
func (s *seat) Mailbox(ctx context.Context, b *flows.VoicemailBox) flows.Outcome {
	c := s.call
	defer c.keepSecret(ctx, true)()
	if !s.answered(ctx, "voicemail_access") {
		return gone
	}
	defer c.serve("in a mailbox")()
	box := s.login(ctx, b)
	switch {
	case ctx.Err() != nil:
		return gone
	case box == nil:
		return flows.Outcome{Result: flows.Connected, Detail: "no PIN was right"}
	}
	c.log.Info("mailbox opened", "box", box.ID)
	s.Note(flows.Step{Kind: "mailbox", Text: "the owner listens to voicemail box " + box.ID, Detail: map[string]any{"voicemail_box_id": box.ID}})
	err := c.desk.Read(ctx, &ownBox{call: c, seat: s, id: box.ID})
	switch {
	case ctx.Err() != nil:
		return gone
	case err != nil:
		c.log.Error("mailbox", "box", box.ID, "err", err)
		return flows.Outcome{Result: flows.Connected, Detail: "the mailbox could not be read: " + err.Error()}
	}
	return flows.Outcome{Result: flows.Connected}
}

// login finds out who listens: the phone of a box's owner, which has proved that
// it is, or somebody who knows a PIN. nil when it is nobody's.
func (s *seat) login(ctx context.Context, b *flows.VoicemailBox) *flows.VoicemailBox {
	c := s.call
	device := c.plan.Device(c.record.Device)
	ask := b == nil
	if own := device != nil && device.VoicemailBoxID != ""; ask && own {
		b = c.plan.Box(device.VoicemailBoxID)
		ask = b == nil
	}
	language, voice := flows.DefaultLanguage, ""
	if b != nil {
		b = c.sys.Store.Plan().Box(b.ID) // the PIN is the one of today
	}
	if b != nil {
		language, voice = b.Language, b.Voice
		if b.PIN == "" && device != nil && device.VoicemailBoxID == b.ID {
			return b
		}
	}
	var found *flows.VoicemailBox
	check := func(number, pin string) bool {
		box := b
		if ask {
			box = c.sys.Store.Plan().BoxByNumber(number)
		}
		if box != nil && box.PIN == "" {
			box = nil // nobody can know its PIN
		}
		key := ""
		if box != nil {
			if key = box.ID; device != nil && device.VoicemailBoxID == box.ID {
				key += "@" + device.ID
			}
		}
		ok, err := c.sys.Store.TryPIN(box, key, pin)
		if err != nil {
			c.log.Error("look at a PIN", "err", err)
		}
		if ok {
			found = box
		} else {
			c.log.Warn("mailbox not opened", "cause", "wrong PIN, or too many of them before")
		}
		return ok
	}
	c.desk.Login(ctx, language, voice, ask, check)
	return found
}

// ownBox is a box in the hands of its owner.
type ownBox struct {
	call *Call
	seat *seat
	id   string
	made *greeting // the greeting recorded last, while it is not in use
}

var _ ivr.Mailbox = (*ownBox)(nil)

func (o *ownBox) box() *flows.VoicemailBox {
	if b := o.call.sys.Store.Plan().Box(o.id); b != nil {
		return b
	}
	return &flows.VoicemailBox{ID: o.id, Language: flows.DefaultLanguage} // deleted meanwhile
}

// Language is that of the box.
func (o *ownBox) Language() (language, voice string) {
	b := o.box()
	return b.Language, b.Voice
}

// Zone is where the owner lives.
func (o *ownBox) Zone() *time.Location { return o.box().Zone() }

// Letters are the messages, the new ones first.
func (o *ownBox) Letters() (list []ivr.Letter, err error) {
	for cursor := ""; ; {
		page, next, err := o.call.sys.Store.Messages().List(store.Query[store.Message]{Owner: o.id}, cursor, store.MaxPage)
		if err != nil {
			return nil, fmt.Errorf("list the messages of box %s: %w", o.id, err)
		}
		for _, m := range page {
			list = append(list, ivr.Letter{
				ID: m.ID, From: m.From, Name: m.FromName, At: m.CreatedAt, New: !m.Read,
				Length: time.Duration(m.Duration * float64(time.Second)),
			})
		}
		if cursor = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b ivr.Letter) int {
		switch {
		case a.New == b.New:
			return 0
		case a.New:
			return -1
		}
		return 1
	})
	return list, nil
}

// letterTime is the longest that a message may be to be played.
const letterTime = 61 * time.Minute

// Load decodes the sound of a message.
func (o *ownBox) Load(id string) (audio.Clip, error) {
	m, err := o.message(id)
	if err != nil {
		return audio.Clip{}, err
	}
	f, err := os.OpenInRoot(o.call.sys.VoicemailDir, filepath.Base(m.Path))
	if err != nil {
		return audio.Clip{}, fmt.Errorf("open message %s: %w", id, err)
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{Duration: letterTime})
	if err != nil {
		return audio.Clip{}, fmt.Errorf("read message %s: %w", id, err)
	}
	return clip.Resample(8000), nil
}

func (o *ownBox) message(id string) (*store.Message, error) {
	m, err := o.call.sys.Store.Messages().Get(id)
	return m, lost(err)
}

// lost is an error as ivr knows it.
func lost(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ivr.ErrLetterGone
	}
	return err
}

// Keep marks a message as listened to.
func (o *ownBox) Keep(id string) error {
	_, err := o.call.sys.Store.Messages().Update(context.Background(), id, "", func(m *store.Message) error {
		m.Read = true
		return nil
	})
	return lost(err)
}

// Delete removes a message, the sound before the row as the API does.
func (o *ownBox) Delete(id string) error {
	m, err := o.message(id)
	if err != nil {
		return err
	}
	if err := os.Remove(m.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete message %s: %w", id, err)
	}
	_, err = o.call.sys.Store.Messages().Delete(context.Background(), id, "")
	return lost(err)
}

// callBackTime is how long a caller who is called back may take to answer.
const callBackTime = 45 * time.Second

// CallBack connects the owner with whoever left a message, where the owner's phone
// could dial that itself: from a foreign phone only numbers of our own.
func (o *ownBox) CallBack(ctx context.Context, l ivr.Letter) bool {
	c := o.call
	device := c.plan.Device(c.record.Device)
	rule, code := c.sys.Destination(c.plan, device, l.From)
	if code != 0 || rule.DestinationType != flows.ToDevice && rule.DestinationType != flows.ToNumber {
		return false
	}
	to := flows.DialRequest{Type: rule.DestinationType, Destination: rule.Destination, Timeout: callBackTime}
	if rule.DestinationType == flows.ToDevice {
		to.Device = c.plan.Device(rule.Destination)
	}
	o.seat.Note(flows.Step{Kind: "mailbox", Text: "the owner calls " + l.From + " back"})
	_ = c.loop.Call(ctx, func() { o.seat.act.outward = device })
	out := o.seat.Dial(ctx, to)
	_ = c.loop.Call(ctx, func() { c.leftBy = "" }) // the owner is still here
	return out.Result == flows.Connected
}
