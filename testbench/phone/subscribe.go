package phone

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Notification is a NOTIFY outside of calls.
type Notification struct {
	Event string
	State string // Subscription-State
	Body  string
}

// Subscription is a dialog made by SUBSCRIBE (RFC 6665). Its methods are not for
// several goroutines at once.
type Subscription struct {
	phone  *Phone
	event  string
	callID string
	tag    string
	remote string
	seq    int
}

// Subscribe subscribes to an event of the account's own address. The phone must
// have registered. A refusal is a *StatusError.
func (p *Phone) Subscribe(ctx context.Context, event string, expires time.Duration) (*Subscription, error) {
	p.mu.Lock()
	user, registrar := p.account.user, p.account.registrar
	p.mu.Unlock()
	if !registrar.IsValid() {
		return nil, errors.New("subscribe: not registered")
	}
	s := &Subscription{phone: p, event: event, callID: token() + "@" + p.cfg.Name, tag: token(),
		remote: fmt.Sprintf("<sip:%s@%s>", user, registrar)}
	p.mu.Lock()
	p.subscriptions[s.callID] = s
	p.mu.Unlock()
	return s, s.Refresh(ctx, expires)
}

// Refresh subscribes anew; 0 ends the subscription.
func (s *Subscription) Refresh(ctx context.Context, expires time.Duration) error {
	p := s.phone
	p.mu.Lock()
	user, password, hop := p.account.user, p.account.password, p.account.registrar
	p.mu.Unlock()
	var authorization Header
	for range 2 {
		s.seq++
		m := &message{method: "SUBSCRIBE", uri: fmt.Sprintf("sip:%s@%s", user, hop)}
		m.add("Via", p.via())
		m.add("Max-Forwards", "70")
		m.add("From", fmt.Sprintf("<sip:%s@%s>;tag=%s", user, hop, s.tag))
		m.add("To", s.remote)
		m.add("Call-ID", s.callID)
		m.add("CSeq", fmt.Sprintf("%d SUBSCRIBE", s.seq))
		m.add("Contact", "<"+p.URI()+">")
		m.add("Event", s.event)
		m.add("Expires", fmt.Sprint(int(expires.Seconds())))
		if authorization.Name != "" {
			m.add(authorization.Name, authorization.Value)
		}
		final, err := p.do(ctx, m, hop)
		if err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		if final.code < 300 {
			s.remote = final.get("To")
			return nil
		}
		again := authorization.Name != ""
		authorization = credentials(final, m, user, password)
		if authorization.Name == "" || again {
			return fmt.Errorf("subscribe: %w", &StatusError{Code: final.code, Reason: final.reason})
		}
	}
	return errors.New("subscribe: challenged again")
}

// Notifications are the NOTIFY requests outside of calls, in order.
func (p *Phone) Notifications() []Notification {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Notification(nil), p.notifications...)
}

// notice takes a NOTIFY outside of calls.
func (p *Phone) notice(m *message) {
	p.notifications = append(p.notifications, Notification{m.get("Event"), m.get("Subscription-State"), string(m.body)})
}

// subscribed reports whether a NOTIFY belongs to a subscription of ours.
func (p *Phone) subscribed(m *message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.subscriptions[m.get("Call-ID")]
	return m.method == "NOTIFY" && s != nil && param(m.get("To"), "tag") == s.tag
}
