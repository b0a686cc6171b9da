package sip

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"syscall"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// unheardFor is how long an address may say nothing to an INVITE before the next
// one is tried. Timer B would take 32 s, which no caller waits for; whoever is
// alive sends 100 Trying within 200 ms. It is a little less than the 4 s after
// which the owner of the leg looks elsewhere.
const unheardFor = 3900 * time.Millisecond

// inviteAny sends the INVITE the first way and keeps the others for when that
// does not take it (RFC 3263 §4.3).
func (l *Leg) inviteAny(ways []flow, uri sipmsg.Uri) {
	for i := range ways {
		ways[i] = ways[i].as(l.outbound.dial.Target)
	}
	l.outbound.ways = ways[1:]
	if !isAddress(uri.Host) {
		l.tell(Retargeted{Addr: ways[0].remote})
	}
	l.inviteBy(ways[0], uri)
}

// listen gives the far end its time to show that it is alive.
func (l *Leg) listen(tx *clientTx) {
	o := l.outbound
	o.silence.Stop()
	o.silence = l.after(unheardFor, func() {
		if tx == o.tx && !o.heard && l.is(StateCalling) {
			l.forsake(tx)
			l.elsewhere("no response")
		}
	})
}

// forsake remembers that nobody answers there; a phone is asked again each time.
func (l *Leg) forsake(tx *clientTx) {
	if l.outbound.dial.Target.Binding == nil {
		l.avoid(tx, 0)
	}
}

// avoid remembers that the far end takes no calls: by the way that the INVITE went,
// and by the one that it would have gone had it not been too large for it.
func (l *Leg) avoid(tx *clientTx, wait time.Duration) {
	way := tx.way()
	l.ep.failed(way, wait)
	if l.dialog.peer.sock != way.sock {
		l.ep.failed(l.dialog.peer, wait)
	}
}

// elsewhere gives up on the address that the INVITE went to and tries the next
// one: in a transaction of its own, within the same call. It reports whether
// there was one.
func (l *Leg) elsewhere(because string) bool {
	o := l.outbound
	if o.cancelling || !l.is(StateCalling) || len(o.ways)+len(o.flows) == 0 {
		return false
	}
	o.tx.desert()
	way := l.nextWay()
	l.log.Info("next address of the target", "address", way.remote, "cause", because)
	l.tell(Retargeted{Addr: way.remote, Because: because})
	o.trial = trial{}
	l.startOver()
	d := l.dialog
	d.remoteTag, d.peer, d.next, d.contact = "", way, way, way.contactFor(d.target.Scheme, o.dial.From.User)
	l.ep.friends.leave(l.friend)
	l.friend = way.remote
	l.ep.friends.enter(l.friend)
	l.account.elsewhere()
	l.host = way.remote.Addr().Unmap() // the configured target still: it may ask for the password
	l.sendInvite()
	return true
}

// nextWay takes the next way of those there are.
func (l *Leg) nextWay() (way flow) {
	o := l.outbound
	if len(o.ways) > 0 {
		way, o.ways = o.ways[0], o.ways[1:]
		return way
	}
	b := o.flows[0]
	o.flows = o.flows[1:]
	o.dial.Target.Binding = &b
	if uri, err := o.dial.uri(); err == nil {
		o.uri, l.dialog.target = uriText(uri), uri
	}
	return l.ep.flowOf(&b)
}

// otherFlows are the flows of a phone besides one, the newest first: they are for
// when that one fails (RFC 5626 §5.3).
func (e *Endpoint) otherFlows(than *Binding) []Binding {
	if than.Instance == "" || than.RegID == 0 {
		return nil
	}
	all := slices.DeleteFunc(e.registrar.Bindings(than.User), func(b Binding) bool {
		return b.Instance != than.Instance || b.RegID == 0 || b.RegID == than.RegID || e.flowOf(&b).sock == nil
	})
	slices.SortStableFunc(all, func(a, b Binding) int { return b.Updated.Compare(a.Updated) })
	return all
}

// statusFlowFailed says that the way to a phone is gone (RFC 5626 §11.5).
const statusFlowFailed = 430

// unsentBecause says in few words why an INVITE had no response.
func unsentBecause(err error) string {
	switch {
	case errors.Is(err, errTimeout):
		return "no response"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "no connection in time"
	}
	return "it could not be reached"
}

// unavailable takes a 503, and reports whether the call goes on elsewhere. A
// phone that cannot be reached by one of its flows, as a 430 or 408 says, may be
// by another; any other answer is its own (RFC 5626 §5.3).
func (l *Leg) unavailable(res *sipmsg.Response) bool {
	if l.outbound.dial.Target.Binding != nil {
		return (res.StatusCode == statusFlowFailed || res.StatusCode == sipmsg.StatusRequestTimeout) &&
			l.elsewhere(strconv.Itoa(res.StatusCode)+" "+plain(res.Reason))
	}
	if res.StatusCode != sipmsg.StatusServiceUnavailable || l.outbound.cancelling {
		return false
	}
	l.avoid(l.outbound.tx, retryAfter(res))
	return l.elsewhere(strconv.Itoa(res.StatusCode) + " " + plain(res.Reason))
}

// overdue takes what an address says to an INVITE that has long gone to another
// one: nobody is to be left ringing, or talking to nobody.
func (l *Leg) overdue(tx *clientTx, res *sipmsg.Response) {
	why := Reason{Protocol: "SIP", Cause: 408, Text: "Answered too late"}
	switch {
	case res.StatusCode >= 300:
	case res.StatusCode >= 200:
		l.sendHome(tx, res, why)
	case !tx.cancelled:
		tx.cancelled = true
		r := tx.req.sibling("CANCEL", tx.req.to, why.header())
		l.ep.transact(tx.way(), tx.branch, r, func(*sipmsg.Response) {}, nil)
	}
}
