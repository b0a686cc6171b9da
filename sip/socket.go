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

	sipmsg "github.com/emiago/sipgo/sip"
)

// socket is one listening address with the sipgo transport that reads and
// parses for it. What we send over UDP goes out directly: so no message is too
// large for sipgo's idea of an MTU, and an answer leaves by the socket its
// request came in at.
type socket struct {
	network string // udp | tcp
	port    string
	bound   netip.Addr
	ep      *Endpoint

	packets  *guard.Conn // udp
	listener *door       // tcp
	streams  *streams    // tcp
	layer    *sipmsg.TransportLayer

	routes sync.Map // netip.Addr → string: what host finds by asking the kernel
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
	options := []sipmsg.TransportLayerOption{sipmsg.WithTransportLayerLogger(quiet)}
	var local net.Addr
	if network == "udp" {
		conn, err := e.cfg.ListenPacket(network, addr)
		if err != nil {
			return nil, fmt.Errorf("listen %s: %w", url, err)
		}
		s.packets = guard.Wrap(conn, guard.ConnConfig{Guard: e.guard, Log: e.log,
			Known: func(source netip.AddrPort) bool { return e.registered(source, network) }})
		local = conn.LocalAddr()
	} else {
		l, err := e.cfg.ListenStream(network, addr)
		if err != nil {
			return nil, fmt.Errorf("listen %s: %w", url, err)
		}
		s.listener = newDoor(l, e, network)
		local = l.Addr()
		// The time-out is for connections that we make; the door has its own.
		options = append(options, sipmsg.WithTransportLayerTransports(sipmsg.TransportsConfig{
			TCP: &sipmsg.TransportTCP{ReadTimeout: idleStream, WriteTimeout: writeStream},
		}))
	}
	at, err := netip.ParseAddrPort(local.String())
	if err != nil {
		s.close()
		return nil, fmt.Errorf("listen %s: bound to %s: %w", url, local, err)
	}
	s.bound, s.port = at.Addr().Unmap(), strconv.Itoa(int(at.Port()))
	s.layer = sipmsg.NewTransportLayer(net.DefaultResolver, sipmsg.NewParser(), nil, options...)
	s.layer.OnMessage(func(msg sipmsg.Message) { e.receive(s, msg) })
	s.streams = newStreams(s)
	return s, nil
}

// local is the bound address.
func (s *socket) local() netip.AddrPort {
	port, _ := strconv.ParseUint(s.port, 10, 16) // written by us
	return netip.AddrPortFrom(s.bound, uint16(port))
}

// serve reads until the socket is closed.
func (s *socket) serve() {
	for {
		var err error
		if s.packets != nil {
			err = s.packets.Serve(s.layer.ServeUDP)
		} else {
			err = s.layer.ServeTCP(s.listener)
		}
		if s.ep.closing() {
			return
		}
		// sipgo gives up on any error, out of file descriptors included.
		if err != nil {
			s.ep.log.Warn("listener interrupted", "network", s.network, "err", err)
			pause(s.ep.closed, 50*time.Millisecond)
		}
	}
}

func (s *socket) close() {
	if s.packets != nil {
		_ = s.packets.Close()
	}
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.layer != nil {
		_ = s.layer.Close()
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
	if known, ok := s.routes.Load(remote); ok {
		return known.(string)
	}
	// Connecting a UDP socket sends nothing; it asks the kernel for the route.
	host := "127.0.0.1"
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err == nil {
		host = c.LocalAddr().(*net.UDPAddr).IP.String()
		_ = c.Close()
	}
	s.routes.Store(remote, host)
	return host
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
