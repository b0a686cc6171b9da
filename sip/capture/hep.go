package capture

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
)

// Chunk types of HEP version 3, vendor 0 (the HEP/EEP specification, rev. 3.2).
const (
	chunkFamily      = 1
	chunkProtocol    = 2
	chunkSource4     = 3
	chunkTarget4     = 4
	chunkSource6     = 5
	chunkTarget6     = 6
	chunkSourcePort  = 7
	chunkTargetPort  = 8
	chunkSeconds     = 9
	chunkMicros      = 10
	chunkKind        = 11
	chunkNode        = 12
	chunkKey         = 14
	chunkPayload     = 15
	chunkCorrelation = 17

	familyIPv4, familyIPv6 = 2, 10
	protocolTCP            = 6
	kindSIP                = 1

	maxHEP         = 65000
	maxCorrelation = 256
)

// ExporterConfig says where copies of messages go.
type ExporterConfig struct {
	Collector string // host:port, UDP
	Node      uint32 // the number of this switch among those that report
	Key       string // the collector's password, if it asks for one
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error)
}

// waiting is how many messages wait for the collector before more are dropped.
const waiting = 1024

// Exporter sends copies of messages to a HEP version 3 collector. What it cannot
// send is lost: a call never waits for it.
type Exporter struct {
	cfg     ExporterConfig
	log     *slog.Logger
	queue   chan Message
	dropped atomic.Uint64
}

// NewExporter makes an exporter; Run sends.
func NewExporter(cfg ExporterConfig, log *slog.Logger) *Exporter {
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	return &Exporter{cfg: cfg, log: log, queue: make(chan Message, waiting)}
}

// Export queues a message; it is for Config.Export.
func (e *Exporter) Export(m Message) {
	select {
	case e.queue <- m:
	default:
		e.dropped.Add(1)
	}
}

// Dropped counts the messages that were lost because the collector is slow or
// out of reach.
func (e *Exporter) Dropped() uint64 { return e.dropped.Load() }

// Run sends until ctx ends.
func (e *Exporter) Run(ctx context.Context) error {
	conn, err := e.cfg.Dial(ctx, "udp", e.cfg.Collector)
	if err != nil {
		return fmt.Errorf("HEP collector %s: %w", e.cfg.Collector, err)
	}
	defer func() { _ = conn.Close() }()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-e.queue:
			_, err := conn.Write(e.encode(m))
			if err != nil {
				e.dropped.Add(1)
			}
			if err != nil && !failing {
				e.log.Warn("send to the HEP collector", "err", err)
			}
			failing = err != nil
		}
	}
}

// encode writes a message as a HEP packet.
func (e *Exporter) encode(m Message) []byte {
	from, to := m.ends()
	protocol := byte(protocolUDP)
	if m.Network != "udp" {
		protocol = protocolTCP
	}
	b := append([]byte("HEP3"), 0, 0)
	family, source, target := byte(familyIPv4), uint16(chunkSource4), uint16(chunkTarget4)
	addr := func(a netip.Addr) []byte { return a.AsSlice() }
	if !from.Addr().Is4() || !to.Addr().Is4() {
		family, source, target = familyIPv6, chunkSource6, chunkTarget6
		addr = func(a netip.Addr) []byte { x := a.As16(); return x[:] }
	}
	b = chunk(b, chunkFamily, []byte{family})
	b = chunk(b, chunkProtocol, []byte{protocol})
	b = chunk(b, source, addr(from.Addr()))
	b = chunk(b, target, addr(to.Addr()))
	b = chunk(b, chunkSourcePort, binary.BigEndian.AppendUint16(nil, from.Port()))
	b = chunk(b, chunkTargetPort, binary.BigEndian.AppendUint16(nil, to.Port()))
	b = chunk(b, chunkSeconds, binary.BigEndian.AppendUint32(nil, uint32(m.At.Unix())))
	b = chunk(b, chunkMicros, binary.BigEndian.AppendUint32(nil, uint32(m.At.Nanosecond()/1000)))
	b = chunk(b, chunkKind, []byte{kindSIP})
	b = chunk(b, chunkNode, binary.BigEndian.AppendUint32(nil, e.cfg.Node))
	if e.cfg.Key != "" {
		b = chunk(b, chunkKey, []byte(e.cfg.Key))
	}
	callID := field(m.Data, "call-id", "i")
	b = chunk(b, chunkCorrelation, callID[:min(len(callID), maxCorrelation)])
	b = chunk(b, chunkPayload, m.Data[:min(len(m.Data), max(0, maxHEP-len(b)))])
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

// chunk appends one: vendor 0, type, length with its own six octets, value.
func chunk(b []byte, kind uint16, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(6+len(value)))
	return append(b, value...)
}
