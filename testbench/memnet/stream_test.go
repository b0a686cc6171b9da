package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/testbench/memnet"
)

// connected gives both ends of a connection.
func connected(t *testing.T, n *memnet.Network) (ours, theirs net.Conn) {
	t.Helper()
	l, err := n.ListenStream("tcp", bob.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err = n.DialStream(context.Background(), alice.Addr(), bob)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

func TestStreamKeepsOrderAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		a, b := connected(t, n)
		if a.LocalAddr().String() != b.RemoteAddr().String() || b.LocalAddr().String() != bob.String() {
			t.Errorf("%v and %v", a.LocalAddr(), b.RemoteAddr())
		}
		sent := bytes.Repeat([]byte("0123456789"), 50_000) // more than the window
		go func() {
			_, _ = a.Write(sent)
			_ = a.Close()
		}()
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d octets, %v", len(got), err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("written to nobody: %v", err)
		}
		_ = b.Close()
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
		if n.Streams() != 0 {
			t.Errorf("%d left", n.Streams())
		}
	})
}

func TestStreamDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connected(t, memnet.New())
		defer a.Close()
		defer b.Close()
		start := time.Now()
		_ = a.SetReadDeadline(start.Add(time.Second))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		_ = a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n >= 1<<20 {
			t.Errorf("wrote %d, %v", n, err)
		}
	})
}

func TestStreamNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		if _, err := n.DialStream(context.Background(), alice.Addr(), bob); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", err)
		}
		if _, err := n.ListenStream("tcp", bob.String()); err != nil {
			t.Fatal(err)
		}
		if _, err := n.ListenStream("tcp", bob.String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v", err)
		}
	})
}
