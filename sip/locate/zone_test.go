package locate_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"b2bua/sip/locate"

	"github.com/miekg/dns"
)

// zone is a name server in memory.
type zone struct {
	mu      sync.Mutex
	records []dns.RR
	asked   []string                 // "SRV _sip._udp.example."
	delay   map[string]time.Duration // by name; longer than anybody waits: never answers
	rcode   int                      // what it answers to everything, when not 0
	soa     uint32                   // negative TTL
}

func newZone(t *testing.T, records ...string) *zone {
	t.Helper()
	z := &zone{delay: map[string]time.Duration{}, soa: 60}
	z.set(t, records...)
	return z
}

func (z *zone) set(t *testing.T, records ...string) {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = nil
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		z.records = append(z.records, rr)
	}
}

func (z *zone) fail(rcode int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rcode = rcode
}

// questions gives and forgets what was asked.
func (z *zone) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	asked := z.asked
	z.asked = nil
	return asked
}

func (z *zone) exchange(ctx context.Context, query *dns.Msg, _, _ string) (*dns.Msg, error) {
	q := query.Question[0]
	z.mu.Lock()
	z.asked = append(z.asked, dns.TypeToString[q.Qtype]+" "+q.Name)
	delay := z.delay[q.Name]
	reply := z.answer(query)
	z.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return reply, nil
}

// answer is what a recursive name server says; mu is held.
func (z *zone) answer(query *dns.Msg) *dns.Msg {
	q := query.Question[0]
	reply := new(dns.Msg).SetReply(query)
	if z.rcode != 0 {
		return reply.SetRcode(query, z.rcode)
	}
	name, exists := q.Name, false
	for range 20 {
		alias := ""
		for _, rr := range z.records {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			exists = true
			if c, ok := rr.(*dns.CNAME); ok {
				alias = c.Target
				reply.Answer = append(reply.Answer, rr)
			} else if rr.Header().Rrtype == q.Qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
		if alias == "" || alias == name {
			break
		}
		name = alias
	}
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
	if len(reply.Answer) == 0 {
		soa, _ := dns.NewRR(fmt.Sprintf(". %d IN SOA ns. root. 1 2 3 4 %d", z.soa, z.soa))
		reply.Ns = append(reply.Ns, soa)
	}
	return reply
}

func resolver(t *testing.T, z *zone, change ...func(*locate.Config)) *locate.Resolver {
	t.Helper()
	cfg := locate.Config{Exchange: z.exchange, Transports: []string{"udp", "tcp", "tls"}, Rand: func(int) int { return 0 }}
	for _, f := range change {
		f(&cfg)
	}
	r, err := locate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// where writes targets as "udp 192.0.2.1:5060, …", or the error.
func where(targets []locate.Target, err error) string {
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, t := range targets {
		out = append(out, t.Transport+" "+t.Addr.String())
	}
	return strings.Join(out, ", ")
}
