package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watched is a guarded socket on the loopback that tells what did not arrive.
func watched(t *testing.T, unreachable func([]byte, netip.AddrPort)) (*Conn, netip.AddrPort) {
	t.Helper()
	pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	c := Wrap(pc, ConnConfig{Guard: New(Config{}), Log: slog.New(slog.DiscardHandler), Known: func(netip.AddrPort) bool { return true }, Unreachable: unreachable})
	t.Cleanup(func() { _ = c.Close() })
	return c, pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// icmpErrors are the errors that Linux makes of each type and code of ICMP.
var icmpErrors = []struct {
	kind, codes byte
	errno       []unix.Errno
}{
	{3, 16, []unix.Errno{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ECONNREFUSED, unix.EMSGSIZE, unix.EOPNOTSUPP,
		unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENONET, unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTUNREACH,
		unix.EHOSTUNREACH, unix.EHOSTUNREACH, unix.EHOSTUNREACH}},
	{11, 2, []unix.Errno{unix.EHOSTUNREACH, unix.EHOSTUNREACH}},
	{12, 2, []unix.Errno{unix.EPROTO, unix.EPROTO}},
}

// icmpv6Errors are those of ICMPv6.
var icmpv6Errors = []unix.Errno{unix.ENETUNREACH, unix.EACCES, unix.EHOSTUNREACH, unix.ECONNREFUSED, unix.EMSGSIZE, unix.EPROTO}

// Whatever kind of ICMP error comes, it is about a datagram, not about the socket.
func TestEveryICMPErrorIsOfADatagram(t *testing.T) {
	c, _ := watched(t, func([]byte, netip.AddrPort) {})
	all := icmpv6Errors
	for _, of := range icmpErrors {
		all = append(all, of.errno...)
	}
	for _, no := range all {
		for _, call := range []string{"recvfrom", "sendto"} {
			if !c.notified(&net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError(call, no)}) {
				t.Errorf("%s: %v is an error of the socket", call, no)
			}
		}
	}
	for _, err := range []error{unix.ENOMEM, unix.EBADF, net.ErrClosed} {
		if c.notified(err) {
			t.Errorf("%v is of a datagram", err)
		}
	}
}

// However many ICMP errors come, of whatever kind, the socket hears as before.
func TestSocketHearsAfterABurstOfICMPErrors(t *testing.T) {
	gone := closed(t)
	c, at := watched(t, func([]byte, netip.AddrPort) {})
	heard := make(chan int)
	go func() {
		b := make([]byte, 4096)
		for n := 0; ; n++ {
			if _, _, err := c.ReadFrom(b); err != nil {
				return
			}
			heard <- n
		}
	}()
	stranger, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	passes := func(name string) {
		t.Helper()
		// One that comes while errors are taken may find the buffer full.
		for range 20 {
			if _, err := stranger.Write([]byte(request)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-heard:
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
		t.Fatalf("%s: the socket is deaf", name)
	}
	passes("before")
	for range 500 {
		if _, err := c.PacketConn.WriteTo([]byte("nobody"), gone); err != nil && !errors.Is(err, unix.ECONNREFUSED) {
			t.Fatal(err)
		}
	}
	passes("closed port")
	raw, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		t.Logf("ICMP errors are not forged: %v", err)
		return
	}
	defer unix.Close(raw)
	for _, of := range icmpErrors {
		for code := range of.codes {
			for range 4000 {
				_ = unix.Sendto(raw, forged(of.kind, code, at), 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
			}
			passes(fmt.Sprintf("type %d code %d", of.kind, code))
		}
	}
	if n := c.Counts().Errors; n != 0 {
		t.Errorf("%d errors of the socket", n)
	}
}

// What is told of a datagram to somebody else keeps no answer of the guard's own back.
func TestPongAfterAnICMPError(t *testing.T) {
	c, at := watched(t, func([]byte, netip.AddrPort) {})
	phone, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	if _, err := c.PacketConn.WriteTo([]byte("nobody"), closed(t)); err != nil {
		t.Fatal(err)
	}
	c.pong([]byte("\r\n\r\n"), phone.LocalAddr().(*net.UDPAddr).AddrPort())
	_ = phone.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 100)
	if n, err := phone.Read(b); err != nil || string(b[:n]) != "\r\n" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

// closed is an address at which nobody listens.
func closed(t *testing.T) net.Addr {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	return c.LocalAddr()
}

const request = "OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1;rport\r\n" +
	"From: <sip:a@10.0.0.2>;tag=1\r\nTo: <sip:b@10.0.0.1>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// forged is an ICMP error about a datagram that was never sent.
func forged(kind, code byte, source netip.AddrPort) []byte {
	m := make([]byte, 8+20+8)
	m[0], m[1] = kind, code
	ip := m[8:]
	ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(ip[2:], 28)
	copy(ip[12:], source.Addr().AsSlice())
	copy(ip[16:], []byte{127, 0, 0, 1})
	binary.BigEndian.PutUint16(ip[20:], source.Port())
	binary.BigEndian.PutUint16(ip[22:], 9)
	binary.BigEndian.PutUint16(ip[24:], 8)
	var sum uint32
	for i := 0; i < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	binary.BigEndian.PutUint16(m[2:], ^uint16(sum))
	return m
}
