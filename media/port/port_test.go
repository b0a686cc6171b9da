package port_test

import (
	"net"
	"net/netip"
	"testing"

	"b2bua/media/port"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// A Reader hands over what comes, until it is closed.
func TestReader(t *testing.T) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback))
	if err != nil {
		t.Fatal(err)
	}
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r := port.NewReader(conn)
	got := make(chan string)
	r.Start(100, func(b []byte, from netip.AddrPort) { got <- string(b) + from.String() })
	for _, word := range []string{"one", "two"} {
		if err := r.Send([]byte(word), at); err != nil {
			t.Fatal(err)
		}
		if g := <-got; g != word+at.String() {
			t.Errorf("heard %q", g)
		}
	}
	if err := r.Connect(at); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	r.Wait()
}
