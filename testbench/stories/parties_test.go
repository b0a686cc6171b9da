package stories_test

import (
	"net"
	"net/netip"
	"time"

	"b2bua/testbench/phone"
)

// phone adds a phone at an address.
func (s *stage) phone(name, at string, q phone.Quirks, codecs ...string) *phone.Phone {
	s.Helper()
	conn, err := s.net.ListenPacket("udp", at)
	s.must(err)
	return s.phoneOn(conn, name, q, codecs...)
}

// phoneOn adds a phone with a socket, or a connection.
func (s *stage) phoneOn(conn net.PacketConn, name string, q phone.Quirks, codecs ...string) *phone.Phone {
	s.Helper()
	p, err := phone.New(phone.Config{
		Name: name, Conn: conn, Quirks: q, Ladder: s.ladder, Codecs: codecs,
		ListenRTP: func(at netip.AddrPort) (phone.RTPConn, error) { return s.net.Listen(at) },
	})
	s.must(err)
	s.phones = append(s.phones, p)
	return p
}

// parties are the phones most stories need: who calls, and who is called.
func (s *stage) parties() (theCaller, theSales *phone.Phone) {
	s.Helper()
	return s.phone("caller", callerAt, phone.Quirks{}), s.phone("sales", carrierAt, phone.Quirks{})
}

// calls is p calling a number of the switch.
func (s *stage) calls(p *phone.Phone, number string, o ...phone.Options) *phone.Call {
	s.Helper()
	opt := phone.Options{From: caller}
	if len(o) > 0 {
		opt = o[0]
		if opt.From == "" {
			opt.From = caller
		}
	}
	c, err := p.Invite(s.soon(), "sip:"+number+"@"+switchAt, opt)
	s.must(err)
	return c
}

// next is the call that rings p next.
func (s *stage) next(p *phone.Phone) *phone.Call {
	s.Helper()
	c, err := p.Next(s.soon())
	s.must(err)
	return c
}

// answers rings for a moment and takes the next call.
func (s *stage) answers(p *phone.Phone) *phone.Call {
	s.Helper()
	c := s.next(p)
	c.Ring()
	pass(time.Second)
	s.must(c.Accept())
	s.until(c, phone.Established)
	return c
}

// moment is what a story waits after something has come about, so that it never
// acts at the very instant at which the phones do: which of them is first would
// be up to the scheduler.
const moment = 10 * time.Millisecond

// until waits until the call has come that far.
func (s *stage) until(c *phone.Call, state phone.State) {
	s.Helper()
	s.must(c.WaitState(s.soon(), state))
	pass(moment)
}

// over waits for the end of a call and tells how it came.
func (s *stage) over(c *phone.Call) phone.Ending {
	s.Helper()
	e, err := c.WaitEnded(s.soon())
	s.must(err)
	pass(moment)
	return e
}

// hangsUp ends a call by BYE.
func (s *stage) hangsUp(c *phone.Call) {
	s.Helper()
	s.must(c.Hangup(s.soon()))
}

// presses is the caller pressing keys.
func (s *stage) presses(c *phone.Call, digits string) {
	s.Helper()
	s.must(c.SendDigits(s.soon(), digits))
}

// refused waits for the end of a call that must not be answered.
func (s *stage) refused(c *phone.Call, code int) {
	s.Helper()
	if e := s.over(c); e.By != phone.ByRefusal || e.Code != code {
		s.Errorf("the caller was told %+v, want %d", e, code)
	}
}
