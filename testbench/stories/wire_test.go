package stories_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// Whoever wants to know what happened on the wire gets it with the call's trace:
// live or ended, all legs, drawn and as a file; and nothing that must stay secret.
func TestMessagesOfACallAreKept(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		s.flow(toSales)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		id := s.event("call.answered").str("call_id")
		if live := s.get("/v2/calls/" + id + "/trace"); !strings.Contains(live.str("ladder"), "INVITE SDP") {
			s.Errorf("the trace of a live call: %v", live)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		pass(time.Second)

		trace := s.get("/v2/calls/" + id + "/trace")
		ladder := trace.str("ladder")
		for _, want := range []string{"caller 10.0.1.1:5060", sales + " 10.0.2.1:5060", "INVITE SDP", "180 Ringing", "200 OK SDP", "ACK", "BYE", "200 OK (BYE)"} {
			if !strings.Contains(ladder, want) {
				s.Errorf("no %q in\n%s", want, ladder)
			}
		}
		legs := map[string]int{}
		for _, m := range trace.list("sip") {
			legs[doc(m.(map[string]any)).str("sip_call_id")]++
		}
		if len(legs) != 2 || legs[s.get("/v2/calls/"+id).str("sip_call_id")] < 6 {
			s.Errorf("messages by leg: %v", legs)
		}
		file := s.request(http.MethodGet, "/v2/calls/"+id+"/pcap", "")
		body := file.Body.Bytes()
		if file.Code != http.StatusOK || len(body) < 24 || binary.LittleEndian.Uint32(body) != 0xa1b2c3d4 ||
			bytes.Count(body, []byte("INVITE sip:")) != 2 {
			s.Errorf("pcap: %d, %d octets", file.Code, len(body))
		}
		if got := s.request(http.MethodGet, "/v2/calls/call_none/pcap", "").Code; got != http.StatusNotFound {
			s.Errorf("pcap of no call: %d", got)
		}
	}, undrawn)
}
