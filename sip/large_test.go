package sip_test

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2bua/sip"
)

// twoWays is a far end with UDP and, when it likes, TCP at the same port.
func twoWays(t *testing.T, tcp bool) (*net.UDPConn, net.Listener) {
	t.Helper()
	for range 20 {
		packets, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		stream, err := net.Listen("tcp4", packets.LocalAddr().String())
		if err != nil { // somebody else has it
			_ = packets.Close()
			continue
		}
		t.Cleanup(func() { _ = packets.Close() })
		if !tcp {
			_ = stream.Close()
			return packets, nil
		}
		t.Cleanup(func() { _ = stream.Close() })
		return packets, stream
	}
	t.Fatal("no port is free")
	return nil, nil
}

func datagram(t *testing.T, c *net.UDPConn) (message, netip.AddrPort) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 65536)
	n, from, err := c.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	return parse(string(buf[:n])), from
}

func busyFor(req message) string {
	return strings.Join([]string{"SIP/2.0 486 Busy Here", "Via: " + req.get("Via"), "From: " + req.get("From"), "To: " + req.get("To") + ";tag=far",
		"Call-ID: " + req.get("Call-ID"), "CSeq: " + req.get("CSeq"), "Content-Length: 0", "", ""}, "\r\n")
}

// RFC 3261 §18.1.1: what is too large for UDP goes by TCP, and by UDP after all
// when there is no TCP.
func TestLargeRequest(t *testing.T) {
	big := sip.Header{Name: "X-Large", Value: strings.Repeat("x", 1300)}
	dial := func(ep *sip.Endpoint, at net.Addr, h ...sip.Header) *owner {
		b := &bench{t: t, ep: ep}
		return b.dial(sip.Dial{Target: sip.Target{URI: "sip:" + at.String()}, Headers: h})
	}
	t.Run("by TCP", func(t *testing.T) {
		ep, addrs := serve(t, decline{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
		packets, l := twoWays(t, true)
		o := dial(ep, l.Addr(), big)
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		far := &stream{t: t, Conn: c, r: bufio.NewReader(c)}
		inv := far.read()
		_, port, _ := net.SplitHostPort(addrs[1].String())
		if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/TCP 127.0.0.1:"+port+";") || !strings.HasSuffix(inv.get("Contact"), "@127.0.0.1:"+port+";transport=tcp>") &&
			!strings.HasSuffix(inv.get("Contact"), "<sip:127.0.0.1:"+port+";transport=tcp>") {
			t.Errorf("%+v", inv)
		}
		far.write(busyFor(inv))
		if ack := far.read(); !strings.HasPrefix(ack.start, "ACK") || ack.branch() != inv.branch() {
			t.Errorf("%+v", ack)
		}
		if ev := told[sip.Rejected](o); ev.Code != 486 {
			t.Errorf("%+v", ev)
		}
		// A small one still goes by UDP.
		o = dial(ep, l.Addr())
		inv, from := datagram(t, packets)
		if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/UDP ") || strings.Contains(inv.get("Contact"), "transport") {
			t.Errorf("%+v", inv)
		}
		_, _ = packets.WriteToUDPAddrPort([]byte(busyFor(inv)), from)
		told[sip.Rejected](o)
	})
	t.Run("TCP refused", func(t *testing.T) {
		ep, _ := serve(t, decline{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
		packets, _ := twoWays(t, false)
		start := time.Now()
		for range 2 { // the second time it is known
			o := dial(ep, packets.LocalAddr(), big)
			inv, from := datagram(t, packets)
			if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/UDP ") || strings.Contains(inv.get("Contact"), "transport") || inv.get("X-Large") != big.Value {
				t.Errorf("%+v", inv)
			}
			_, _ = packets.WriteToUDPAddrPort([]byte(busyFor(inv)), from)
			if ev := told[sip.Rejected](o); ev.Code != 486 {
				t.Errorf("%+v", ev)
			}
			if ack, _ := datagram(t, packets); !strings.HasPrefix(ack.start, "ACK") || ack.branch() != inv.branch() {
				t.Errorf("%+v", ack)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
	t.Run("no TCP of ours", func(t *testing.T) {
		ep, _ := serve(t, decline{}, "udp://127.0.0.1:0")
		packets, _ := twoWays(t, true)
		o := dial(ep, packets.LocalAddr(), big)
		inv, from := datagram(t, packets)
		_, _ = packets.WriteToUDPAddrPort([]byte(busyFor(inv)), from)
		told[sip.Rejected](o)
	})
	t.Run("TCP that does not answer", func(t *testing.T) {
		ep, _ := serve(t, decline{}, "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
		packets, _ := twoWays(t, false)
		deaf := full(t, packets.LocalAddr().(*net.UDPAddr).Port)
		defer deaf()
		o := dial(ep, packets.LocalAddr(), big)
		inv, from := datagram(t, packets)
		if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/UDP ") {
			t.Errorf("%+v", inv)
		}
		_, _ = packets.WriteToUDPAddrPort([]byte(busyFor(inv)), from)
		told[sip.Rejected](o)
	})
}

// full is a TCP port whose queue is full: the kernel drops further attempts to
// connect without a word.
func full(t *testing.T, port int) (free func()) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Bind(fd, at); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	for {
		c, err := net.DialTimeout("tcp4", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String(), 100*time.Millisecond)
		if err != nil {
			break
		}
		conns = append(conns, c)
	}
	return func() {
		for _, c := range conns {
			_ = c.Close()
		}
		_ = syscall.Close(fd)
	}
}
