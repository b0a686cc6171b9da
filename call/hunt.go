package call

import (
	"time"

	"b2bua/flows"
	"b2bua/internal/loop"
	"b2bua/media"
	"b2bua/sip"
)

// hunt is the search for one destination and the conversation that comes of it:
// round after round of targets, of which those of one round ring together and
// the first to answer wins (RFC 3261 section 16.7). It lives on the loop.
type hunt struct {
	call   *Call
	act    *act
	to     flows.DialRequest
	rounds [][]target // what is still to be tried
	prongs []*prong   // what rings now
	timer  *loop.Timer
	last   flows.Outcome // what the best of those that failed said
	talk   *prong        // who answered
	done   func(flows.Outcome)
	tried  map[string]bool // the keys of targets dialled
	asks   func(*prong)    // told who has answered, who is not connected to the caller by that; nil: is
}

// prong is one leg of the fork.
type prong struct {
	leg     *leg
	target  target
	attempt int // its place in the record's attempts
	hunt    *hunt
	early   bool        // its early media goes to the caller
	settled string      // the early dialog whose session was described last
	moved   bool        // and an offer came in it before the answer
	deaf    *loop.Timer // runs until the first sign of life
}

// deafAfter is how long a far end may say nothing at all to an INVITE before the
// next way is tried. Timer B (RFC 3261 section 17.1.1.2) would take 32 s, which
// no caller waits for; whoever is alive sends 100 Trying within 200 ms.
const deafAfter = 4 * time.Second

// dial begins a hunt; done is told once, on the loop, when it is over.
func (c *Call) dial(a *act, to flows.DialRequest, done func(flows.Outcome)) *hunt {
	if c.ending != nil {
		done(flows.Outcome{Result: flows.Gone})
		return nil
	}
	if c.hops <= 0 {
		done(flows.Outcome{Result: flows.Failed, SIPCode: 483, SIPReason: "Too Many Hops"})
		return nil
	}
	h := &hunt{call: c, act: a, to: to, done: done, tried: map[string]bool{}}
	c.hunt = h
	if a.music {
		c.ringback()
	}
	h.begin()
	return h
}

// begin dials the first targets.
func (h *hunt) begin() {
	c, to := h.call, h.to
	var none flows.Outcome
	if h.rounds, none = c.targets(h.act, to); len(h.rounds) == 0 {
		h.last = none
	}
	timeout := to.Timeout
	if timeout <= 0 {
		timeout = flows.DefaultRing
	}
	h.timer = c.loop.After(timeout, h.timeUp)
	h.nextRound()
}

// nextRound rings the next targets, or gives up when there are none.
func (h *hunt) nextRound() {
	for len(h.rounds) > 0 && len(h.prongs) == 0 {
		round := h.rounds[0]
		h.rounds = h.rounds[1:]
		for _, t := range round {
			h.try(t)
		}
	}
	if len(h.prongs) == 0 {
		h.finish(h.last)
	}
}

// try dials one target.
func (h *hunt) try(t target) {
	c := h.call
	p := &prong{target: t, hunt: h, leg: c.newLeg(t.name)}
	p.leg.on, p.leg.account, p.leg.reach, p.leg.who = p.event, t.account(), h.to, h.found()
	p.leg.via = t.via
	p.attempt = c.attempt(h.to, t)
	h.tried[t.key()] = true
	log := c.log.With("leg", t.name)
	if t.trunk != nil {
		refused, ok := p.admit()
		if !ok {
			h.failed(p, refused)
			return
		}
	}
	digits := c.digitsOf(p.leg)
	sound, err := c.sys.Media.Open(media.Options{
		Codecs: t.codecs, Prefer: c.codec(), SRTP: t.srtp(), OnLost: p.leg.lost, OnWorn: p.leg.worn,
		Digits: digits, OnDigit: p.leg.digit, SendDigit: p.leg.bySignalling(digits), Log: log,
	})
	if err != nil {
		log.Error("open media for a far leg", "err", err)
		h.failed(p, flows.Outcome{Result: flows.Unavailable, Detail: "no media port free"})
		return
	}
	p.leg.sound = sound
	if from := t.source(); from.IsValid() {
		sound.ExpectFrom(from)
	}
	c.legs = append(c.legs, p.leg)
	d := t.dial
	d.From, d.Identity = h.present(t)
	d.Offer = sound.Offer()
	d.MaxForwards = c.hops
	h.prongs = append(h.prongs, p)
	p.deaf = c.loop.After(deafAfter, func() { h.unheard(p) })
	p.leg.sig = c.sys.SIP.Dial(d, p.leg.post, p.leg.event)
	c.sys.Calls.enter(p.leg)
	c.record.Attempts[p.attempt].SIPCallID = p.leg.sig.CallID()
}

