package sip_test

import (
	"bufio"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip"
)

// streamed has the switch listen for connections, too.
func streamed(t *testing.T, f func(b *bench), change ...func(*sip.Config)) {
	t.Helper()
	story(t, f, append([]func(*sip.Config){func(c *sip.Config) {
		c.Listen = append(c.Listen, "tcp://"+switchAt.String())
	}}, change...)...)
}

// byTCP is a call to an address over TCP.
func byTCP(at netip.AddrPort) sip.Dial {
	return sip.Dial{Target: sip.Target{URI: "sip:" + at.String() + ";transport=tcp"}}
}

// door takes connections of the switch.
type door struct {
	b *bench
	l net.Listener
}

func (b *bench) door(at netip.AddrPort) *door {
	b.t.Helper()
	l, err := b.net.ListenStream("tcp", at.String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = l.Close() })
	return &door{b, l}
}

func (d *door) accept() *stream {
	d.b.t.Helper()
	c, err := d.l.Accept()
	if err != nil {
		d.b.t.Fatal(err)
	}
	return d.b.over(c)
}

func (b *bench) over(c net.Conn) *stream {
	b.t.Cleanup(func() { _ = c.Close() })
	return &stream{b.t, c, bufio.NewReader(c)}
}

// expect reads the next message, which must begin with start.
func (s *stream) expect(start string) message {
	s.t.Helper()
	m := s.read()
	if !strings.HasPrefix(strings.TrimPrefix(m.start, "SIP/2.0 "), start) {
		s.t.Fatalf("got %q, want %q", m.start, start)
	}
	return m
}

