//go:build !linux

package stream

import (
	"net/netip"
	"time"
)

// socket is what the engine wants of sockets, where there are none for it.
type socket struct{ at netip.AddrPort }

func openSocket(netip.AddrPort) (*socket, error)    { return nil, ErrSystem }
func (*socket) close()                              {}
func (*socket) next(destination) []byte             { return nil }
func (*socket) queued(int)                          {}
func (*socket) full() bool                          { return false }
func (*socket) flush() int                          { return 0 }
func (*socket) receive(func([]byte, uint64, int64)) {}
func (*socket) drops() uint64                       { return 0 }
func preciseSleep()                                 {}
func sleep(d time.Duration)                         { time.Sleep(d) }
