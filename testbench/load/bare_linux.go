package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"b2bua/testbench/load/stream"
)

// runBare sends the packets of a trial through a process that does nothing but
// pass them on: what a switch costs beyond that is its own doing.
func runBare(ctx context.Context, t trial, bind netip.Addr) (o outcome, err error) {
	engine, err := stream.New(bind, t.Ptime)
	if err != nil {
		return outcome{trial: t}, err
	}
	defer engine.Close()
	self, err := os.Executable()
	if err != nil {
		return outcome{trial: t}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	relay := exec.CommandContext(ctx, self, "-relay", fmt.Sprint(t.Calls))
	relay.Stderr, relay.WaitDelay, relay.SysProcAttr = os.Stderr, grace, endsWithUs()
	in, err := relay.StdinPipe()
	if err != nil {
		return outcome{trial: t}, err
	}
	out, err := relay.StdoutPipe()
	if err != nil {
		return outcome{trial: t}, err
	}
	if err := relay.Start(); err != nil {
		return outcome{trial: t}, fmt.Errorf("start the bare relay: %w", err)
	}
	defer func() {
		in.Close()
		_ = relay.Wait()
	}()
	if err := pairUp(t, engine, in, out); err != nil {
		return outcome{trial: t}, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		engine.Run(running)
	}()
	defer func() {
		stop()
		<-ended
	}()
	if err := pause(ctx, settling); err != nil {
		return outcome{trial: t}, err
	}
	return measure(ctx, t, engine, relay.Process.Pid)
}

// pairUp tells the relay where both ends of each call hear, is told where it hears
// itself, and starts the streams.
func pairUp(t trial, engine *stream.Engine, in io.Writer, out io.Reader) error {
	ends := make([]*stream.Stream, 2*t.Calls)
	for i := range ends {
		voice := callerVoice
		if i%2 == 1 {
			voice = calledVoice
		}
		ends[i] = engine.Open(voice)
		fmt.Fprintln(in, ends[i].Local())
	}
	answers := bufio.NewReader(out)
	for i, s := range ends {
		var text string
		if _, err := fmt.Fscanln(answers, &text); err != nil {
			return fmt.Errorf("the bare relay: %w", err)
		}
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			return fmt.Errorf("the bare relay: %w", err)
		}
		s.Hear(ends[i^1])
		if err := s.Start(at, stream.Format{Codec: t.Codec, PayloadType: dynamic, Ptime: t.Ptime}); err != nil {
			return err
		}
	}
	return nil
}

// relay passes packets to and fro between the two ends of so many calls, until its
// input is closed. It has one loop for each processor.
func relay(calls int, in io.Reader, out io.Writer) error {
	loops := make([]*loop, runtime.NumCPU())
	for i := range loops {
		fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		loops[i] = &loop{epoll: fd}
	}
	input := bufio.NewReader(in)
	for i := range calls {
		if err := loops[i%len(loops)].pair(input, out); err != nil {
			return err
		}
	}
	failed := make(chan error, len(loops))
	for _, l := range loops {
		go func() { failed <- l.run() }()
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, input)
		ended <- err
	}()
	select {
	case err := <-failed:
		return err
	case err := <-ended:
		return err
	}
}

// endsWithUs has the kernel end a process when this one is gone, however it went.
func endsWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// loop passes packets on: it waits for sockets that can be read, and what it reads
// from one it sends by its peer.
type loop struct {
	epoll int
	peers []int32 // by descriptor
}

// pair opens the two sockets of a call, each connected to its far end.
func (l *loop) pair(in io.Reader, out io.Writer) error {
	var fds [2]int
	for i := range fds {
		var text string
		if _, err := fmt.Fscanln(in, &text); err != nil {
			return fmt.Errorf("far ends: %w", err)
		}
		far, err := netip.ParseAddrPort(text)
		if err != nil {
			return fmt.Errorf("far ends: %w", err)
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("socket: %w", err)
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: far.Addr().As4(), Port: int(far.Port())}); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		local, err := unix.Getsockname(fd)
		if err != nil {
			return fmt.Errorf("socket: %w", err)
		}
		if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		a := local.(*unix.SockaddrInet4)
		fmt.Fprintln(out, netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)))
		fds[i] = fd
	}
	for len(l.peers) <= max(fds[0], fds[1]) {
		l.peers = append(l.peers, 0)
	}
	l.peers[fds[0]], l.peers[fds[1]] = int32(fds[1]), int32(fds[0])
	return nil
}

func (l *loop) run() error {
	runtime.LockOSThread()
	var events [128]unix.EpollEvent
	var packet [2048]byte
	at := uintptr(unsafe.Pointer(&packet))
	for {
		n, err := unix.EpollWait(l.epoll, events[:], -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			size, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(e.Fd), at, uintptr(len(packet)), unix.MSG_DONTWAIT, 0, 0)
			if errno == 0 {
				// A packet that cannot be sent is lost, and missed at the other end.
				_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(l.peers[e.Fd]), at, size, unix.MSG_DONTWAIT, 0, 0)
			}
		}
	}
}
