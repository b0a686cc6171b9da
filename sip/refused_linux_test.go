package sip_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T, network string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket(network, "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// A host that has no SIP says so by ICMP, and the next one is asked at once. Calls
// to others go on meanwhile.
func TestNextAddressAfterICMP(t *testing.T) {
	for _, listen := range []string{"udp://127.0.0.1:0", "udp://[::]:0"} {
		ep, _ := serve(t, decline{}, listen)
		b := &bench{t: t, ep: ep}
		for range 3 {
			dead := closedPort(t, "udp4")
			o := b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + dead.String()}})
			if ev := told[sip.Rejected](o); ev.Code != 503 {
				t.Errorf("%s: %+v", listen, ev)
			}
			if code, err := ep.Ping(t.Context(), sip.Target{URI: "sip:" + dead.String()}); err == nil || !strings.Contains(err.Error(), "refused") {
				t.Errorf("%s: ping %d, %v", listen, code, err)
			}
		}
	}
	live, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	port := netip.MustParseAddrPort(live.LocalAddr().String()).Port()
	ep, _ := serveBy(t, decline{}, sip.Config{Listen: []string{"udp://0.0.0.0:0"}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, nil
	}})
	b := &bench{t: t, ep: ep}
	o := b.dial(sip.Dial{Target: sip.Target{URI: fmt.Sprintf("sip:many.example:%d", port)}})
	_ = live.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 4096)
	n, _, err := live.ReadFrom(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "INVITE") {
		t.Fatalf("%v: %s", err, buf[:n])
	}
	if moved := o.whereTo(); len(moved) != 2 || moved[1].Because != "connection refused" {
		t.Errorf("%+v", moved)
	}
	_ = live.Close() // it answers no more
	told[sip.Rejected](o)
}
