package transport

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"

// browse opens a WebSocket with what a header says.
func (w *world) browse(origin, protocol string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	var protocols []string
	if protocol != "" {
		protocols = []string{protocol}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return w.dial(), nil
	}}}
	return websocket.Dial(w.Context(), "ws://switch.example.com:5061/", &websocket.DialOptions{HTTPClient: client, HTTPHeader: h, Subprotocols: protocols})
}

func TestWebSocket(t *testing.T) {
	play(t, "ws", func(w *world) {
		ws, _, err := w.browse("http://switch.example.com:5061", "sip")
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
			if err := ws.Write(w.Context(), kind, []byte(sipText("hello"))); err != nil {
				t.Error(err)
			}
			if _, got, err := ws.Read(w.Context()); err != nil || string(got) != sipText("answer") {
				t.Errorf("%q, %v", got, err)
			}
		}
		_ = ws.Write(w.Context(), websocket.MessageText, []byte("\r\n\r\n"))
		if _, got, err := ws.Read(w.Context()); err != nil || string(got) != "\r\n" {
			t.Errorf("%q, %v", got, err)
		}
		if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		pass()
		if w.port.Len() != 0 || w.gone == 0 {
			t.Errorf("%d left", w.port.Len())
		}
	})
}

func TestAttack09OriginsAndProtocols(t *testing.T) {
	for _, c := range []struct {
		origin, protocol string
		allowed          []string
		status           int
	}{
		{"", "sip", nil, 101},
		{"http://evil.example.org", "sip", nil, 403},
		{"http://phone.example.com", "sip", []string{"phone.example.com"}, 101},
		{"http://phone.example.com.evil.org", "sip", []string{"phone.example.com"}, 403},
		{"null", "sip", []string{"phone.example.com"}, 403},
		{"http://evil.example.org", "sip", []string{"*"}, 101},
		{"", "", nil, 400},
		{"", "chat", nil, 400},
	} {
		play(t, "ws", func(w *world) {
			ws, res, _ := w.browse(c.origin, c.protocol)
			if res == nil || res.StatusCode != c.status {
				t.Errorf("%+v: %v", c, res)
			}
			if ws != nil {
				_ = ws.CloseNow()
			}
			time.Sleep(2 * time.Second)
		}, func(cfg *Config) { cfg.Origins = c.allowed })
	}
}

func TestAttack08FramesThatAreRefused(t *testing.T) {
	fragment := "\x80\x00\x00\x00\x00" // FIN cleared below: masked, empty
	for name, c := range map[string]struct {
		frames string
		code   string
	}{
		"a terabyte":        {"\x82\xff\x00\x00\x01\x00\x00\x00\x00\x00mask" + strings.Repeat("x", 100<<10), "\x03\xf1"}, // 1009
		"unmasked":          {"\x82\x05hello", "\x03\xea"},                                                               // 1002
		"fragments":         {"\x02\xfe\x40\x00mask" + strings.Repeat("x", 0x4000) + strings.Repeat("\x00\xfe\x40\x00mask"+strings.Repeat("x", 0x4000), 6), "\x03\xf1"},
		"a long ping":       {"\x89\xfe\x00\x80mask" + strings.Repeat("x", 128), "\x03\xea"},
		"reserved bits":     {"\xf2\x85maskhello", "\x03\xea"},
		"an unknown opcode": {"\x83" + fragment, "\x03\xea"},
	} {
		play(t, "ws", func(w *world) {
			conn := w.dial()
			write(conn, upgrade)
			go write(conn, c.frames)
			took, got := ends(conn)
			_, frames, _ := strings.Cut(got, "\r\n\r\n")
			if !strings.HasPrefix(frames, "\x88") || !strings.Contains(frames, c.code) || took > 5*time.Second {
				t.Errorf("%s: after %v: %q", name, took, frames)
			}
			_ = conn.Close()
			time.Sleep(11 * time.Second)
		})
	}
}
