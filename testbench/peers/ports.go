package peers

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// handedOut remembers the ports given to this test process: a free port that was given to a peer which has
// not bound it yet must not be given to the next one.
var handedOut = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// Loopback is where every peer lives.
const Loopback = "127.0.0.1"

// Ports finds n neighbouring loopback ports, the first one even, that are free for UDP and TCP, and keeps
// them from being given twice.
func Ports(tb testing.TB, n int) int {
	tb.Helper()
	handedOut.Lock()
	defer handedOut.Unlock()
	for range 200 {
		first, err := ephemeral()
		if err != nil {
			tb.Fatalf("find a free port: %v", err)
		}
		first += first % 2
		if take(first, n) {
			return first
		}
	}
	tb.Fatalf("no %d neighbouring free ports on %s", n, Loopback)
	return 0
}

// take marks the ports when all of them are free.
func take(first, n int) bool {
	for port := first; port < first+n; port++ {
		if port > 65535 || handedOut.ports[port] || !free(port) {
			return false
		}
	}
	for port := first; port < first+n; port++ {
		handedOut.ports[port] = true
	}
	return true
}

func ephemeral() (int, error) {
	c, err := net.ListenPacket("udp4", Loopback+":0") //nolint:noctx // bound and closed at once
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

func free(port int) bool {
	address := fmt.Sprintf("%s:%d", Loopback, port)
	u, err := net.ListenPacket("udp4", address) //nolint:noctx // bound and closed at once
	if err != nil {
		return false
	}
	u.Close()
	t, err := net.Listen("tcp4", address) //nolint:noctx // bound and closed at once
	if err != nil {
		return false
	}
	return t.Close() == nil
}

// awaitBound waits until a process has bound a loopback port. It looks into the kernel's table: binding the
// port to see whether that fails could take it from the process that is about to.
func awaitBound(p *Process, network string, port int, within time.Duration) {
	p.tb.Helper()
	tick, timeout := time.NewTicker(5*time.Millisecond), time.NewTimer(within)
	defer tick.Stop()
	defer timeout.Stop()
	address := fmt.Sprintf(" 0100007F:%04X ", port)
	for {
		table, err := os.ReadFile("/proc/net/" + network)
		if err != nil {
			p.tb.Fatalf("wait for %s: %v", p.name, err)
		}
		if strings.Contains(string(table), address) {
			return
		}
		select {
		case <-tick.C:
		case <-p.done:
			p.tb.Fatalf("%s ended (%v) before it listened on %s port %d", p.name, p.err, network, port)
		case <-timeout.C:
			p.tb.Fatalf("%s did not listen on %s port %d within %v", p.name, network, port, within)
		}
	}
}