// unheard: a target has not said a word. Its INVITE dies by itself.
func (h *hunt) unheard(p *prong) {
	if h.call.ending != nil || p.leg.over {
		return
	}
	p.leg.hangup(sip.Reason{})
	h.failed(p, flows.Outcome{Result: flows.Unavailable, SIPCode: 408, SIPReason: "Request Timeout", Detail: "no sign of life"})
	h.nextRound()
}

// event is the table for a far leg: what it does, and what that means for the
// caller.
func (p *prong) event(ev sip.Event) {
	h, c := p.hunt, p.hunt.call
	if c.ending != nil || p.leg.over {
		return
	}
	p.deaf.Stop()
	switch ev := ev.(type) {
	case sip.Retargeted:
		h.retargeted(p, ev)
	case sip.Progressed:
		h.progressed(p, ev)
	case sip.Answered:
		h.answered(p, ev)
	case sip.Rejected:
		p.leg.over = true
		h.rejected(p, ev)
	case sip.Offered:
		p.moved = p.moved || !p.leg.answered
		c.reoffered(p.leg, ev)
	case sip.Reanswered:
		c.reanswered(p.leg, ev.SDP)
	case sip.ReofferRefused:
		c.parkAnswered(p.leg, false)
	case sip.Confirmed: // a phone that took another's place, see replace.go
		c.accepted(p.leg, ev.SDP)
	case sip.InfoReceived:
		c.info(p.leg, ev.ContentType, ev.Body)
	case sip.Referred:
		c.referred(p.leg, ev)
	case sip.Ended:
		p.leg.over = true
		h.ended(p, ev)
	}
}

// retargeted: the target's host has several addresses, and the next one has its
// own time to show that it is alive.
func (h *hunt) retargeted(p *prong, ev sip.Retargeted) {
	p.deaf = h.call.loop.After(deafAfter, func() { h.unheard(p) })
	p.leg.sound.ExpectFrom(ev.Addr.Addr())
	if ev.Because != "" {
		h.call.noteRetargeted(p, ev)
	}
}

// progressed: the far end rings, or lets its own sound be heard.
func (h *hunt) progressed(p *prong, ev sip.Progressed) {
	c := h.call
	now := c.now()
	h.act.progressed(ev.Code, ev.Reason)
	if a := &c.record.Attempts[p.attempt]; a.RingingAt == nil {
		a.RingingAt = &now
	}
	if h.asks != nil { // the caller hears music
		return
	}
	if len(ev.SDP) > 0 && len(h.prongs) == 1 && !p.early && !h.act.music {
		if h.earlyMedia(p, ev.SDP) {
			p.settled = ev.Dialog
			return
		}
	}
	if p.early {
		return
	}
	c.ring()
	c.ringback()
}

// earlyMedia connects the caller to what the far end plays before it answers.
func (h *hunt) earlyMedia(p *prong, sdp []byte) bool {
	c := h.call
	if err := p.leg.sound.Accept(sdp); err != nil {
		c.log.Info("early media", "leg", p.leg.name, "err", err)
		return false
	}
	if !c.caller.answered {
		if err := c.early(); err != nil {
			return false
		}
	}
	p.early = true
	c.silence()
	media.Bridge(c.caller.sound, p.leg.sound)
	return true
}

