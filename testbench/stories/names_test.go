package stories_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"

	"github.com/miekg/dns"
)

// nameServer is DNS for a story.
type nameServer []dns.RR

func named(records ...string) nameServer {
	var n nameServer
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		n = append(n, rr)
	}
	return n
}

func (n nameServer) exchange(_ context.Context, query *dns.Msg, _, _ string) (*dns.Msg, error) {
	reply := new(dns.Msg).SetReply(query)
	for _, rr := range n {
		if q := query.Question[0]; rr.Header().Rrtype == q.Qtype && strings.EqualFold(rr.Header().Name, q.Name) {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	return reply, nil
}

// resolve finds addresses here first.
func (n nameServer) resolve(next func(context.Context, string) ([]netip.Addr, error)) func(context.Context, string) ([]netip.Addr, error) {
	return func(ctx context.Context, host string) ([]netip.Addr, error) {
		for _, rr := range n {
			if a, ok := rr.(*dns.A); ok && strings.EqualFold(a.Hdr.Name, dns.Fqdn(host)) {
				addr, _ := netip.AddrFromSlice(a.A)
				return []netip.Addr{addr.Unmap()}, nil
			}
		}
		return next(ctx, host)
	}
}

// The other host of the carrier.
const secondAt = "10.0.2.2:5060"

// carrierByName makes the first trunk a name with two hosts.
func carrierByName(s *setup) {
	s.names = named("_sip._udp.voice.example. 300 IN SRV 1 1 5060 a.voice.example.", "_sip._udp.voice.example. 300 IN SRV 2 1 5060 b.voice.example.",
		"a.voice.example. 300 IN A 10.0.2.1", "b.voice.example. 300 IN A 10.0.2.2")
	before := s.config
	s.config = func(c *configs.Config) {
		c.Trunks[0].Outbound.URI = "sip:voice.example"
		if before != nil {
			before(c)
		}
	}
}

// A carrier is a name, and the first of its hosts does not take the call: the
// second gets it, soon enough, and the trunk is still the same.
func TestSecondHostOfACarrier(t *testing.T) {
	for name, code := range map[string]int{"after silence": 0, "after 503": 503} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a := s.phone("caller", callerAt, phone.Quirks{})
				first, second := s.phone("sales", carrierAt, phone.Quirks{Silent: code == 0}), s.phone("second", secondAt, phone.Quirks{})
				begun := time.Now()
				in := s.calls(a, did)
				most := 4 * time.Second
				if code != 0 {
					most = 200 * time.Millisecond
					s.must(s.next(first).Reject(code))
				}
				out := s.next(second)
				if took := time.Since(begun); took > most {
					s.Errorf("the second host was tried after %v", took)
				}
				pass(3 * time.Second) // it has its own time
				s.must(out.Accept())
				s.until(in, phone.Established)
				s.talk(in, out)
				s.hangsUp(in)
				s.over(out)
				id := s.event("call.completed").str("call_id")
				if attempts := s.get("/v2/calls/" + id).list("attempts"); len(attempts) != 1 {
					s.Errorf("attempts %v", attempts)
				}
				if !strings.Contains(s.trace(id), "next address "+secondAt) {
					s.Errorf("the trace says %s", s.trace(id))
				}
			}, carrierByName, drawn("caller", "switch", "sales", "second"))
		})
	}
}

// No host of the carrier takes calls: the next trunk does.
func TestNoHostOfACarrier(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, backup := s.phone("caller", callerAt, phone.Quirks{}), s.phone("backup", backupAt, phone.Quirks{})
		first, second := s.phone("sales", carrierAt, phone.Quirks{}), s.phone("second", secondAt, phone.Quirks{})
		begun := time.Now()
		in := s.calls(a, did)
		s.must(s.next(first).Reject(503))
		s.must(s.next(second).Reject(503))
		out := s.next(backup)
		if took := time.Since(begun); took > 200*time.Millisecond {
			s.Errorf("the second trunk was tried after %v", took)
		}
		s.must(out.Accept())
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		attempts := s.get("/v2/calls/" + s.event("call.completed").str("call_id")).list("attempts")
		if len(attempts) != 2 || doc(attempts[0].(map[string]any)).num("sip_code") != 503 {
			s.Errorf("attempts %v", attempts)
		}
	}, withBackup, carrierByName, drawn("caller", "switch", "sales", "second", "backup"))
}

// A name that nobody knows costs no time worth mentioning.
func TestCarrierWithoutAddress(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{})
		s.refused(s.calls(a, did), 503)
		s.event("call.failed")
	}, func(s *setup) {
		carrierByName(s)
		s.names = nil
	}, undrawn)
}
