package sip

import (
	"net/netip"
	"sync"
	"time"
)

// maxPerUser is how many subscriptions a device may have; the oldest has to go.
const maxPerUser = 10

// subscriptions are the interests of devices in their messages. There are at
// most a few for each device.
type subscriptions struct {
	mu       sync.Mutex
	byDialog map[string]*subscription
	byUser   map[string][]*subscription // the oldest first
	due      map[string]*time.Timer     // users who will soon be told of a change
}

func newSubscriptions() *subscriptions {
	return &subscriptions{byDialog: map[string]*subscription{}, byUser: map[string][]*subscription{}, due: map[string]*time.Timer{}}
}

func (s *subscriptions) get(key string) (*subscription, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, ok := s.byDialog[key]
	return sub, ok
}

func (s *subscriptions) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byDialog)
}

func (s *subscriptions) of(user string) []*subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*subscription(nil), s.byUser[user]...)
}

// heardFrom gives where the subscriptions of a user come from.
func (s *subscriptions) heardFrom(user string) map[netip.AddrPort]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[netip.AddrPort]bool{}
	for _, sub := range s.byUser[user] {
		out[sub.source] = true
	}
	return out
}

// moved: a subscription comes from elsewhere now.
func (s *subscriptions) moved(sub *subscription, source netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.source = source
}

// add keeps a subscription, in the place of one from the same address: a phone
// that was switched off and on knows nothing of its old one.
func (s *subscriptions) add(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.byUser[sub.user]
	for _, old := range list {
		if old.source == sub.source {
			s.drop(old)
			break
		}
	}
	if list = s.byUser[sub.user]; len(list) >= maxPerUser {
		s.drop(list[0])
	}
	s.byDialog[sub.key()] = sub
	s.byUser[sub.user] = append(s.byUser[sub.user], sub)
}

func (s *subscriptions) remove(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(sub)
}

// drop forgets a subscription; mu is held.
func (s *subscriptions) drop(sub *subscription) {
	if s.byDialog[sub.key()] != sub {
		return
	}
	delete(s.byDialog, sub.key())
	var rest []*subscription
	for _, other := range s.byUser[sub.user] {
		if other != sub {
			rest = append(rest, other)
		}
	}
	if s.byUser[sub.user] = rest; len(rest) == 0 {
		delete(s.byUser, sub.user)
	}
	sub.timer.Stop()
}

// forget ends what a device has subscribed to, without a word to it.
func (s *subscriptions) forget(user string) {
	for _, sub := range s.of(user) {
		s.remove(sub)
	}
}

// stop is done when the endpoint closes.
func (s *subscriptions) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.byDialog {
		sub.timer.Stop()
	}
	for _, t := range s.due {
		t.Stop()
	}
}
