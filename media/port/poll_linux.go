package port

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supported says whether this system has a Poll: it has.
const Supported = true

// batch is how many sockets one Wait can tell of; the others come with the next.
const batch = 256

// Poll waits for many sockets at once, for a time, and for Wake. It is level
// triggered: a socket that has more than was taken off it is told of again, after
// all the others.
//
// While it waits it is a goroutine that is parked, as one that waits for a net.Conn
// is: Go's own epoll watches ours. A goroutine blocked in a system call would keep
// a processor from the others, for as long as the runtime takes to notice.
//
// Wait and Check are called by one goroutine; Add, Remove and Ready by whoever holds the
// lock that the owner guards his sockets with. Wake may be called by anybody.
type Poll struct {
	fd, timer int
	file, nap *os.File // of fd; of the timer of Pause
	raw       syscall.RawConn
	look      func(fd uintptr) bool // Check, as raw wants it
	napFD     int
	fired     [8]byte // how often, as nap tells
	found     int
	armed     time.Time // what the timer is set to
	events    [batch]unix.EpollEvent

	slots []slot
	free  []int32

	waking sync.Mutex // against Close
	bell   int        // -1: closed
}

// slot is a socket's place. A place is used again, so that an event of the
// socket before must be told apart.
type slot struct {
	s   *FD
	use int32
}

// Places of the descriptors that are no sockets.
const (
	bellPlace  = -1
	timerPlace = -2
)

// NewPoll makes a Poll; it takes four file descriptors.
func NewPoll() (*Poll, error) {
	p := &Poll{fd: -1, timer: -1, bell: -1}
	if err := p.open(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Poll) open() (err error) {
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return fmt.Errorf("timerfd: %w", err)
	}
	if p.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err = unix.SetNonblock(p.fd, true); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if err = parks(p.file); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	nap, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("timerfd: %w", err)
	}
	p.napFD, p.nap = nap, os.NewFile(uintptr(nap), "timerfd")
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	p.look = func(uintptr) bool {
		p.found = p.Check()
		return p.found > 0
	}
	// Edge triggered, so that neither has to be read.
	for fd, place := range map[int]int32{p.timer: timerPlace, p.bell: bellPlace} {
		e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: place}
		if err = unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
	}
	return nil
}

// parks fails when a goroutine cannot be parked until a file has something.
// os.NewFile does not say when Go's own epoll has refused it; only such files know
// deadlines.
func parks(f *os.File) error { return f.SetReadDeadline(time.Time{}) }

// Add watches a socket, until Remove. One that has something waiting already is
// told of.
func (p *Poll) Add(s *FD) error {
	if s.fd < 0 || s.watch != 0 {
		return nil
	}
	if len(p.free) == 0 {
		p.slots = append(p.slots, slot{})
		p.free = append(p.free, int32(len(p.slots)-1))
	}
	at := p.free[len(p.free)-1]
	sl := &p.slots[at]
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: at, Pad: sl.use}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, s.fd, &e); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	p.free = p.free[:len(p.free)-1]
	sl.s, s.watch = s, at+1
	return nil
}

// Remove ends Add.
func (p *Poll) Remove(s *FD) {
	if s.watch == 0 {
		return
	}
	sl := &p.slots[s.watch-1]
	p.free = append(p.free, s.watch-1)
	sl.s, s.watch = nil, 0
	sl.use++
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, s.fd, nil) // an open socket that was added can be removed
}

// Watched is how many sockets are watched.
func (p *Poll) Watched() int { return len(p.slots) - len(p.free) }

// Wait waits until a socket has something, until a time (zero: for ever), or for
// Wake, and says how many sockets Ready knows.
func (p *Poll) Wait(until time.Time) int {
	if !until.IsZero() && until != p.armed {
		left := time.Until(until)
		if left <= 0 {
			return p.Check()
		}
		p.arm(left)
		p.armed = until
	} else if until.IsZero() && !p.armed.IsZero() {
		p.arm(0)
		p.armed = until
	}
	if err := p.raw.Read(p.look); err != nil {
		return 0 // closed
	}
	return p.found
}

// Pause waits for a moment, whatever the sockets have. Timers of Go are up to a
// millisecond late when nothing else runs; this one is precise.
func (p *Poll) Pause(d time.Duration) {
	if d <= 0 {
		return
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(p.napFD, 0, &spec, nil); err != nil {
		return
	}
	_, _ = p.nap.Read(p.fired[:]) // parks until it fires
}

// Check is Wait without waiting.
func (p *Poll) Check() int {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), batch, 0, 0, 0)
	if e != 0 {
		return 0 // a signal
	}
	for _, e := range p.events[:n] {
		if e.Fd == timerPlace {
			p.armed = time.Time{}
		}
	}
	return int(n)
}

// arm sets the timer; zero stops it.
func (p *Poll) arm(left time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}
	_ = unix.TimerfdSettime(p.timer, 0, &spec, nil) // cannot fail with a time that is not negative
}

// Ready is one of the sockets that the last Wait told of; nil when it has been
// removed since.
func (p *Poll) Ready(i int) *FD {
	e := &p.events[i]
	if e.Fd < 0 || int(e.Fd) >= len(p.slots) {
		return nil
	}
	if sl := &p.slots[e.Fd]; sl.use == e.Pad {
		return sl.s
	}
	return nil
}

// Wake ends the Wait at hand, or the next one.
func (p *Poll) Wake() {
	p.waking.Lock()
	defer p.waking.Unlock()
	if p.bell < 0 {
		return
	}
	one := uint64(1)
	_, _ = unix.Write(p.bell, unsafe.Slice((*byte)(unsafe.Pointer(&one)), 8)) // full: it rings already
}

// Close gives everything back but the sockets. Nobody may be in Wait.
func (p *Poll) Close() {
	p.waking.Lock()
	defer p.waking.Unlock()
	if p.file != nil {
		_ = p.file.Close()
		p.file, p.fd = nil, -1
	}
	if p.nap != nil {
		_ = p.nap.Close()
		p.nap = nil
	}
	for _, fd := range []*int{&p.fd, &p.timer, &p.bell} {
		if *fd >= 0 {
			_ = unix.Close(*fd)
			*fd = -1
		}
	}
}