// reply answers a request of the switch.
func (s *stream) reply(req message, status, sdp string, extra ...string) {
	s.t.Helper()
	to := req.get("To")
	if !strings.Contains(to, "tag=") && !strings.HasPrefix(status, "100") {
		to += ";tag=callee"
	}
	lines := []string{"SIP/2.0 " + status}
	for _, v := range req.all("Via") {
		lines = append(lines, "Via: "+v)
	}
	lines = append(lines, "From: "+req.get("From"), "To: "+to, "Call-ID: "+req.get("Call-ID"), "CSeq: "+req.get("CSeq"))
	if !slices.ContainsFunc(extra, func(e string) bool { return strings.HasPrefix(e, "Contact: ") }) {
		lines = append(lines, "Contact: <sip:callee@"+s.LocalAddr().String()+";transport=tcp>")
	}
	lines = append(lines, extra...)
	if sdp != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	s.write(strings.Join(lines, "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(sdp)) + "\r\n\r\n" + sdp)
}

// Who rings over a connection that ends is not waited for.
func TestConnectionLostWhileItRings(t *testing.T) {
	streamed(t, func(b *bench) {
		trunk := b.door(trunkAt)
		o := b.dial(byTCP(trunkAt))
		far := trunk.accept()
		inv := far.expect("INVITE")
		far.reply(inv, "100 Trying", "")
		far.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		time.Sleep(10 * time.Second)
		o.toldNothing()
		start := time.Now()
		_ = far.Close()
		if ev := told[sip.Rejected](o); ev.Code != 503 || time.Since(start) > 100*time.Millisecond {
			t.Errorf("%+v after %v", ev, time.Since(start))
		}
	})
}

// A host that has only said 100 has not rung anybody: the next one of the same
// target is asked.
func TestConnectionLostBeforeItRings(t *testing.T) {
	streamed(t, func(b *bench) {
		first, second := b.door(trunkAt), b.door(secondAt)
		d := many
		d.Target.URI += ";transport=tcp"
		o := b.dial(d)
		far := first.accept()
		far.reply(far.expect("INVITE"), "100 Trying", "")
		time.Sleep(time.Second)
		start := time.Now()
		_ = far.Close()
		other := second.accept()
		inv := other.expect("INVITE")
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("after %v", took)
		}
		other.reply(inv, "486 Busy Here", "")
		other.expect("ACK")
		if ev := told[sip.Rejected](o); ev.Code != 486 {
			t.Errorf("%+v", ev)
		}
	}, several)
}

// A connection that has ended without our knowing takes what was written to it:
// it is written once more, to another.
func TestConnectionThatWasDeadAlready(t *testing.T) {
	streamed(t, func(b *bench) {
		trunk := b.door(trunkAt)
		o := b.dial(byTCP(trunkAt))
		far := trunk.accept()
		inv := far.expect("INVITE")
		_ = far.Close()
		again := trunk.accept()
		same := again.expect("INVITE")
		if same.branch() != inv.branch() {
			t.Error("it is a repetition of the same request")
		}
		_ = again.Close() // once is enough
		if ev := told[sip.Rejected](o); ev.Code != 503 {
			t.Errorf("%+v", ev)
		}
	})
}

// A conversation does not end with its connection, and its next request makes a
// new one (RFC 3261 §18.4).
func TestConversationOutlivesItsConnection(t *testing.T) {
	streamed(t, func(b *bench) {
		trunk := b.door(trunkAt)
		o := b.dial(byTCP(trunkAt))
		far := trunk.accept()
		far.reply(far.expect("INVITE"), "200 OK", answerSDP)
		told[sip.Answered](o)
		far.expect("ACK")
		_ = far.Close()
		time.Sleep(time.Minute)
		o.toldNothing()
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		again := trunk.accept()
		bye := again.expect("BYE")
		_ = again.Close() // its answer is lost with this one
		third := trunk.accept()
		if same := third.expect("BYE"); same.branch() != bye.branch() {
			t.Error("another BYE")
		}
		third.reply(bye, "200 OK", "")
	})
}

// A Contact that names another port of the host is somewhere else than at the far
// end of the connection that we made (RFC 5923 §8).
func TestContactAtAnotherPort(t *testing.T) {
	streamed(t, func(b *bench) {
		elsewhere := netip.AddrPortFrom(trunkAt.Addr(), 5070)
		trunk, core := b.door(trunkAt), b.door(elsewhere)
		o := b.dial(byTCP(trunkAt))
		far := trunk.accept()
		inv := far.expect("INVITE")
		text := "SIP/2.0 200 OK\r\nVia: " + inv.get("Via") + "\r\nFrom: " + inv.get("From") + "\r\nTo: " + inv.get("To") + ";tag=x\r\n" +
			"Call-ID: " + inv.get("Call-ID") + "\r\nCSeq: " + inv.get("CSeq") + "\r\nContact: <sip:callee@" + elsewhere.String() + ";transport=tcp>\r\n" +
			"Content-Type: application/sdp\r\nContent-Length: " + strconv.Itoa(len(answerSDP)) + "\r\n\r\n" + answerSDP
		far.write(text)
		told[sip.Answered](o)
		there := core.accept()
		there.expect("ACK")
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		there.reply(there.expect("BYE"), "200 OK", "")
	})
}

// A phone is reached over the connection that it has made, and over no other.
func TestPhoneLostWhileItRings(t *testing.T) {
	streamed(t, func(b *bench) {
		c, err := b.net.DialStream(b.t.Context(), phoneAt.Addr(), switchAt)
		if err != nil {
			t.Fatal(err)
		}
		phone := b.over(c)
		phone.register(10 * time.Minute)
		bindings := b.ep.Bindings("alice")
		if len(bindings) != 1 {
			t.Fatalf("%v", bindings)
		}
		o := b.dial(sip.Dial{Target: sip.Target{Binding: &bindings[0]}})
		inv := phone.expect("INVITE")
		phone.reply(inv, "180 Ringing", "")
		told[sip.Progressed](o)
		_ = c.Close()
		if ev := told[sip.Rejected](o); ev.Code != 503 {
			t.Errorf("%+v", ev)
		}
		if left := b.ep.Bindings("alice"); len(left) != 0 {
			t.Errorf("%v", left)
		}
		synctest.Wait()
	})
}

// A caller who has hung up is not told that the connection is lost.
func TestConnectionLostWhileItIsGivenUp(t *testing.T) {
	streamed(t, func(b *bench) {
		trunk := b.door(trunkAt)
		o := b.dial(byTCP(trunkAt))
		far := trunk.accept()
		far.reply(far.expect("INVITE"), "180 Ringing", "")
		told[sip.Progressed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		far.expect("CANCEL")
		_ = far.Close()
		time.Sleep(5 * time.Second)
		if s := b.ep.Stats(); s.Legs != 0 {
			t.Errorf("left: %+v", s)
		}
	})
}
