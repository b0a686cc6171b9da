package stories_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
)

// premium are numbers that cost a fortune, as people write them.
var premium = []string{"+882161234567", "00882161234567", "+19005550123"}

// Nobody makes the carrier dial who was not allowed to, in whatever way: not by
// calling, not by a transfer, not by sending a call on.
func TestAttack21NobodyElseDialsOut(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		anna, ben := s.phone("anna", "10.0.5.1:5060", phone.Quirks{}), s.phone("ben", "10.0.5.2:5060", phone.Quirks{})
		carol := s.phone("carol", "10.0.5.3:5060", phone.Quirks{})
		s.deviceWith("anna", anna, `"number": "+14155550001", "allow_outbound": ["+1415*"]`)
		s.device("ben", ben)
		s.deviceWith("carol", carol, `"allow_outbound": ["*"]`) // but has no number, and the trunk shows no other
		stranger := s.phone("stranger", strangerAt, phone.Quirks{})

		for _, to := range append(premium, "4155552673") {
			s.refused(s.dials(anna, to), 403)
		}
		s.refused(s.dials(anna, "sales"), 404)
		s.refused(s.dials(ben, sales), 403)
		s.refused(s.dials(carol, sales), 403)
		s.refused(s.calls(a, sales), 404) // a trunk brings calls in
		s.refused(s.calls(stranger, sales), 401)
		s.refused(s.calls(stranger, premium[0]), 401)
		s.nobodyDialled(b)
	}, undrawn)
}

// nobodyDialled: the carrier has not been called.
func (s *stage) nobodyDialled(carrier *phone.Phone) {
	s.Helper()
	if n := carrier.Received("INVITE"); n != 0 {
		s.Errorf("the carrier was called %d times", n)
	}
}

// A transfer goes nowhere a call of the same party could not go.
func TestAttack21NobodyIsTransferredOut(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		anna, ben := s.phone("anna", "10.0.5.1:5060", phone.Quirks{}), s.phone("ben", "10.0.5.2:5060", phone.Quirks{})
		s.deviceWith("anna", anna, `"number": "+14155550001", "allow_outbound": ["+1415*"]`)
		s.device("ben", ben)
		s.flow(toAnna)
		in := s.calls(a, did)
		first := s.answers(anna)
		s.until(in, phone.Established)
		for _, number := range append(premium, sales) {
			s.notReferred(in, "tel:"+number, 603) // the trunk has no allow_refer
			s.notReferred(in, at(number), 603)
		}
		for _, number := range premium {
			s.barred(first, "tel:"+number)
			s.barred(first, at(number))
			s.barred(first, "<sip:"+number+"@10.0.2.1>") // the carrier's own address
			s.barred(first, "<sip:"+number+"@10.0.66.6>")
		}
		s.hangsUp(in)
		s.over(first)

		asks, err := anna.Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		asked := s.answers(ben)
		s.until(asks, phone.Established)
		for _, number := range append(premium, sales) { // ben may dial nobody
			s.barred(asked, "tel:"+number)
			s.barred(asked, at(number))
		}
		s.talk(asks, asked)
		s.hangsUp(asks)
		s.over(asked)
		s.nobodyDialled(b)
	}, undrawn)
}

// barred: a transfer there is refused.
func (s *stage) barred(c *phone.Call, to string) {
	s.Helper()
	if err := c.Refer(s.soon(), to); err == nil {
		s.Errorf("a transfer to %s is accepted", to)
	}
}

// Who sends a call on sends it nowhere he could not call himself.
func TestAttack21NobodySendsCallsOut(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		anna := s.phone("anna", "10.0.5.1:5060", phone.Quirks{})
		s.deviceWith("anna", anna, `"number": "+14155550001", "allow_outbound": ["+1415*"]`)
		s.flow(toAnna)
		for _, number := range premium {
			for _, to := range []string{"<tel:" + number + ">", at(number), "<sip:" + number + "@10.0.2.1:5060>", "<sip:" + number + "@10.0.66.6>"} {
				s.customer.forget()
				in := s.calls(a, did)
				s.must(moved(s.next(anna), to))
				s.refused(in, 480)
				if got := s.attempts(s.event("call.failed").str("call_id")); !strings.Contains(got, "may not dial") {
					s.Errorf("%s: attempts:\n%s", to, got)
				}
			}
		}
		s.nobodyDialled(b)
	}, undrawn)
}

// victim is a host that has nothing to do with calls, and counts what it gets.
type victim struct {
	conn *memnet.Conn
	got  atomic.Int64
}

func (s *stage) victim() *victim {
	s.Helper()
	conn, err := s.net.Listen(netip.MustParseAddrPort("10.0.77.7:7000"))
	s.must(err)
	v := &victim{conn: conn}
	go func() {
		buf := make([]byte, 2048)
		for {
			if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
			v.got.Add(1)
		}
	}()
	return v
}

