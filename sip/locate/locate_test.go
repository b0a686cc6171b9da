package locate_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip/locate"
)

// RFC 3263 §4.1 and §4.2, case by case.
func TestLocate(t *testing.T) {
	srvs := []string{
		"_sip._udp.c.example. 60 IN SRV 1 0 5070 a.c.example.",
		"_sip._udp.c.example. 60 IN SRV 2 0 5071 b.c.example.",
		"_sip._tcp.c.example. 60 IN SRV 1 0 5072 b.c.example.",
		"_sips._tcp.c.example. 60 IN SRV 1 0 5073 a.c.example.",
	}
	addrs := []string{"a.c.example. 60 IN A 192.0.2.1", "b.c.example. 60 IN A 192.0.2.2", "c.example. 60 IN A 192.0.2.9"}
	both := slices.Concat(srvs, addrs)
	naptr := func(lines ...string) []string {
		var out []string
		for _, l := range lines {
			out = append(out, "c.example. 60 IN NAPTR "+l)
		}
		return append(out, both...)
	}
	c := locate.Question{Host: "c.example"}
	cases := []struct {
		name string
		zone []string
		q    locate.Question
		have []string
		want string
	}{
		{"an address", nil, locate.Question{Host: "192.0.2.7"}, nil, "udp 192.0.2.7:5060"},
		{"an address and a port", nil, locate.Question{Host: "192.0.2.7", Port: 5080}, nil, "udp 192.0.2.7:5080"},
		{"an address by tcp", nil, locate.Question{Host: "192.0.2.7", Transport: "TCP"}, nil, "tcp 192.0.2.7:5060"},
		{"an IPv6 address", nil, locate.Question{Host: "[2001:db8::1]"}, nil, "udp [2001:db8::1]:5060"},
		{"a secure address", nil, locate.Question{Host: "192.0.2.7", Secure: true}, nil, "tls 192.0.2.7:5061"},
		{"secure over tcp is tls", nil, locate.Question{Host: "192.0.2.7", Secure: true, Transport: "tcp"}, nil, "tls 192.0.2.7:5061"},
		{"secure over udp is nothing", nil, locate.Question{Host: "192.0.2.7", Secure: true, Transport: "udp"}, nil, "no such transport"},
		{"an address without udp", nil, locate.Question{Host: "192.0.2.7"}, []string{"tls", "tcp"}, "tcp 192.0.2.7:5060"},
		{"websocket", both, locate.Question{Host: "c.example", Transport: "ws"}, []string{"ws"}, "ws 192.0.2.9:80"},
		{"secure websocket", both, locate.Question{Host: "c.example", Transport: "ws", Secure: true}, []string{"wss"}, "wss 192.0.2.9:443"},
		{"a transport nobody has", both, locate.Question{Host: "c.example", Transport: "sctp"}, nil, "no such transport"},
		{"a transport without socket", both, locate.Question{Host: "c.example", Transport: "tcp"}, []string{"udp"}, "no listener for tcp"},
		{"a port: addresses only", naptr(`1 1 "s" "SIP+D2T" "" _sip._tcp.c.example.`), locate.Question{Host: "c.example", Port: 5090}, nil, "udp 192.0.2.9:5090"},
		{"a port and a transport", both, locate.Question{Host: "c.example", Port: 5090, Transport: "tcp"}, nil, "tcp 192.0.2.9:5090"},
		{"a transport: its SRV", both, locate.Question{Host: "C.Example.", Transport: "udp"}, nil, "udp 192.0.2.1:5070, udp 192.0.2.2:5071"},
		{"a transport without SRV", addrs, locate.Question{Host: "c.example", Transport: "tcp"}, nil, "tcp 192.0.2.9:5060"},
		{"tls has its SRV", both, locate.Question{Host: "c.example", Transport: "tls"}, nil, "tls 192.0.2.1:5073"},
		{"sips: only tls", both, locate.Question{Host: "c.example", Secure: true}, nil, "tls 192.0.2.1:5073"},
		{"sips without SRV", addrs, locate.Question{Host: "c.example", Secure: true}, nil, "tls 192.0.2.9:5061"},
		{"no NAPTR: SRV of what we have", both, c, []string{"tcp", "udp"}, "tcp 192.0.2.2:5072"},
		{"NAPTR says tcp", naptr(`20 1 "s" "SIP+D2U" "" _sip._udp.c.example.`, `10 1 "s" "SIP+D2T" "" _sip._tcp.c.example.`), c, nil, "tcp 192.0.2.2:5072"},
		{"NAPTR by preference", naptr(`10 2 "s" "SIP+D2U" "" _sip._udp.c.example.`, `10 1 "S" "sips+d2t" "" _sips._tcp.c.example.`), c, nil, "tls 192.0.2.1:5073"},
		{"NAPTR for what we lack", naptr(`1 1 "s" "SIPS+D2T" "" _sips._tcp.c.example.`, `2 1 "s" "SIP+D2U" "" _sip._udp.c.example.`), c, []string{"udp"}, "udp 192.0.2.1:5070, udp 192.0.2.2:5071"},
		{"NAPTR: sips only tls", naptr(`1 1 "s" "SIP+D2U" "" _sip._udp.c.example.`, `2 1 "s" "SIPS+D2T" "" _sips._tcp.c.example.`), locate.Question{Host: "c.example", Secure: true}, nil, "tls 192.0.2.1:5073"},
		{"NAPTR with other names", append(naptr(`1 1 "s" "SIP+D2U" "" east.c.example.`), "east.c.example. 60 IN SRV 1 1 5099 b.c.example."), c, nil, "udp 192.0.2.2:5099"},
		{"NAPTR of other services", naptr(`1 1 "u" "E2U+sip" "!^.*$!sip:x@y!" .`, `1 1 "a" "SIP+D2T" "" c.example.`), c, []string{"udp"}, "udp 192.0.2.1:5070, udp 192.0.2.2:5071"},
		{"NAPTR to nowhere", naptr(`1 1 "s" "SIP+D2T" "" gone.c.example.`), c, []string{"udp", "tcp"}, "udp 192.0.2.1:5070, udp 192.0.2.2:5071"},
		{"neither NAPTR nor SRV", addrs, c, nil, "udp 192.0.2.9:5060"},
		{"not offered", append([]string{"_sip._udp.c.example. 60 IN SRV 0 0 0 ."}, addrs...), locate.Question{Host: "c.example", Transport: "udp"}, nil, "does not offer"},
		{"not offered by udp", append([]string{"_sip._udp.c.example. 60 IN SRV 0 0 0 .", "_sip._tcp.c.example. 60 IN SRV 0 0 5072 a.c.example."}, addrs...), c, nil, "tcp 192.0.2.1:5072"},
		{"not offered at all", append([]string{"_sip._udp.c.example. 60 IN SRV 0 0 0 ."}, addrs...), c, []string{"udp"}, "does not offer"},
		{"a SRV host without address", append([]string{"_sip._udp.c.example. 60 IN SRV 1 0 5070 gone.c.example.", "_sip._udp.c.example. 60 IN SRV 2 0 5071 a.c.example."}, addrs...), c, nil, "udp 192.0.2.1:5071"},
		{"no SRV host has one", append([]string{"_sip._udp.c.example. 60 IN SRV 1 0 5070 gone.c.example."}, addrs...), c, nil, "no address"},
		{"both families", []string{"d.example. 60 IN AAAA 2001:db8::2", "d.example. 60 IN A 192.0.2.2"}, locate.Question{Host: "d.example"}, nil, "udp 192.0.2.2:5060, udp [2001:db8::2]:5060"},
		{"an alias", []string{"w.example. 60 IN CNAME x.example.", "x.example. 60 IN CNAME y.example.", "y.example. 60 IN A 192.0.2.3"}, locate.Question{Host: "w.example"}, nil, "udp 192.0.2.3:5060"},
		{"an alias of SRV", append([]string{"_sip._udp.w.example. 60 IN CNAME _sip._udp.c.example."}, both...), locate.Question{Host: "w.example"}, nil, "udp 192.0.2.1:5070, udp 192.0.2.2:5071"},
		{"aliases in a ring", []string{"w.example. 60 IN CNAME x.example.", "x.example. 60 IN CNAME w.example."}, locate.Question{Host: "w.example"}, nil, "too many aliases"},
		{"nothing", nil, c, nil, "no address"},
		{"a port out of range", nil, locate.Question{Host: "c.example", Port: 65536}, nil, "port 65536"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := resolver(t, newZone(t, tc.zone...), func(c *locate.Config) {
				if tc.have != nil {
					c.Transports = tc.have
				}
				c.Transports = append([]string(nil), c.Transports...)
			})
			if got := where(r.Locate(t.Context(), tc.q)); got != tc.want && (!strings.HasPrefix(got, "locate") || !strings.Contains(got, tc.want)) {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestOddNamesAreNotAsked(t *testing.T) {
	z := newZone(t)
	r := resolver(t, z)
	long := strings.Repeat("a.", 126) + "ab"
	for _, host := range []string{"", ".", "[.1]", "a..b", ".a", "a b", "a\x00b", "ä.example", "1.2.3", "1.2.3.400", "[192.0.2.1]", "[2001:db8::1",
		strings.Repeat("a", 64) + ".example", long, "x/y", "a%2eb", "[::1].example"} {
		if _, err := r.Locate(t.Context(), locate.Question{Host: host}); !errors.Is(err, locate.ErrName) {
			t.Errorf("%q: %v", host, err)
		}
	}
	if q := z.questions(); q != nil {
		t.Errorf("asked %q", q)
	}
}

func TestUsableAddressesFirst(t *testing.T) {
	z := newZone(t, "d.example. 60 IN A 192.0.2.2", "d.example. 60 IN AAAA 2001:db8::2")
	d := locate.Question{Host: "d.example"}
	only6 := func(c *locate.Config) { c.Usable = func(_ string, a netip.Addr) bool { return a.Is6() } }
	if got := where(resolver(t, z, only6).Locate(t.Context(), d)); got != "udp [2001:db8::2]:5060" {
		t.Errorf("with a socket for IPv6: %s", got)
	}
	none := func(c *locate.Config) { c.Usable = func(string, netip.Addr) bool { return false } }
	if got := where(resolver(t, z, none).Locate(t.Context(), d)); got != "udp 192.0.2.2:5060, udp [2001:db8::2]:5060" {
		t.Errorf("with no socket: %s", got)
	}
}

// A target that failed is tried last for a while, or until it works again.
func TestFailedTargetsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolver(t, newZone(t, "_sip._udp.c.example. 3600 IN SRV 1 0 5070 a.c.example.", "_sip._udp.c.example. 3600 IN SRV 2 0 5071 b.c.example.",
			"a.c.example. 3600 IN A 192.0.2.1", "b.c.example. 3600 IN A 192.0.2.2"))
		locateC := func() []locate.Target {
			t.Helper()
			targets, err := r.Locate(t.Context(), locate.Question{Host: "c.example"})
			if err != nil || len(targets) != 2 {
				t.Fatal(targets, err)
			}
			return targets
		}
		a, b := locateC()[0], locateC()[1]
		check := func(want locate.Target, when string) {
			t.Helper()
			if got := locateC()[0]; got != want {
				t.Errorf("%s: %v first", when, got)
			}
		}
		r.Avoid(a, 0)
		check(b, "a failed")
		r.Avoid(b, 0)
		check(a, "both failed")
		r.Worked(b)
		check(b, "b works")
		time.Sleep(30 * time.Second)
		check(a, "30 s later")
		r.Avoid(a, 5*time.Minute)
		time.Sleep(4 * time.Minute)
		check(b, "while Retry-After lasts")
		time.Sleep(time.Minute)
		check(a, "after Retry-After")
		r.Avoid(a, 10000*time.Hour)
		time.Sleep(10 * time.Minute)
		check(a, "after any Retry-After")
		for i := range 5000 { // bounded
			r.Avoid(locate.Target{Transport: "udp", Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.200"), uint16(i))}, 0)
		}
		if n := locate.Avoided(r); n > 1024 {
			t.Errorf("%d failures remembered", n)
		}
	})
}

func TestSystemResolver(t *testing.T) {
	r, err := locate.New(locate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Locate(t.Context(), locate.Question{Host: "localhost", Port: 5060})
	if err != nil || !got[0].Addr.Addr().IsLoopback() {
		t.Error(got, err)
	}
}

func TestHostsAlone(t *testing.T) {
	r, err := locate.New(locate.Config{Hosts: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "c.example" {
			return nil, errors.New("asked for " + host)
		}
		return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.5")}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := where(r.Locate(t.Context(), locate.Question{Host: "c.example"})); got != "udp 192.0.2.5:5060" {
		t.Error(got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := locate.New(locate.Config{Servers: []string{"192.0.2.53", "ns.example:53", "192.0.2.53:0"}, Transports: []string{"sctp"}}); err == nil ||
		strings.Count(err.Error(), "\n") != 3 {
		t.Error(err)
	}
}

func TestAddressesOfADomain(t *testing.T) {
	z := newZone(t, "_sip._udp.c.example. 60 IN SRV 1 0 5070 a.c.example.", "_sips._tcp.c.example. 60 IN SRV 1 0 5070 b.c.example.",
		"a.c.example. 60 IN A 192.0.2.1", "b.c.example. 60 IN A 192.0.2.2", "c.example. 60 IN A 192.0.2.1", "c.example. 60 IN AAAA 2001:db8::1")
	r := resolver(t, z, func(c *locate.Config) { c.Transports = []string{"udp"} })
	got, err := r.Addresses(t.Context(), "c.example")
	slices.SortFunc(got, netip.Addr.Compare)
	want := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}
	if err != nil || !slices.Equal(got, want) {
		t.Error(got, err)
	}
	if got, err := r.Addresses(t.Context(), "192.0.2.9"); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	for _, host := range []string{"none.example", "a..b"} {
		if got, err := r.Addresses(t.Context(), host); err == nil {
			t.Error(host, got)
		}
	}
}
