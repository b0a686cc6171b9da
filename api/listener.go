package api

import (
	"net"
	"net/netip"
	"sync"
)

// limitedListener holds the number of connections down, in all and from one
// address: a client that opens many and says nothing must not keep the others
// out. What is too much is closed at once.
type limitedListener struct {
	net.Listener
	total, each int

	mu   sync.Mutex
	open int
	from map[netip.Addr]int
}

func limitListener(l net.Listener, total, each int) net.Listener {
	return &limitedListener{Listener: l, total: total, each: each, from: map[netip.Addr]int{}}
}

// Accept waits for a connection that is within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		source := addrOf(c.RemoteAddr().String())
		if !l.enter(source) {
			c.Close()
			continue
		}
		return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(source) })}, nil
	}
}

func (l *limitedListener) enter(source netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.total || l.from[source] >= l.each {
		return false
	}
	l.open++
	l.from[source]++
	return true
}

func (l *limitedListener) leave(source netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.from[source]--; l.from[source] <= 0 {
		delete(l.from, source)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close makes room for another connection.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

func addrOf(hostport string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
