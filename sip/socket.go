package sip

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"b2bua/sip/guard"
	"b2bua/sip/transport"

	sipmsg "github.com/emiago/sipgo/sip"
)

// socket is one listening address: of datagrams, which sipgo reads and parses, or
// of connections. What we send over UDP goes out directly: so no message is too
// large for sipgo's idea of an MTU, and an answer leaves by the socket its request
// came in at.
type socket struct {
	network string // udp | tcp | tls | ws | wss
	port    string
	bound   netip.Addr
	ep      *Endpoint

	packets *guard.Conn // udp
	layer   *sipmsg.TransportLayer
	conns   *transport.Port // all others
}

// quiet is what sipgo logs to: it prints every malformed message in full.
var quiet = slog.New(slog.DiscardHandler)

// sipgo keeps its default logger in a package variable.
var muteLibrary = sync.OnceFunc(func() { sipmsg.SetDefaultLogger(quiet) })

func (e *Endpoint) open(url string) (*socket, error) {
	muteLibrary()
	network, addr, err := listenURL(url)
	if err != nil {
		return nil, err
	}
	s := &socket{network: network, ep: e}
	if network == "udp" {
		err = s.openPackets(addr)
	} else {
		err = s.openConns(addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", url, err)
	}
	at, err := netip.ParseAddrPort(s.addr().String())
	if err != nil {
		s.close()
		return nil, fmt.Errorf("listen %s: bound to %s: %w", url, s.addr(), err)
	}
	s.bound, s.port = at.Addr().Unmap(), strconv.Itoa(int(at.Port()))
	return s, nil
}

const readBuffer = 4 << 20

func (s *socket) openPackets(addr string) error {
	e := s.ep
	conn, err := e.cfg.ListenPacket(s.network, addr)
	if err != nil {
		return err
	}
	if c, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		// As much as the kernel grants: what comes while all processors are busy
		// waits instead of being lost, a trunk's calls among the flood.
		_ = c.SetReadBuffer(readBuffer)
	}
	s.packets = guard.Wrap(conn, guard.ConnConfig{Guard: e.guard, Log: e.log,
		Unreachable: e.unreachable,
		Known:       func(source netip.AddrPort) bool { return e.registered(source, s.network) },
		Passed:      func(message []byte, source netip.AddrPort) { s.received(message, unmapped(source)) }})
	s.layer = sipmsg.NewTransportLayer(net.DefaultResolver, sipmsg.NewParser(), nil, sipmsg.WithTransportLayerLogger(quiet))
	s.layer.OnMessage(func(msg sipmsg.Message) { e.receive(s, nil, msg) })
	return nil
}

func (s *socket) openConns(addr string) error {
	e := s.ep
	l, err := e.cfg.ListenStream("tcp", addr)
	if err != nil {
		return err
	}
	s.conns, err = transport.NewPort(transport.Config{
		Network: s.network, Listener: l, Owner: carried{s}, Door: e.door, Log: e.log, Now: e.cfg.Now, Dial: e.cfg.DialStream,
		Certificate: e.cfg.TLS.Certificate, Roots: e.cfg.TLS.Roots, Origins: e.cfg.Origins,
	})
	if err != nil {
		_ = l.Close()
	}
	return err
}

// addr is the bound address as the socket tells it.
func (s *socket) addr() net.Addr {
	if s.packets != nil {
		return s.packets.LocalAddr()
	}
	return s.conns.Addr()
}

// local is the bound address.
func (s *socket) local() netip.AddrPort {
	port, _ := strconv.ParseUint(s.port, 10, 16) // written by us
	return netip.AddrPortFrom(s.bound, uint16(port))
}

// secure reports whether nobody on the way can read what comes in here.
func (s *socket) secure() bool { return transport.Secure(s.network) }

// serve reads until the socket is closed.
func (s *socket) serve() {
	if s.conns != nil {
		s.conns.Serve()
		return
	}
	for {
		err := s.packets.Serve(s.layer.ServeUDP)
		if s.ep.closing() {
			return
		}
		// sipgo gives up on any error.
		if err != nil {
			s.ep.log.Warn("listener interrupted", "network", s.network, "err", err)
			pause(s.ep.closed, 50*time.Millisecond)
		}
	}
}

func (s *socket) close() {
	if s.packets != nil {
		_ = s.packets.Close()
		_ = s.layer.Close()
	}
	if s.conns != nil {
		_ = s.conns.Close()
	}
}

// received and sent show messages to whoever keeps them.
func (s *socket) received(message []byte, source netip.AddrPort) {
	if c := s.ep.cfg.Capture; c != nil {
		c.Received(s.network, s.local(), source, message)
	}
}

func (s *socket) sent(message []byte, to netip.AddrPort) {
	if c := s.ep.cfg.Capture; c != nil {
		c.Sent(s.network, s.local(), to, message)
	}
}

func (s *socket) write(data []byte, to netip.AddrPort) error {
	_, err := s.packets.WriteTo(data, net.UDPAddrFromAddrPort(to))
	return err
}

// host is what we call ourselves towards an address.
func (s *socket) host(remote netip.Addr) string {
	if s.ep.cfg.Advertise != "" {
		return s.ep.cfg.Advertise
	}
	if !s.bound.IsUnspecified() {
		return s.bound.String()
	}
	return s.ep.routes.to(remote).String()
}

// pause waits for d unless done comes first.
func pause(done <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}
