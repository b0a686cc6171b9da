//go:build !linux

package port

import (
	"net/netip"
	"time"
)

// Supported says whether this system has a Poll: it has not, its ports have Readers.
const Supported = false

// FD is a UDP socket without a goroutine; this system has none.
type FD struct {
	Owner any
	Tag   int
}

// Listen fails with ErrUnsupported.
func Listen(netip.AddrPort) (*FD, error) { return nil, ErrUnsupported }

// Local fails with ErrUnsupported.
func (*FD) Local() (netip.AddrPort, error) { return netip.AddrPort{}, ErrUnsupported }

// Recv has nothing.
func (*FD) Recv([]byte) (n int, from netip.AddrPort, ok bool) { return 0, netip.AddrPort{}, false }

// Send fails with ErrUnsupported.
func (*FD) Send([]byte, netip.AddrPort) error { return ErrUnsupported }

// Connect does nothing.
func (*FD) Connect(netip.AddrPort) error { return nil }

// Close does nothing.
func (*FD) Close() error { return nil }

// Poll waits for many sockets at once; this system has none.
type Poll struct{}

// NewPoll fails with ErrUnsupported.
func NewPoll() (*Poll, error) { return nil, ErrUnsupported }

// Add fails with ErrUnsupported.
func (*Poll) Add(*FD) error { return ErrUnsupported }

// Remove does nothing.
func (*Poll) Remove(*FD) {}

// Watched is zero.
func (*Poll) Watched() int { return 0 }

// Wait waits for nothing.
func (*Poll) Wait(time.Time) int { return 0 }

// Pause does not wait.
func (*Poll) Pause(time.Duration) {}

// Check finds nothing.
func (*Poll) Check() int { return 0 }

// Ready has nothing.
func (*Poll) Ready(int) *FD { return nil }

// Wake does nothing.
func (*Poll) Wake() {}

// Close does nothing.
func (*Poll) Close() {}
