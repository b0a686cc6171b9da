package queue

import (
	"time"

	"b2bua/events"
)

const (
	callbackTries = 3
	callbackPause = 5 * time.Minute  // after a call that was not taken
	callbackFor   = 4 * time.Hour    // how long a caller is remembered who wants to be called
	callbackRests = 3 * time.Second  // from the end of the caller's own call: the phone is free by then
	callbackHolds = 30 * time.Second // when nobody tells of that end
	callbackMost  = 500              // callers who wait to be called, in one queue
)

// wantsCallback: the caller hangs up and keeps the place. The reply says whether
// that is so.
func (l *line) wantsCallback(now time.Time, e *entry) bool {
	if l.position(e) == 0 || e.state == entryLeaving || l.answering(e) || !l.cfg.Callback.May(e.number) || l.callbacks() >= callbackMost {
		return false
	}
	l.takeCallback(now, e.number) // one for each number
	for _, m := range append([]*member(nil), e.offered...) {
		l.withdraw(now, e, m)
	}
	clear(e.tried)
	e.caller, e.callID, e.state, e.again = nil, "", entryCallback, time.Time{}
	e.deadline, e.tries, e.notYet = now.Add(callbackFor), 0, now.Add(callbackHolds)
	l.stats.Callbacks++
	l.tellCallback(events.QueueCallbackRequested, e, "", now)
	l.settle(now)
	return true
}

// hungUp: the call is over in which the caller asked to be called.
func (l *line) hungUp(now time.Time, e *entry) {
	if soon := now.Add(callbackRests); e.state == entryCallback && e.tries == 0 && soon.Before(e.notYet) {
		e.notYet = soon
	}
	l.settle(now)
}

// callbacks is how many callers wait to be called.
func (l *line) callbacks() (n int) {
	for _, e := range l.entries {
		if !e.live() {
			n++
		}
	}
	return n
}

// takeCallback ends that a number waits to be called: its caller has called. The
// place is returned.
func (l *line) takeCallback(now time.Time, number string) (joined time.Time, ok bool) {
	for _, e := range l.entries {
		if !e.live() && number != "" && e.number == number {
			l.remove(now, e)
			l.tellCallback(events.QueueCallbackCompleted, e, "the caller has called", now)
			return e.joined, true
		}
	}
	return time.Time{}, false
}

// callBack: it is the caller's turn, and there is a member, who is kept for the
// caller.
func (l *line) callBack(now time.Time, e *entry, chosen []*member) {
	m := chosen[0]
	m.become(memberReserved, e, now)
	e.reserved, e.state = m, entryCalling
	e.tries++
	b := Back{QueueID: l.id, EntryID: e.id, Number: e.number, Dialled: e.dialled}
	l.orders = append(l.orders, func() { l.dialBack(b) })
}

// Back is a caller to be called back.
type Back struct {
	QueueID, EntryID, Number string
	Dialled                  string // the number of ours that the caller had called
}

// backAgain: who was called back waits again, at the old place.
func (l *line) backAgain(now time.Time, j joining) (*entry, string) {
	e := l.entry(j.id)
	if e == nil || e.state != entryCalling || l.closed {
		return nil, Failed
	}
	e.caller, e.callID, e.state = j.caller, j.callID, entryWaiting
	e.here, e.deadline = now, now.Add(time.Duration(l.cfg.MaxWait)*time.Second)
	l.tellCallback(events.QueueCallbackCompleted, e, "", now)
	l.settle(now)
	return e, ""
}

// notReached: the caller did not take the call, or did not confirm it.
func (l *line) notReached(now time.Time, id, why string) {
	e := l.entry(id)
	if e == nil || e.state != entryCalling {
		return
	}
	l.unreserve(now, e)
	e.state, e.notYet = entryCallback, now.Add(callbackPause)
	if e.tries >= callbackTries {
		l.abandonCallback(now, e, why)
	}
	l.settle(now)
}

// abandonCallback gives up on a caller who was to be called.
func (l *line) abandonCallback(now time.Time, e *entry, why string) {
	l.remove(now, e)
	l.stats.CallbacksFailed++
	l.tellCallback(events.QueueCallbackFailed, e, why, now)
}

func (l *line) tellCallback(name events.Name, e *entry, why string, now time.Time) {
	l.facts = append(l.facts, &events.QueueCallback{Event: name, QueueID: l.id, EntryID: e.id, Number: e.number, Tries: e.tries, Reason: why, At: now})
}
