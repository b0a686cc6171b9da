package transport

import (
	"bytes"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// full is a listener of a process that has no file descriptor left, for some
// attempts.
type full struct {
	net.Listener
	times atomic.Int32
}

func (f *full) Accept() (net.Conn, error) {
	if f.times.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: f.Addr(), Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

// A listener outlives the moments in which no descriptor is free, without going
// round and round in them.
func TestAttack07NoDescriptorLeft(t *testing.T) {
	for _, network := range []string{"tcp", "ws"} {
		play(t, network, func(w *world) {
			start := time.Now()
			if network == "ws" {
				ws, _, err := w.browse("", "sip")
				if err != nil {
					t.Fatal(err)
				}
				_ = ws.CloseNow()
			} else {
				c := w.dial()
				write(c, sipText("hello"))
				_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
				if _, err := c.Read(make([]byte, 1)); err != nil {
					t.Errorf("not served: %v", err)
				}
				_ = c.Close()
			}
			if took := time.Since(start); took < 30*time.Millisecond || took > 2*time.Second {
				t.Errorf("%s: served after %v", network, took)
			}
		}, func(cfg *Config) {
			f := &full{Listener: cfg.Listener}
			f.times.Store(3)
			cfg.Listener = f
		})
	}
}

// A minute without descriptors is a few lines of the log, not one for each attempt.
func TestAttack46NoDescriptorLeftIsToldNowAndThen(t *testing.T) {
	var told bytes.Buffer
	play(t, "tcp", func(w *world) {
		time.Sleep(time.Minute) // virtual
		_ = w.dial().Close()
	}, func(cfg *Config) {
		f := &full{Listener: cfg.Listener}
		f.times.Store(1200) // at 50 ms
		cfg.Listener, cfg.Log = f, slog.New(slog.NewTextHandler(&told, nil))
	})
	if n := bytes.Count(told.Bytes(), []byte("listener interrupted")); n < 2 || n > 8 {
		t.Errorf("%d lines", n)
	}
}
