package call

import (
	"context"
	"slices"
	"strings"
	"time"

	"b2bua/flows"
	"b2bua/internal/loop"
	"b2bua/ivr"
	"b2bua/media"
	"b2bua/queue"
	"b2bua/sip"
)

// poll is one member being asked to take the caller: a hunt of its own, and, when
// somebody has answered, the whisper and the key that accepts. It lives on the
// loop.
type poll struct {
	waits  *waiting
	member flows.QueueMember
	offer  queue.Offer
	hunt   *hunt
	begun  bool
	at     *prong // who has answered
	heard  bool   // the whisper to its end
	key    bool   // a key has accepted
	timer  *loop.Timer
	stop   context.CancelFunc // of the whisper
}

// acceptKey takes a caller; any other refuses.
const acceptKey = '1'

// acceptTime is how long a member may think after the prompt.
const acceptTime = 10 * time.Second

func (w *waiting) newPoll(m flows.QueueMember, o queue.Offer) *poll {
	plan := w.call.sys.Store.Plan() // the queue has its members of today
	p := &poll{waits: w, member: m, offer: o}
	to := flows.DialRequest{Type: m.DestinationType, Destination: m.Destination, Timeout: o.Timeout}
	switch m.DestinationType {
	case flows.ToDevice:
		if to.Device = plan.Device(m.Destination); to.Device == nil {
			to.Device = plan.DeviceByUsername(m.Destination)
		}
	case flows.ToNumber:
		to.Device = plan.DeviceByNumber(m.Destination)
	}
	p.hunt = &hunt{call: w.call, act: w.act, to: to, tried: map[string]bool{}, asks: p.picked, done: func(flows.Outcome) { p.failed() }}
	return p
}

// pollOf finds the member behind a leg.
func (w *waiting) pollOf(l *leg) *poll {
	if w == nil {
		return nil
	}
	for _, p := range w.polls {
		if p.at != nil && p.at.leg == l {
			return p
		}
	}
	return nil
}

// failed: the member could not be reached, or has hung up again.
func (p *poll) failed() {
	w := p.waits
	p.end()
	w.polls = without(w.polls, p)
	if !w.over {
		w.ticket.Refused(p.member.Destination)
	}
}

// end stops what is said to the member.
func (p *poll) end() {
	p.timer.Stop()
	if p.stop != nil {
		p.stop()
	}
}

// withdraw hangs up on the member, of whom nothing more is told.
func (p *poll) withdraw(o flows.Outcome, r sip.Reason) {
	p.end()
	p.hunt.done = nil
	p.hunt.timer.Stop()
	p.hunt.giveUp(o, r)
}

// refuse hangs up on a member who has answered and does not want the caller, or
// cannot be heard.
func (p *poll) refuse(why string) {
	p.hunt.giveUp(flows.Outcome{Result: flows.Rejected, Detail: why}, sip.Reason{})
	p.hunt.finish(flows.Outcome{Result: flows.Rejected, Detail: why})
}

// picked: somebody has answered. The caller hears nothing of it yet when there is
// something to be said, or a key is to be pressed.
func (p *poll) picked(to *prong) {
	w, q := p.waits, p.waits.req.Queue
	p.hunt.picked(to)
	p.at = to
	accept := q.Accepts(p.member)
	var prompts []string
	if q.Whisper != "" {
		prompts = append(prompts, w.fill(q.Whisper, p.offer))
	}
	if accept {
		prompts = append(prompts, w.fill(orText(q.AcceptPrompt, w.phrase("accept")), p.offer))
	}
	if len(prompts) == 0 {
		w.won(p, to)
		return
	}
	w.ticket.Picked(p.member.Destination)
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	w.call.behind(func() {
		for _, text := range prompts {
			w.whisper(ctx, to.leg.sound, text)
		}
		w.call.loop.Post(func() { p.whispered(ctx, accept) })
	})
}

// whisper says something to a member. Not on the loop.
func (w *waiting) whisper(ctx context.Context, to *media.Session, text string) {
	clip, err := w.call.sys.Prompts.Load(ctx, ivr.Prompt{Ref: text, Language: w.req.Language, Voice: w.req.Queue.Voice})
	if err != nil {
		if ctx.Err() == nil {
			w.call.log.Warn("whisper", "queue", w.req.Queue.ID, "err", err)
		}
		return
	}
	if ctx.Err() != nil {
		return
	}
	sound := to.Play(media.ClipSource(clip, false))
	select {
	case <-sound.Done():
	case <-ctx.Done():
		sound.Stop()
	}
}

// whispered: the member has heard all. On the loop.
func (p *poll) whispered(ctx context.Context, accept bool) {
	switch {
	case !slices.Contains(p.waits.polls, p): // has hung up meanwhile
	case ctx.Err() != nil && !p.key, p.waits.over, p.waits.talks != nil, p.heard:
	case !accept || p.key:
		p.heard = true
		p.waits.won(p, p.at)
	default:
		p.heard = true
		p.timer = p.waits.call.loop.After(acceptTime, func() { p.refuse("no key accepted the caller") })
	}
}

// pressed is a key of a member who has answered. On the loop.
func (p *poll) pressed(key byte) {
	if !p.waits.req.Queue.Accepts(p.member) || p.key {
		return
	}
	if key != acceptKey {
		p.refuse("refused by a key")
		return
	}
	p.key = true
	p.end()
	if p.heard {
		p.waits.won(p, p.at)
	}
}

// fill puts what is known of the caller into a text.
func (w *waiting) fill(text string, o queue.Offer) string {
	from := w.call.record.From
	return strings.NewReplacer("{queue}", w.req.Queue.Name, "{from}", spoken(from), "{wait}", w.span(o.Waited)).Replace(text)
}

// spoken is a number digit by digit, as people say it.
func spoken(number string) string {
	if number == "" || number[0] != '+' {
		return number
	}
	return strings.Join(strings.Split(number[1:], ""), " ")
}

func orText(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
