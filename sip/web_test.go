package sip_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"b2bua/sip"

	"github.com/coder/websocket"
)

// browser is a page's WebSocket to the switch; each write is one message.
func (b *bench) browser(url string, believe *tls.Config) *stream {
	b.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: believe.Clone(),
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			at := webAt
			if url[:4] == "wss:" {
				at = webSecAt
			}
			return b.net.DialStream(ctx, phoneAt.Addr(), at)
		}}}
	ws, _, err := websocket.Dial(b.t.Context(), url, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"sip"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	return b.over(websocket.NetConn(b.t.Context(), ws, websocket.MessageText))
}

// A browser has no address: it is called, and its calls go on, over the WebSocket
// by which it registered, and not at all without it (RFC 7118 §5, §B.1).
func TestBrowserIsCalledOverItsWebSocket(t *testing.T) {
	for _, c := range []struct{ network, via, url, home, contact, calledBy, callsAt string }{
		{"ws", "WS", "ws://switch.example.com/", "sip:10.0.0.1", "sip:alice@df7jal23ls0d.invalid;transport=ws",
			"<sip:10.0.0.1:8080;transport=ws>", "sip:+15551000@10.0.0.1:8080;transport=ws"},
		{"wss", "WSS", "wss://switch.example.com/", "sip:10.0.0.1", "sip:alice@df7jal23ls0d.invalid;transport=ws",
			"<sip:10.0.0.1:8443;transport=ws>", "sip:+15551000@10.0.0.1:8443;transport=ws"},
		{"wss", "WSS", "wss://switch.example.com/", "sips:10.0.0.1", "sips:alice@df7jal23ls0d.invalid;transport=ws",
			"<sips:10.0.0.1:8443;transport=ws>", "sips:+15551000@10.0.0.1:8443;transport=ws"},
	} {
		t.Run(c.network+" "+c.home, func(t *testing.T) {
			protected(t, func(b *bench, believe *tls.Config) {
				page := &handset{stream: b.browser(c.url, believe), network: c.via, sentBy: "df7jal23ls0d.invalid", contact: c.contact, home: c.home}
				page.registers()
				binding := b.bound(c.network)
				inv := page.isCalled(b.dial(sip.Dial{To: "alice", Target: sip.Target{Binding: &binding}}))
				if got := inv.get("Contact"); got != c.calledBy {
					t.Errorf("contact %s", got)
				}
				if got := page.calls(b.takes()); got != c.callsAt {
					t.Errorf("contact %s", got)
				}
				_ = page.Close()
				time.Sleep(time.Second)
				if left := b.ep.Bindings("alice"); len(left) != 0 {
					t.Errorf("%v", left)
				}
				if ev := told[sip.Rejected](b.dial(sip.Dial{To: "alice", Target: sip.Target{Binding: &binding}})); ev.Code != 503 {
					t.Errorf("%+v", ev)
				}
			})
		})
	}
}
