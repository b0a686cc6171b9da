package sip

import (
	"fmt"
	"time"
)

// Summary is how many voicemail messages a device has.
type Summary struct {
	New int // not listened to
	Old int
}

const summaryType = "application/simple-message-summary"

// body is RFC 3842 §3.5.
func (s Summary) body(user, host string) []byte {
	waiting := "no"
	if s.New > 0 {
		waiting = "yes"
	}
	return fmt.Appendf(nil, "Messages-Waiting: %s\r\nMessage-Account: sip:%s@%s\r\nVoice-Message: %d/%d (0/0)\r\n",
		waiting, escapeUser(user), host, s.New, s.Old)
}

// summaryPause is how long a change waits for others, so that a burst of them is
// told once.
const summaryPause = 500 * time.Millisecond

// SummaryChanged says that a device has other messages than before. Its phones
// are told soon.
func (e *Endpoint) SummaryChanged(username string) {
	s := e.subscriptions
	if e.cfg.Summary == nil || e.closing() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due[username] != nil {
		return
	}
	s.due[username] = time.AfterFunc(summaryPause, func() {
		s.mu.Lock()
		delete(s.due, username)
		s.mu.Unlock()
		e.background(func() { e.tellSummary(username) })
	})
}

// tellSummary tells those who have subscribed, and all other phones of the
// device: many show messages without ever asking for them.
func (e *Endpoint) tellSummary(username string) {
	sum, ok := e.cfg.Summary(username)
	if !ok {
		return
	}
	asked := e.subscriptions.heardFrom(username)
	for _, s := range e.subscriptions.of(username) {
		s.box.post(func() {
			if !s.over && (s.busy || s.told == nil || *s.told != sum) {
				s.notify()
			}
		})
	}
	for _, b := range e.Bindings(username) {
		if !asked[b.Source] {
			e.unsolicited(b, sum)
		}
	}
}

// unsolicited is a NOTIFY that no SUBSCRIBE asked for. What becomes of it does not
// matter.
func (e *Endpoint) unsolicited(b Binding, sum Summary) {
	way := e.flowOf(&b)
	if way.sock == nil {
		return
	}
	account := "<sip:" + escapeUser(b.User) + "@" + way.hostport() + ">"
	e.ask(question{
		target: Target{Binding: &b}, method: "NOTIFY", from: account, to: account,
		headers: func(way flow) []Header {
			return []Header{{"Contact", way.contact("")}, {"Event", packageSummary},
				{"Subscription-State", "terminated;reason=noresource"}, allowHeader}
		},
		contentType: summaryType, content: sum.body(b.User, way.hostport()),
	}, func(reply) {})
}
