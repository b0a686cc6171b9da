package sip

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"b2bua/sip/transport"
)

// A connection that was gone before its 200 was looked at is missed, too: whoever
// tells of lost ones knew nobody then who was registered over it.
func TestConnectionGoneBeforeItsAnswerIsMissed(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port, err := transport.NewPort(transport.Config{Network: "tcp", Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // of the configuration's clock, which need not be the machine's
	ep := &Endpoint{homes: newHomes(), log: slog.New(slog.DiscardHandler),
		cfg: Config{Now: func() time.Time { return now }, Random: func() float64 { return 1 }}}
	x := &Registered{ep: ep, due: now.Add(time.Hour)}
	x.lives(flow{sock: &socket{network: "tcp", conns: port}, remote: netip.MustParseAddrPort("192.0.2.1:5060")})
	if x.timer == nil {
		t.Fatal("nobody registers anew")
	}
	x.timer.Stop()
	x.timer = nil
	if x.cuts != 1 || x.home.IsValid() || len(ep.homes.of) != 0 {
		t.Errorf("%d cuts, home %v, %d homes", x.cuts, x.home, len(ep.homes.of))
	}
	x.due = now.Add(time.Second) // the refresh comes first
	x.lives(flow{sock: &socket{network: "tcp", conns: port}, remote: netip.MustParseAddrPort("192.0.2.1:5060")})
	if x.cuts != 2 || x.timer != nil {
		t.Errorf("%d cuts, and a timer", x.cuts)
	}
}
