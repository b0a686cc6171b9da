package capture

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

// chunks reads a HEP packet.
func chunks(t *testing.T, p []byte) map[uint16][]byte {
	t.Helper()
	if string(p[:4]) != "HEP3" || int(binary.BigEndian.Uint16(p[4:])) != len(p) {
		t.Fatalf("head % x of %d octets", p[:6], len(p))
	}
	out := map[uint16][]byte{}
	for p = p[6:]; len(p) > 0; {
		n := int(binary.BigEndian.Uint16(p[4:]))
		out[binary.BigEndian.Uint16(p[2:])] = p[6:n]
		p = p[n:]
	}
	return out
}

func TestExporterSends(t *testing.T) {
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = collector.Close() }()
	e := NewExporter(ExporterConfig{Collector: collector.LocalAddr().String(), Node: 2001, Key: "k"}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- e.Run(ctx) }()

	r := New(Config{Now: clock(), Export: e.Export})
	r.Received("tcp", us, them, sipMessage("BYE sip:x SIP/2.0", "call-7"))
	buf := make([]byte, 1<<16)
	_ = collector.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := collector.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	c := chunks(t, buf[:n])
	for kind, want := range map[uint16]string{
		chunkFamily: "\x02", chunkProtocol: "\x06", chunkSource4: "\x0a\x00\x01\x01", chunkTarget4: "\x0a\x00\x00\x01",
		chunkSourcePort: "\x13\xc4", chunkKind: "\x01", chunkNode: "\x00\x00\x07\xd1", chunkKey: "k", chunkCorrelation: "call-7",
	} {
		if string(c[kind]) != want {
			t.Errorf("chunk %d is %q, not %q", kind, c[kind], want)
		}
	}
	stop()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func TestExporterNeverWaits(t *testing.T) {
	e := NewExporter(ExporterConfig{}, slog.New(slog.DiscardHandler))
	for range waiting + 5 {
		e.Export(Message{})
	}
	if e.Dropped() != 5 {
		t.Errorf("%d dropped", e.Dropped())
	}
}

func TestMixedFamiliesAreIPv6(t *testing.T) {
	c := chunks(t, (&Exporter{}).encode(Message{Local: us, Remote: third, Network: "udp"}))
	if got, _ := netip.AddrFromSlice(c[chunkTarget6]); got.Unmap() != us.Addr() {
		t.Errorf("to %s", got)
	}
}
