package stream

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	outBatch    = 16 // a packet of it waits for 15 others, some 50 µs
	inBatch     = 64
	bufferSize  = headerSize + maxPayload
	controlSize = 64
	kernelRoom  = 4 << 20
	// dropsAt is where SO_MEMINFO tells of packets without room (SK_MEMINFO_DROPS),
	// memInfos how many numbers it has.
	dropsAt, memInfos = 8, 9
)

// message is struct mmsghdr.
type message struct {
	unix.Msghdr
	n uint32
}

// batch is some messages with all that they point to.
type batch struct {
	messages []message
	vectors  []unix.Iovec
	names    []unix.RawSockaddrInet4
	controls [][controlSize]byte
	buffers  [][bufferSize]byte
}

func newBatch(n int) *batch {
	b := &batch{make([]message, n), make([]unix.Iovec, n), make([]unix.RawSockaddrInet4, n), make([][controlSize]byte, n), make([][bufferSize]byte, n)}
	for i := range b.messages {
		m := &b.messages[i]
		b.vectors[i].Base = &b.buffers[i][0]
		b.vectors[i].SetLen(bufferSize)
		m.Iov = &b.vectors[i]
		m.SetIovlen(1)
		m.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		m.Namelen = unix.SizeofSockaddrInet4
		b.names[i].Family = unix.AF_INET
	}
	return b
}

// socket is a UDP socket that moves packets in batches.
type socket struct {
	fd      int
	at      netip.AddrPort
	out, in *batch
	waiting int // in out
}

func openSocket(at netip.AddrPort) (*socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}); err != nil {
		unix.Close(fd) //nolint:errcheck // nothing was sent
		return nil, fmt.Errorf("bind %v: %w", at, err)
	}
	// As much as we may have; what is dropped for want of room is told.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, kernelRoom)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, kernelRoom)
	// When a packet arrives is noted by the kernel: then it does not matter when we look.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		unix.Close(fd) //nolint:errcheck // nothing was sent
		return nil, fmt.Errorf("time stamps: %w", err)
	}
	return &socket{fd: fd, at: at, out: newBatch(outBatch), in: newBatch(inBatch)}, nil
}

func (s *socket) close() { _ = unix.Close(s.fd) }

// next is where the next packet is to be written.
func (s *socket) next(to destination) []byte {
	name := &s.out.names[s.waiting]
	name.Addr = to.ip
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], to.port)
	return s.out.buffers[s.waiting][:]
}

// queued says that it was written, and how long it is.
func (s *socket) queued(n int) {
	s.out.vectors[s.waiting].SetLen(n)
	s.waiting++
}

func (s *socket) full() bool { return s.waiting == outBatch }

// flush sends what waits and tells how much of it could not be sent.
func (s *socket) flush() (unsent int) {
	for from := 0; from < s.waiting; {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.out.messages[from])), uintptr(s.waiting-from), unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			unsent++
			n = 1
		}
		from += int(n)
	}
	s.waiting = 0
	return unsent
}

// receive takes all that has arrived: each packet, who sent it, when it came.
func (s *socket) receive(take func(packet []byte, from uint64, at int64)) {
	for {
		for i := range s.in.messages {
			m := &s.in.messages[i]
			m.Namelen = unix.SizeofSockaddrInet4
			m.Control = &s.in.controls[i][0]
			m.SetControllen(controlSize)
		}
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.in.messages[0])), inBatch, unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 {
			return
		}
		for i := range int(n) {
			name := &s.in.names[i]
			from := destination{name.Addr, binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])}
			take(s.in.buffers[i][:min(int(s.in.messages[i].n), bufferSize)], from.key(), s.in.arrived(i))
		}
		if n < inBatch {
			return
		}
	}
}

// arrived is the time that the kernel noted, or now.
func (b *batch) arrived(i int) int64 {
	control := b.controls[i][:b.messages[i].Controllen]
	if len(control) >= unix.CmsgSpace(int(unsafe.Sizeof(unix.Timespec{}))) {
		if h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0])); h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS {
			return (*unix.Timespec)(unsafe.Pointer(&control[unix.CmsgLen(0)])).Nano()
		}
	}
	return time.Now().UnixNano()
}

// drops is how many packets there was no room for, ever.
func (s *socket) drops() uint64 {
	var info [memInfos]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[dropsAt])
}

// preciseSleep has the kernel wake this thread on time and not up to 50 µs later.
func preciseSleep() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

func sleep(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}
