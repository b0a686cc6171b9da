package guard

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// The kernel keeps the ICMP errors that come for datagrams of ours, with what they
// quote, and tells by an error of the next read or write that there are some
// (IP_RECVERR, ip(7)).

// watch asks for them.
func (c *Conn) watch() {
	if c.cfg.Unreachable == nil {
		return
	}
	u, ok := c.PacketConn.(*net.UDPConn)
	if !ok {
		return
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// A socket of IPv6 may carry IPv4 as well.
		four := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
		six := unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
		if four == nil || six == nil {
			c.raw = raw
		}
	})
}

// notified takes the errors that are there, if that is what err is about: then the
// socket is as good as before.
func (c *Conn) notified(err error) bool { return c.raw != nil && c.drain(err) }

func (c *Conn) drain(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	switch no {
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENOPROTOOPT, unix.EACCES, unix.EMSGSIZE, unix.EPROTO, unix.EOPNOTSUPP:
	default:
		return false
	}
	found := false
	var quoted [maxQuoted]byte
	var control [256]byte
	_ = c.raw.Control(func(fd uintptr) {
		for {
			n, oob, _, from, err := unix.Recvmsg(int(fd), quoted[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			found = true
			if final(control[:oob]) {
				c.cfg.Unreachable(quoted[:n], addressOf(from))
			}
		}
	})
	// Somebody else may have taken the error's particulars meanwhile.
	return found || no == unix.ECONNREFUSED
}

// final reports whether an error says that nobody is there (RFC 3261 §18.4), and
// not that the path has changed or is full.
func final(control []byte) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		// A socket of IPv6 tells of IPv4 in its own way.
		four := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		six := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !four && !six || len(m.Data) < 8 {
			continue
		}
		origin, kind, code := m.Data[4], m.Data[5], m.Data[6] // struct sock_extended_err
		switch origin {
		case unix.SO_EE_ORIGIN_ICMP:
			return kind == 3 && code != 4 // unreachable, but for "fragmentation needed"
		case unix.SO_EE_ORIGIN_ICMP6:
			return kind == 1
		}
	}
	return false
}

func addressOf(from unix.Sockaddr) netip.AddrPort {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}
