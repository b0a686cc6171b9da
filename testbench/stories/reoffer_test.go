package stories_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// A codec, a port, an address may change in mid-call; the other party notices
// nothing.
func TestSessionMoves(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		for _, to := range []string{"10.0.1.1", "10.0.1.7", "10.0.1.1"} {
			s.must(in.Move(s.soon(), netip.MustParseAddr(to)))
			pass(500 * time.Millisecond)
			s.talk(in, out)
		}
		for _, codec := range []string{phone.PCMA, phone.PCMU} {
			s.must(out.Reinvite(s.soon(), phone.SendRecv, codec))
			pass(500 * time.Millisecond)
			s.talk(in, out)
			if out.Codec() != codec {
				s.Errorf("sales speaks %s, not %s", out.Codec(), codec)
			}
		}
		// Another payload type for the same codec, and no more telephone-events.
		s.must(in.Reoffer(s.soon(), func(sdp string) string {
			sdp = strings.ReplaceAll(sdp, "RTP/AVP 0 8 101", "RTP/AVP 0")
			return strings.ReplaceAll(sdp, "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n", "")
		}))
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.presses(out, "5")
		pass(time.Second)
		if in.Digits() != "" {
			s.Errorf("the caller was sent events %q", in.Digits())
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// A re-INVITE that is taken back leaves all as it was, also when our answer was
// made already and crosses the CANCEL: either both ends have the new session, or
// neither has (RFC 3261 §14.1, RFC 3264 §8).
func TestReinviteIsCancelled(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		for range 20 {
			err := in.ReofferAndCancel(s.soon(), func(sdp string) string {
				sdp = strings.ReplaceAll(sdp, "RTP/AVP 0 8 101", "RTP/AVP 8 101")
				return strings.ReplaceAll(sdp, "a=sendrecv", "a=sendonly")
			})
			pass(500 * time.Millisecond)
			var refused *phone.StatusError
			if errors.As(err, &refused) && refused.Code == 487 {
				s.talk(in, out)
				continue
			}
			s.must(err) // the answer was quicker
			s.must(in.Resume(s.soon()))
			pass(500 * time.Millisecond)
			s.talk(in, out)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// Without an offer in the re-INVITE ours is in the 200, with what holds now.
func TestReinviteWithoutAnOffer(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.must(in.Reoffer(s.soon(), nil))
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.must(in.Hold(s.soon()))
		pass(time.Second)
		s.music("sales", out)
		s.must(out.Reoffer(s.soon(), nil))
		pass(500 * time.Millisecond)
		s.music("sales, still", out)
		// Asked for an offer, a side that is held says what it would do if it
		// were not (RFC 6337 §5.3); the holder answers that it still holds.
		s.must(in.Reoffer(s.soon(), nil))
		if offer := in.Described(); !strings.Contains(offer, "a=sendrecv") {
			s.Errorf("offered\n%s", offer)
		}
		pass(500 * time.Millisecond)
		s.music("sales, still", out)
		s.must(in.Resume(s.soon()))
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// Video is refused, audio taken; the streams keep their places in what we offer
// later.
func TestVideoIsRefused(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		const video = "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
		s.must(in.Reoffer(s.soon(), func(sdp string) string { return strings.Replace(sdp, "m=audio", video+"m=audio", 1) }))
		answer := in.Described()
		if at := strings.Index(answer, "m=video 0 RTP/AVP 96\r\n"); at < 0 || at > strings.Index(answer, "m=audio") {
			s.Errorf("answered\n%s", answer)
		}
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.must(in.Reoffer(s.soon(), nil))
		if offer := in.Described(); !strings.Contains(offer, "m=video 0 RTP/AVP 96\r\n") {
			s.Errorf("offered\n%s", offer)
		}
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// A re-INVITE that cannot be taken is refused with the reason, and nothing
// changes (RFC 3261 §14.2).
func TestReinviteIsRefused(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		for warning, edit := range map[string][2]string{
			"305": {"RTP/AVP 0 8 101", "RTP/AVP 18 4 101"},
			"302": {"RTP/AVP", "RTP/SAVP"},
			"301": {"c=IN IP4 10.0.1.1", "c=IN IP4 media.example.com"},
			"330": {"c=IN IP4 10.0.1.1", "c=IN IP4 239.1.2.3/127"},
			"300": {"c=IN IP4 10.0.1.1", "c=IN IP6 2001:db8::7"},
			"304": {"m=audio", "m=video"},
			"399": {"RTP/AVP 0", "RTP/AVP 999"},
		} {
			err := in.Reoffer(s.soon(), func(sdp string) string { return strings.ReplaceAll(sdp, edit[0], edit[1]) })
			var status *phone.StatusError
			if !errors.As(err, &status) || status.Code != 488 || !strings.HasPrefix(status.Warning, warning+" ") {
				s.Errorf("%s: %v %+v", warning, err, status)
			}
			s.talk(in, out)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// So is an INVITE.
func TestInviteIsRefusedWithAWarning(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{}, "G729")
		in := s.calls(a, did)
		s.refused(in, 488)
		if w := in.Header("Warning"); !strings.HasPrefix(w, "305 ") {
			s.Errorf("Warning: %s", w)
		}
		s.event("call.failed")
	}, undrawn)
}
