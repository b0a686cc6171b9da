package locate_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"b2bua/sip/locate"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// serveDNS is a name server on loopback, over UDP and TCP at the same port.
func serveDNS(t *testing.T, handle func(w dns.ResponseWriter, q *dns.Msg)) string {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := net.Listen("tcp", packets.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: dns.HandlerFunc(handle)}, {Listener: stream, Handler: dns.HandlerFunc(handle)}} {
		ended := make(chan error, 1)
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := errors.Join(s.Shutdown(), <-ended); err != nil {
				t.Error(err)
			}
		})
	}
	return packets.LocalAddr().String()
}

func onWire(t *testing.T, server string) *locate.Resolver {
	t.Helper()
	r, err := locate.New(locate.Config{Servers: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOverUDPAndTCP(t *testing.T) {
	var records []string
	for i := range 60 {
		records = append(records, fmt.Sprintf("pbx.example. 60 IN A 192.0.2.%d", i+1))
	}
	z := newZone(t, append(records, "small.example. 60 IN A 192.0.2.1", "_sip._udp.c.example. 60 IN SRV 1 0 5070 small.example.")...)
	var tcp, ports atomic.Int32
	var last atomic.Value
	server := serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		z.mu.Lock()
		reply := z.answer(q)
		z.mu.Unlock()
		if last.Swap(w.RemoteAddr().String()) != w.RemoteAddr().String() {
			ports.Add(1)
		}
		if w.RemoteAddr().Network() == "udp" {
			reply.Truncate(512)
		} else {
			tcp.Add(1)
		}
		_ = w.WriteMsg(reply)
	})
	r := onWire(t, server)
	check(t, r, locate.Question{Host: "c.example"}, "udp 192.0.2.1:5070", lookups)
	if tcp.Load() != 0 || ports.Load() < 4 {
		t.Errorf("%d questions over TCP, from %d ports", tcp.Load(), ports.Load())
	}
	targets, err := r.Locate(t.Context(), pbx)
	if err != nil || len(targets) != 16 || tcp.Load() == 0 {
		t.Errorf("%d addresses, %d questions over TCP, %v", len(targets), tcp.Load(), err)
	}
}

const lookups = 4e9 // a lookup's own limit: on a loaded machine nothing less is certain

// Replies with another id, to another question, or that are none, are ignored:
// they cannot even end the wait for the true one.
func TestForgedRepliesAreIgnored(t *testing.T) {
	z := newZone(t, "pbx.example. 60 IN A 192.0.2.1")
	server := serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		evil, _ := dns.NewRR(q.Question[0].Name + " 60 IN A 203.0.113.66")
		for _, spoil := range []func(*dns.Msg){
			func(m *dns.Msg) { m.Id++ },
			func(m *dns.Msg) { m.Question[0].Name = "other.example." },
			func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT },
			func(m *dns.Msg) { m.Question = nil },
			func(m *dns.Msg) { m.Response = false },
		} {
			m := new(dns.Msg).SetReply(q)
			m.Answer = []dns.RR{evil}
			spoil(m)
			_ = w.WriteMsg(m)
		}
		_, _ = w.Write([]byte("what?"))
		_, _ = w.Write(nil)
		z.mu.Lock()
		reply := z.answer(q)
		z.mu.Unlock()
		// Nor do records count that were not asked for.
		other, _ := dns.NewRR("www.example. 60 IN A 203.0.113.66")
		reply.Answer = append(reply.Answer, other)
		reply.Extra = append(reply.Extra, evil)
		_ = w.WriteMsg(reply)
	})
	check(t, onWire(t, server), pbx, "udp 192.0.2.1:5060", lookups)
}

// A server from before EDNS0 refuses what it does not know.
func TestServerWithoutEDNS(t *testing.T) {
	z := newZone(t, "pbx.example. 60 IN A 192.0.2.1")
	server := serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if q.IsEdns0() != nil {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeFormatError))
			return
		}
		z.mu.Lock()
		defer z.mu.Unlock()
		_ = w.WriteMsg(z.answer(q))
	})
	check(t, onWire(t, server), pbx, "udp 192.0.2.1:5060", lookups)
}

func TestServerThatIsNotThere(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := conn.LocalAddr().String()
	_ = conn.Close()
	if _, err := onWire(t, server).Locate(t.Context(), pbx); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

// Weights are chances (RFC 2782), and every record is tried once.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Uint16Range(0, 100), 1, 6).Draw(t, "weights")
		sum := 0
		for _, w := range weights {
			sum += int(w)
		}
		choices := sum + 1
		// Every number that may be drawn first, once each: the shares are exact.
		first := make([]int, len(weights))
		for n := range choices {
			drawn := false
			order := locate.Order(weights, func(m int) int {
				if !drawn {
					drawn = true
					return n
				}
				return m - 1
			})
			seen := map[int]bool{}
			for _, i := range order {
				seen[i] = true
			}
			if len(order) != len(weights) || len(seen) != len(weights) {
				t.Fatalf("order %v of %v", order, weights)
			}
			first[order[0]]++
		}
		zero := 0
		for i, w := range weights {
			if w == 0 {
				zero += first[i]
			} else if d := first[i] - int(w); d < 0 || d > 1 {
				t.Fatalf("weight %d is first in %d of %d", w, first[i], choices)
			}
		}
		if zero > 1 {
			t.Fatalf("weight 0 is first in %d of %d", zero, choices)
		}
	})
}

// FuzzReply reads whatever a name server may say.
func FuzzReply(f *testing.F) {
	for _, text := range []string{"a.example. 1 IN A 192.0.2.1", "a.example. 1 IN CNAME b.example.", "a.example. 1 IN SRV 1 2 3 .", "a.example. 1 IN SRV 1 2 3 b\\.c.example.",
		"a.example. 1 IN NAPTR 1 1 \"s\" \"SIP+D2T\" \"\" _sip._tcp.a.example.", "a.example. 1 IN AAAA ::1", "a.example. 1 IN CNAME \\000.example."} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion("a.example.", rr.Header().Rrtype)
		m.Answer = []dns.RR{rr}
		data, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m dns.Msg
		if m.Unpack(data) != nil {
			return
		}
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeNAPTR} {
			n, next, err := locate.Read(&m, "a.example", kind)
			if n > 32 || n > 0 && (next != "" || err != nil) {
				t.Errorf("%d records, next %q, %v", n, next, err)
			}
			if next != "" {
				if clean, err := locate.HostName(next); err != nil || clean != next {
					t.Errorf("alias %q: %v", next, err)
				}
			}
		}
	})
}

// FuzzHostName: what passes is harmless in a question and stays as it is.
func FuzzHostName(f *testing.F) {
	for _, s := range []string{"a.example", "[.1]", "A.", "..", "1.2.3.4", "_sip._udp.x", strings.Repeat("a.", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := locate.HostName(s)
		if err != nil {
			return
		}
		if _, ok := dns.IsDomainName(name); !ok || name != strings.ToLower(strings.TrimSuffix(s, ".")) {
			t.Errorf("%q became %q", s, name)
		}
		if again, err := locate.HostName(name); err != nil || again != name {
			t.Errorf("%q became %q, %v", name, again, err)
		}
	})
}
