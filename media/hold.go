package media

import "b2bua/media/sdp"

// Each side keeps its own hold: that of the far end is in its descriptions, ours
// in what we are willing to do. Both may hold at once, and each ends only its
// own (RFC 6337 §5.3).

// Hold puts the far end on hold and gives the offer that says so: a=sendonly, or
// a=inactive when the far end holds us as well (RFC 3264 §8.4). What it says is
// no longer taken once it has accepted; it goes on hearing what is played, or
// its bridge peer.
func (s *Session) Hold() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = true
	l := s.willing()
	if s.Held() {
		l.Direction = sdp.Inactive
	}
	return s.offer(l)
}

// Unhold takes the far end off our hold and gives the offer that says so,
// a=sendrecv. A far end that holds us answers that it still does.
func (s *Session) Unhold() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = false
	return s.offer(s.willing())
}

// SetHold is Hold or Unhold without an offer: the next one, or the next answer,
// says so. It takes back a Hold that was refused.
func (s *Session) SetHold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = on
}

// Held reports whether the far end holds us: it does not want to hear us.
func (s *Session) Held() bool {
	t := s.terms.Load()
	return t != nil && t.held
}

// Direction is what we may do now; inactive before anything is negotiated.
func (s *Session) Direction() sdp.Direction {
	if t := s.terms.Load(); t != nil {
		return t.direction
	}
	return sdp.Inactive
}
