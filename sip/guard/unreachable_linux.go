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

// errorsDrained is how many errors are taken at once: the next read takes the rest.
const errorsDrained = 1 << 12

// notified takes the errors that are there, and reports whether err was about
// them: then the socket is as good as before. They are taken whatever err is, for
// until then the kernel keeps them in the room of the receive buffer, and a stranger
// who forges enough of them would make the socket deaf.
func (c *Conn) notified(err error) bool {
	if c.raw == nil {
		return false
	}
	// Somebody else may have taken the error's particulars meanwhile.
	return c.drain() || told(err)
}

// told reports whether an error is one that the kernel makes of an ICMP error
// (icmp(7); RFC 1122 §3.2.2.1, RFC 4443 §3).
func told(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	switch no {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ECONNREFUSED, unix.EMSGSIZE, unix.EOPNOTSUPP,
		unix.EHOSTDOWN, unix.ENONET, unix.EPROTO, unix.EACCES:
		return true
	}
	return false
}

// drain empties the error queue and reports whether there was anything.
func (c *Conn) drain() (found bool) {
	var quoted [maxQuoted]byte
	var control [256]byte
	_ = c.raw.Control(func(fd uintptr) {
		for range errorsDrained {
			n, oob, _, from, err := unix.Recvmsg(int(fd), quoted[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return
			}
			found = true
			if final(control[:oob]) {
				c.cfg.Unreachable(quoted[:n], addressOf(from))
			}
		}
	})
	return found
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
