package media

import (
	"net/netip"
	"testing"
	"time"

	"b2bua/media/codec"
	"b2bua/media/rtcp"
)

// Reports are believed from the port told, or from the one that NAT makes of it, and
// from no other port of the far end's host.
func TestReportsFromOnePort(t *testing.T) {
	c := &caller{s: benchLeg(t, benchEngine(newHole), codec.PCMU), now: time.Minute}
	c.speaks()
	c.packet()
	told := netip.AddrPortFrom(farEnd.Addr(), farEnd.Port()+1)
	nat, other := netip.AddrPortFrom(farEnd.Addr(), 40000), netip.AddrPortFrom(farEnd.Addr(), 5000)
	for i, step := range []struct {
		from  netip.AddrPort
		after time.Duration
		taken bool
	}{
		{nat, 0, true}, {other, time.Second, false}, {nat, time.Second, true},
		{told, time.Second, true}, {other, 5 * time.Second, false}, {nat, 5 * time.Second, false},
		{told, 5 * time.Second, true}, {nat, 31 * time.Second, true}, {other, 29 * time.Second, false},
		{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), told.Port()), 0, false},
	} {
		c.now += step.after
		before := c.s.report.received
		c.s.take(rtcpPort, rtcp.Source{SSRC: 1, CNAME: "far"}.AppendReport(nil, nil, nil), step.from, c.now)
		if taken := c.s.report.received > before; taken != step.taken {
			t.Errorf("step %d: a report from %s: taken %v", i, step.from, taken)
		}
	}
	if to, _, ok := c.s.rtcpDest(); !ok || to != nat {
		t.Errorf("reports go to %s", to)
	}
}
