package sip_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"b2bua/sip"
)

// tap is a socket whose datagrams come from the test.
type tap struct {
	in     chan []byte
	closed chan struct{}
	once   sync.Once
}

func (t *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-t.in:
		return copy(b, d), net.UDPAddrFromAddrPort(trunkAt), nil
	case <-t.closed:
		return 0, nil, net.ErrClosed
	}
}

func (t *tap) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (t *tap) Close() error                              { t.once.Do(func() { close(t.closed) }); return nil }
func (t *tap) LocalAddr() net.Addr                       { return net.UDPAddrFromAddrPort(switchAt) }
func (t *tap) SetDeadline(time.Time) error               { return nil }
func (t *tap) SetReadDeadline(time.Time) error           { return nil }
func (t *tap) SetWriteDeadline(time.Time) error          { return nil }

// decline refuses every call.
type decline struct{}

func (decline) Invited(in *sip.Invitation) { in.Reject(480, "") }

// FuzzDatagrams sends anything from a trunk's address: requests go all the way
// to a decision.
func FuzzDatagrams(f *testing.F) {
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) == 0 {
		f.Fatal("no messages", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	socket := &tap{in: make(chan []byte), closed: make(chan struct{})}
	ep, err := sip.New(sip.Config{
		ListenPacket: func(string, string) (net.PacketConn, error) { return socket, nil },
		Resolve:      func(context.Context, string) ([]netip.Addr, error) { return nil, os.ErrNotExist },
	}, book{}, decline{}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ep.Run(ctx) }()
	<-ep.Ready()
	f.Cleanup(func() {
		stop()
		<-done
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		socket.in <- data
		socket.in <- nil // taken only when the first is done with
		if s := ep.Stats(); s.Panics != 0 {
			t.Fatalf("panicked: %q", data)
		}
	})
}
