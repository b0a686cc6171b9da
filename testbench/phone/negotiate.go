package phone

import (
	"errors"
	"fmt"
)

// describe is our description; a new version whenever it is another one.
func (c *Call) describe(codecs []string, types map[string]int, event int, direction string, p protection) []byte {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	c.sdpVersion++
	c.direction = direction
	return describe(c.sdpID, c.sdpVersion, c.audio.at, codecs, types, event, direction, p)
}

// offer is a description of all we can.
func (c *Call) offer(direction string) []byte {
	c.phone.mu.Lock()
	profile, lines := c.protection()
	c.phone.mu.Unlock()
	return c.describe(c.codecs(), nil, eventType, direction, protection{profile, lines})
}

func (c *Call) codecs() []string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	if len(c.options.Codecs) > 0 {
		return c.options.Codecs
	}
	return c.phone.cfg.Codecs
}

// take reads an answer.
func (c *Call) take(answer *message) error {
	c.note(answer)
	s, err := parseSDP(answer.body)
	if err != nil {
		return err
	}
	c.phone.mu.Lock()
	ours, theirs, ok := c.protected(s)
	c.phone.mu.Unlock()
	if !ok {
		return errors.New("no keys in the answer")
	}
	return c.agree(s, ours, theirs)
}

func (c *Call) note(m *message) {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	c.described = string(m.body)
}

func (c *Call) agree(s session, us, them cryptoLine) error {
	c.phone.mu.Lock()
	c.theirs = s
	ours := c.direction
	c.phone.wake()
	c.phone.mu.Unlock()
	sends := (s.direction == SendRecv || s.direction == RecvOnly) && (ours == SendRecv || ours == SendOnly)
	if !c.audio.connect(s, c.codecs(), sends) {
		return fmt.Errorf("no codec in common with %v", s.codecs)
	}
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.encrypt(us, them)
}

// reply to an offer: the codecs both can, in the order offered. ok is false when
// there is none.
func (c *Call) counter(offer *message) (sdp []byte, ok bool) {
	c.note(offer)
	s, err := parseSDP(offer.body)
	if err != nil {
		return nil, false
	}
	var both []string
	for _, name := range s.codecs {
		if contains(c.codecs(), name) {
			both = append(both, name)
		}
	}
	if len(both) == 0 {
		return nil, false
	}
	c.phone.mu.Lock()
	wants := c.wants
	ours, theirs, ok := c.protect(s)
	c.phone.mu.Unlock()
	if !ok {
		return nil, false
	}
	p := protection{profile: s.profile}
	if ours.suite != "" {
		p.lines = []cryptoLine{ours}
	}
	sdp = c.describe(both, s.types, s.event, within(reverse(s.direction), wants), p)
	return sdp, c.agree(s, ours, theirs) == nil
}
