package call

import (
	"sync/atomic"

	"b2bua/dtmf"
	"b2bua/flows"
	"b2bua/media"
	"b2bua/sip"
)

// leg is one party of the call: a SIP dialog and a media session.
type leg struct {
	owner    atomic.Pointer[Call] // whose leg it is: on that call's loop all of this is used
	on       func(sip.Event)      // what the owner makes of the leg's events
	missed   []sip.Event          // what came while nobody made anything of them
	inbox    inbox                // what is posted to it
	name     string               // "caller", or whom it reaches
	sig      *sip.Leg
	sound    *media.Session
	answered bool
	held     bool   // the far end holds us
	over     bool   // the dialog is gone
	release  func() // gives the place on the trunk back; nil without one
	infoType string // of the INFO in which it sent keys
	via      string // the id of the trunk or device that reaches it

	music    *media.Playback // what it hears while it is held
	parked   bool            // it has been told that it is on hold
	parks    bool            // it should be
	asking   bool            // an offer about that is under way
	asked    bool            // whether that offer is a hold
	stubborn bool            // it refused to be held
	unparks  int             // refusals to be taken off
	waits    bool            // asking, but not before a pause is over
	renews   bool            // new keys are to be offered
	renewing bool            // the offer under way brings nothing else

	account account
	who     identity          // how it is shown to others
	reach   flows.DialRequest // how it is called again
}

// account is who stands behind a leg: a device of ours or a trunk.
type account struct{ device, trunk string }

func (c *Call) newLeg(name string) *leg {
	l := &leg{name: name}
	l.owner.Store(c)
	return l
}

// event is told by the signalling, on the owner's loop. Between two calls, one
// of which has given the leg up before the other one has a place for it, it
// waits.
func (l *leg) event(ev sip.Event) {
	if l.on == nil {
		_, ended := ev.(sip.Ended)
		l.over = l.over || ended
		l.missed = append(l.missed, ev)
		return
	}
	l.on(ev)
}

// leaves takes the leg from its call: what happens to it is kept for the next
// one.
func (l *leg) leaves(to *Call) {
	l.on = nil
	if l.waits { // on the loop of a call that ends
		l.waits, l.asking = false, false
	}
	l.owner.Store(to)
}

// arrives begins what on makes of the leg's events with those that were missed.
func (l *leg) arrives(on func(sip.Event)) {
	l.on = on
	missed := l.missed
	l.missed = nil
	for _, ev := range missed {
		l.on(ev)
	}
}

// hangup ends the leg's dialog in the way its state demands. On the loop.
func (l *leg) hangup(r sip.Reason) {
	if l.over || l.sig == nil {
		return
	}
	l.over = true
	l.sig.Hangup(r)
}

// close gives the leg's ports back. It waits for the packet readers, so it is
// called where waiting is allowed: never on the loop.
func (l *leg) close() {
	if l.sound != nil {
		l.sound.Close()
	}
}

// digit is called by the media engine; the digit is handled on the loop.
func (l *leg) digit(d dtmf.Digit) {
	l.post(func() { l.owner.Load().pressed(l, d) })
}

// lost is called by the media engine when the far end fell silent for too long.
func (l *leg) lost() {
	l.post(func() { l.owner.Load().silent(l) })
}

// reoffered answers an offer within the dialog (re-INVITE or UPDATE, RFC 3261
// section 14.2). The leg's own session answers: the other leg need not know
// that an address or codec changed, only that it is on hold.
func (c *Call) reoffered(l *leg, ev sip.Offered) {
	if len(ev.SDP) == 0 {
		l.sig.AcceptOffer(ev.ID, l.sound.Offer())
		l.askAgain()
		return
	}
	sdp, err := l.sound.Answer(ev.SDP)
	if err != nil {
		c.log.Info("refuse re-offer", "leg", l.name, "err", err)
		l.sig.RefuseOffer(ev.ID, 488, warning(err))
		return
	}
	l.sig.AcceptOffer(ev.ID, sdp) // before anything is passed on: the holder need not wait for the held
	l.askAgain()
	c.heldNow(l)
}

// reanswered takes the answer to an offer of ours within the dialog.
func (c *Call) reanswered(l *leg, sdp []byte) {
	err := l.sound.Accept(sdp)
	if err != nil {
		c.log.Warn("answer within the dialog", "leg", l.name, "err", err)
	}
	c.heldNow(l)
	c.parkAnswered(l, err == nil)
}

// agree takes the answer of a far leg. There is none when all was said before:
// the answer in a reliable provisional response, and offers in the same early
// dialog after that (RFC 3262 section 5, RFC 3311).
func (p *prong) agree(ev sip.Answered) error {
	if len(ev.SDP) == 0 && (p.moved || ev.Dialog != "" && ev.Dialog == p.settled) {
		return nil
	}
	return p.leg.sound.Accept(ev.SDP)
}
