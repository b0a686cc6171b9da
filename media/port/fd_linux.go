package port

import (
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FD is a UDP socket without a goroutine: a Poll says when it has something.
type FD struct {
	// Owner is whom the packets are for, Tag tells his sockets apart; the Poll's
	// user sets and reads them.
	Owner any
	Tag   int

	fd    int            // -1: closed
	peer  netip.AddrPort // connected to
	watch int32          // its place in a Poll, +1
	v6    bool
	any   bool // bound to no address
}

// Listen opens a port. An unspecified IPv6 address hears IPv4 too. A port that
// is left to the system (0) is lost when a Connect ends.
func Listen(at netip.AddrPort) (*FD, error) {
	s := &FD{fd: -1, v6: at.Addr().Is6(), any: at.Addr().IsUnspecified()}
	family := unix.AF_INET
	if s.v6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	s.fd = fd
	if s.v6 && at.Addr().IsUnspecified() {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	}
	if err == nil {
		err = unix.Bind(fd, s.sockaddr(at))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bind %s: %w", at, err), s.Close())
	}
	return s, nil
}

func (s *FD) sockaddr(a netip.AddrPort) unix.Sockaddr {
	if s.v6 {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
}

// Local is the address bound to.
func (s *FD) Local() (netip.AddrPort, error) {
	a, err := unix.Getsockname(s.fd)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("getsockname: %w", err)
	}
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), nil
	}
	return netip.AddrPort{}, unix.EAFNOSUPPORT
}

// Recv takes one datagram off the socket. ok is false when there is none. One
// that does not fit into b comes with n zero: nobody can make anything of it.
// What ICMP says of packets that we sent is passed over.
func (s *FD) Recv(b []byte) (n int, from netip.AddrPort, ok bool) {
	var sa unix.RawSockaddrInet6
	for range 2 {
		size := uint32(unsafe.Sizeof(sa))
		got, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_TRUNC, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		if e == 0 {
			if n = int(got); n > len(b) {
				n = 0
			}
			return n, address(&sa), true
		}
		if e == unix.EAGAIN {
			break
		}
		// A pending error is told once; what waits behind it comes now.
	}
	return 0, netip.AddrPort{}, false
}

// Send sends a datagram. An ICMP error of an earlier packet shows here and
// keeps this one from going out, so it is sent again (RFC 1122 §4.1.3.3 wants
// such errors told; a far end that is gone shows as silence).
func (s *FD) Send(b []byte, to netip.AddrPort) error {
	var sa unix.RawSockaddrInet6
	var size uintptr
	if to != s.peer {
		if !s.v6 && !to.Addr().Unmap().Is4() {
			return unix.EAFNOSUPPORT
		}
		size = s.raw(&sa, to)
	}
	var e unix.Errno
	for range 2 {
		name := unsafe.Pointer(&sa)
		if size == 0 {
			name = nil
		}
		_, _, e = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(name), size)
		if e != unix.ECONNREFUSED && e != unix.EHOSTUNREACH && e != unix.EINTR {
			break
		}
	}
	if e != 0 {
		return e
	}
	return nil
}

// Connect lets the kernel drop what comes from elsewhere, and find the way to
// the far end once, not for every packet. It does nothing for a socket that hears
// at any address: it would hear only at the one from which the way to the far end
// leads, and that need not be the one where the far end sends to.
func (s *FD) Connect(from netip.AddrPort) error {
	if from == s.peer || s.fd < 0 || s.any {
		return nil
	}
	s.peer = netip.AddrPort{}
	if !from.IsValid() {
		return s.disconnect()
	}
	if !s.v6 && !from.Addr().Unmap().Is4() {
		return errors.Join(fmt.Errorf("connect %s: %w", from, unix.EAFNOSUPPORT), s.disconnect())
	}
	err := unix.Connect(s.fd, s.sockaddr(from))
	if errors.Is(err, unix.ECONNREFUSED) {
		// Told of an earlier packet.
		err = unix.Connect(s.fd, s.sockaddr(from))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("connect %s: %w", from, err), s.disconnect())
	}
	s.peer = from
	return nil
}

// disconnect dissolves the association; the port stays.
func (s *FD) disconnect() error {
	sa := unix.RawSockaddrAny{Addr: unix.RawSockaddr{Family: unix.AF_UNSPEC}}
	if _, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&sa)), unsafe.Sizeof(sa)); e != 0 {
		return fmt.Errorf("disconnect: %w", e)
	}
	return nil
}

// Close gives the port back. The socket must be in no Poll any more.
func (s *FD) Close() error {
	if s.fd < 0 {
		return nil
	}
	fd := s.fd
	s.fd, s.peer = -1, netip.AddrPort{}
	return unix.Close(fd)
}

// raw writes an address as the system wants it, and says how long it is.
func (s *FD) raw(sa *unix.RawSockaddrInet6, a netip.AddrPort) uintptr {
	if s.v6 {
		sa.Family, sa.Addr = unix.AF_INET6, a.Addr().As16()
		putPort(&sa.Port, a.Port())
		return unix.SizeofSockaddrInet6
	}
	sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
	sa4.Family, sa4.Addr = unix.AF_INET, a.Addr().Unmap().As4()
	putPort(&sa4.Port, a.Port())
	return unix.SizeofSockaddrInet4
}

// address reads what raw writes; IPv4 addresses come as such.
func address(sa *unix.RawSockaddrInet6) netip.AddrPort {
	switch sa.Family {
	case unix.AF_INET:
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), getPort(&sa4.Port))
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), getPort(&sa.Port))
	}
	return netip.AddrPort{}
}

// Ports are in network order, whatever the machine's is.
func putPort(p *uint16, port uint16) {
	b := (*[2]byte)(unsafe.Pointer(p))
	b[0], b[1] = byte(port>>8), byte(port)
}

func getPort(p *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(p))
	return uint16(b[0])<<8 | uint16(b[1])
}
