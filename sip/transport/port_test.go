package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestConversation(t *testing.T) {
	for _, network := range []string{"tcp", "tls"} {
		play(t, network, func(w *world) {
			var c net.Conn
			if network == "tls" {
				c = w.secured()
			} else {
				c = w.dial()
			}
			write(c, "\r\n\r\n"+sipText("one")+sipText("two"))
			want := "\r\n" + sipText("answer") + sipText("answer")
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", network, got, err)
			}
			_ = c.Close()
			pass()
			if len(w.got) != 2 || w.gone == 0 || w.port.Len() != 0 {
				t.Errorf("%s: got %d, gone %d, left %d", network, len(w.got), w.gone, w.port.Len())
			}
		})
	}
}

func TestBrokenMessageIsAnsweredAndTheEnd(t *testing.T) {
	play(t, "tcp", func(w *world) {
		c := w.dial()
		write(c, sipText("fine")+"INVITE sip:a@b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"+strings.Repeat("junk", 1000))
		if took, got := ends(c); took > time.Second || got != sipText("answer")+sipText("broken") {
			t.Errorf("after %v: %q", took, got)
		}
	})
}

func TestHandshakeThatStalls(t *testing.T) {
	for network, want := range map[string]time.Duration{"tls": 10 * time.Second, "wss": 10 * time.Second, "ws": 10 * time.Second} {
		play(t, network, func(w *world) {
			if took, _ := ends(w.dial()); took != want {
				t.Errorf("%s: ended after %v", network, took)
			}
		})
	}
	play(t, "ws", func(w *world) { // a header that never ends
		c := w.dial()
		go func() {
			for _, b := range []byte("GET / HTTP/1.1\r\nX: " + strings.Repeat("y", 1000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if took, _ := ends(c); took > 11*time.Second {
			t.Errorf("ended after %v", took)
		}
		_ = c.Close()
		time.Sleep(2 * time.Second)
	})
}

func TestReconnects(t *testing.T) {
	play(t, "tcp", func(w *world) {
		f := w.far(peerAt, nil)
		for _, text := range []string{"one\n", "two\n"} {
			if err := w.send(to(""), text); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			_ = f.conns[len(f.conns)-1].Close()
			f.mu.Unlock()
			pass()
		}
		if f.heard() != "one|two" || w.dials != 2 {
			t.Errorf("%d connections, heard %q", w.dials, f.heard())
		}
		_ = f.l.Close()
		if err := w.send(to(""), "three\n"); !errors.Is(err, ErrConnect) {
			t.Errorf("got %v", err)
		}
		if err := w.send(Way{Remote: peerAt}, "four\n"); !errors.Is(err, ErrGone) {
			t.Errorf("got %v", err)
		}
	})
}

func TestConnectionsInUseArePinged(t *testing.T) {
	play(t, "tcp", func(w *world) {
		f := w.far(peerAt, nil)
		w.keeps = 2 * time.Minute
		if err := w.send(to(""), "hello\n"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if n := strings.Count(f.heard(), "|"); n < 58 || n > 60 || w.dials != 1 {
			t.Errorf("%d lines of pings, %d connections", n, w.dials)
		}
		w.mu.Lock()
		w.keeps = 0
		w.mu.Unlock()
		time.Sleep(20 * time.Minute)
		if w.port.Len() != 0 {
			t.Error("a connection that nobody needs stays")
		}
		_ = f.l.Close()
	})
}

// Whoever does not read makes nobody wait, and is given up.
func TestWriterNeverWaits(t *testing.T) {
	play(t, "tcp", func(w *world) {
		c := w.dial()
		pass()
		from := netip.MustParseAddrPort(c.LocalAddr().String())
		start := time.Now()
		v := &verdict{}
		for range 1000 {
			w.port.Send(Way{Remote: from, Accepted: true}, make([]byte, 1000), v)
		}
		if time.Since(start) != 0 {
			t.Error("the caller had to wait")
		}
		synctest.Wait()
		if v.mu.Lock(); !errors.Is(v.err, ErrCongested) {
			t.Errorf("got %v", v.err)
		}
		v.mu.Unlock()
		time.Sleep(6 * time.Second)
		if w.port.Len() != 0 {
			t.Error("a connection that takes nothing stays")
		}
	})
}

func TestManyConnectionsFromOneSource(t *testing.T) {
	for _, network := range []string{"tls", "ws"} {
		play(t, network, func(w *world) {
			for range 200 {
				w.dial()
			}
			pass()
			if n := w.port.Len(); n != maxStrangersSource {
				t.Errorf("%s: %d connections", network, n)
			}
			time.Sleep(time.Minute)
			if n := w.port.Len(); n != 0 {
				t.Errorf("%s: %d are still there", network, n)
			}
		})
	}
}