// towards rewrites a description so that sound goes to the victim.
func (v *victim) towards(sdp string) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimSuffix(sdp, "\r\n"), "\r\n") {
		if rest, ok := strings.CutPrefix(line, "m=audio "); ok {
			_, rest, _ = strings.Cut(rest, " ")
			line = fmt.Sprintf("m=audio %d %s", v.conn.AddrPort().Port(), rest)
		}
		if strings.HasPrefix(line, "c=") {
			line = "c=IN IP4 " + v.conn.AddrPort().Addr().String()
		}
		out = append(out, line)
	}
	return strings.Join(out, "\r\n") + "\r\n"
}

// A call whose description names a third host: before it has proved who it is
// that host gets nothing; afterwards one stream of one call, at most, until the
// RTP timeout, and nothing once sound comes from where the signalling does.
func TestAttack23SoundForAThirdHost(t *testing.T) {
	const stream = 50 + 2 // packets and reports in a second
	story(t, func(s *stage) {
		s.flow(toSales)
		v := s.victim()
		defer v.conn.Close()
		mute := s.phone("caller", callerAt, phone.Quirks{NoRTP: true})
		speaks := s.phone("speaks", "10.0.1.2:5060", phone.Quirks{})
		b := s.phone("sales", carrierAt, phone.Quirks{})

		stranger, err := s.net.Listen(netip.MustParseAddrPort(strangerAt))
		s.must(err)
		defer stranger.Close()
		sdp := "v=0\r\no=- 1 1 IN IP4 10.0.77.7\r\ns=-\r\nc=IN IP4 10.0.77.7\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n"
		for i := range 20 {
			_, err := stranger.WriteToUDPAddrPort(fmt.Appendf(nil, "INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKv%d;rport\r\nMax-Forwards: 70\r\n"+
				"From: <sip:x@y>;tag=%d\r\nTo: <sip:%s@10.0.0.1>\r\nCall-ID: v%d\r\nCSeq: 1 INVITE\r\nContact: <sip:x@10.0.77.7:7000>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
				did, switchAt, strangerAt, i, i, did, i, len(sdp), sdp), netip.MustParseAddrPort(switchAt))
			s.must(err)
			pass(100 * time.Millisecond)
		}
		if n := v.got.Load(); n != 0 {
			s.Errorf("a stranger has %d packets sent to the third host", n)
		}

		in := s.calls(mute, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		begun := time.Now()
		for range 4 { // to say so again and again prolongs nothing
			s.must(in.Reoffer(s.soon(), v.towards))
			pass(14 * time.Second)
		}
		s.over(in)
		s.over(out)
		took := time.Since(begun)
		if took > 65*time.Second {
			s.Errorf("it went on for %v", took)
		}
		n := v.got.Load()
		if n == 0 || n > int64((took.Seconds()+1)*stream) {
			s.Errorf("the third host got %d packets in %v", n, took)
		}
		pass(10 * time.Second)
		if more := v.got.Load() - n; more != 0 {
			s.Errorf("%d packets after the call", more)
		}

		// Nobody misses who asks to receive only; the sound stops all the same.
		in = s.calls(mute, did)
		out = s.answers(b)
		s.until(in, phone.Established)
		before := v.got.Load()
		s.must(in.Reoffer(s.soon(), func(sdp string) string { return v.towards(strings.Replace(sdp, "a=sendrecv", "a=recvonly", 1)) }))
		out.SendTone(salesTone, toneLevel, 3*time.Minute)
		pass(62 * time.Second)
		n = v.got.Load()
		if n-before == 0 || n-before > 63*stream {
			s.Errorf("the third host got %d packets in a minute", n-before)
		}
		pass(time.Minute)
		if more := v.got.Load() - n; more != 0 || in.State() != phone.Established {
			s.Errorf("%d packets in the next one, the call is %v", more, in.State())
		}
		s.hangsUp(in)
		s.over(out)

		// Who speaks from where he signals gets the sound himself.
		in = s.calls(speaks, did)
		out = s.answers(b)
		s.until(in, phone.Established)
		s.must(in.Reoffer(s.soon(), v.towards))
		pass(time.Second)
		n = v.got.Load()
		in.SendTone(callerTone, toneLevel, 3*time.Second)
		pass(time.Second)
		spoken := v.got.Load()
		pass(20 * time.Second)
		if more := v.got.Load() - spoken; more != 0 {
			s.Errorf("%d packets, %d of them in the second before it spoke", more, n)
		}
		s.hangsUp(in)
		s.over(out)
	}, undrawn)
}