// answered: p wins; the others are told so and the caller is connected.
func (h *hunt) answered(p *prong, ev sip.Answered) {
	c := h.call
	if h.talk == p { // a second answer of the same dialog changes nothing
		return
	}
	if err := p.agree(ev); err != nil {
		c.log.Info("answer of a far leg", "leg", p.leg.name, "err", err)
		p.leg.hangup(sip.Reason{Protocol: "SIP", Cause: 488, Text: "Not Acceptable Here"})
		h.failed(p, flows.Outcome{Result: flows.CodecMismatch, Detail: err.Error()})
		h.nextRound()
		return
	}
	if h.asks != nil {
		h.asks(p)
		return
	}
	h.won(p)
}

// won: p is whom the caller talks to.
func (h *hunt) won(p *prong) {
	c := h.call
	h.talk = p
	h.picked(p)
	if err := c.answer(h.to.Destination); err != nil {
		return // the call is over
	}
	c.connect(p.leg, h.to.Destination)
	h.act.told(TransferResult{Result: string(flows.Connected), SIPCode: 200, SIPReason: "OK"})
}

// picked: p has answered, and nobody else is to.
func (h *hunt) picked(p *prong) {
	c := h.call
	h.timer.Stop()
	h.rounds = nil
	for _, loser := range h.prongs {
		if loser != p {
			loser.deaf.Stop()
			loser.leg.hangup(sip.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"})
			c.attemptOver(loser.attempt, flows.Outcome{Result: "completed_elsewhere"})
			c.drop(loser.leg)
		}
	}
	h.prongs = []*prong{p}
	p.leg.answered = true
	c.attemptAnswered(p.attempt)
}

// rejected: a target refused or could not be reached.
func (h *hunt) rejected(p *prong, ev sip.Rejected) {
	o := flows.OutcomeFromSIP(ev.Code, ev.Reason)
	if t := p.target.trunk; t != nil && o.Result == flows.Unavailable {
		h.call.sys.trunks.rest(t, ev.RetryAfter, time.Now())
	}
	if o.Result == flows.Redirected {
		h.onward(p, o, ev.Contacts)
		return
	}
	if h.inTheClear(p, o) {
		return
	}
	h.failed(p, o)
	if ev.Code >= 600 { // nobody else shall ring (RFC 3261 section 16.7 step 5)
		h.giveUp(flows.Outcome{Result: flows.Gone, Detail: "refused for everybody"}, sip.Reason{})
		h.last = o
	}
	h.nextRound()
}

// failed takes p off the hunt and remembers why.
func (h *hunt) failed(p *prong, o flows.Outcome) {
	p.deaf.Stop()
	if p.early {
		media.Unbridge(h.call.caller.sound, p.leg.sound)
		p.early = false
	}
	h.call.attemptOver(p.attempt, o)
	h.call.drop(p.leg)
	h.prongs = without(h.prongs, p)
	if worse(h.last, o) {
		h.last = o
	}
	if o.Result.Retry() != flows.RetryOtherTrunk && p.target.trunk != nil {
		h.rounds = nil // another trunk would reach the same busy phone
	}
}

// ended: a leg that had answered hung up, or was lost.
func (h *hunt) ended(p *prong, ev sip.Ended) {
	if p != h.talk {
		h.failed(p, flows.Outcome{Result: flows.Unavailable, SIPCode: ev.Code, SIPReason: ev.Reason})
		h.nextRound()
		return
	}
	c := h.call
	if ev.By == sip.ByExpiry {
		c.attemptEnded(p.attempt)
		c.end(expired(ev))
		return
	}
	c.leftBy, c.leftWhy = byCallee, parseReason(ev.ReasonHeader)
	c.disconnect()
	c.attemptEnded(p.attempt)
	c.drop(p.leg)
	h.prongs = nil
	h.finish(flows.Outcome{Result: flows.Connected, SIPCode: ev.Code, SIPReason: ev.Reason})
}
