package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

const (
	maxHandshake = 8 << 10        // octets of the HTTP request that becomes a WebSocket
	maxMessage   = maxBody + 8192 // RFC 7118 §5: a WebSocket message is a SIP message
)

// newWeb makes the HTTP server whose only page is the WebSocket.
func (p *Port) newWeb() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(p.upgrade),
		ReadHeaderTimeout: handshakeIn, // TLS has as long
		WriteTimeout:      handshakeIn,
		IdleTimeout:       time.Second,
		MaxHeaderBytes:    maxHandshake,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnState:         p.webState,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, connOf(c))
		},
	}
}

type connKey struct{}

func connOf(c net.Conn) *Conn {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	return c.(*tracked).c // guests gives nothing else
}

// webState counts net/http's goroutines, so that Close can wait for them. A
// connection that becomes a WebSocket is counted until its handler returns.
func (p *Port) webState(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		p.wg.Add(1)
	case http.StateClosed:
		p.wg.Done()
	}
}

// guests is the listener of the HTTP server: those that may come in.
type guests struct{ p *Port }

func (g guests) Accept() (net.Conn, error) {
	_, raw, err := g.p.guest()
	if err != nil {
		return nil, err
	}
	if g.p.cfg.Network == "wss" {
		return tls.Server(raw, g.p.serverConfig()), nil
	}
	return raw, nil
}

func (g guests) Close() error   { return nil } // the port's
func (g guests) Addr() net.Addr { return g.p.Addr() }

// upgrade makes a WebSocket of a request and serves it (RFC 7118 §4).
func (p *Port) upgrade(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*Conn)
	if !offersSIP(r) {
		w.Header().Set("Connection", "close")
		http.Error(w, "this is a SIP server: a WebSocket with the sub-protocol sip is wanted", http.StatusBadRequest)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{"sip"}, OriginPatterns: p.cfg.Origins,
		InsecureSkipVerify: slices.Contains(p.cfg.Origins, "*"),
	})
	if err != nil {
		p.cfg.Log.Debug("WebSocket refused", "source", c.key.remote, "err", err)
		return
	}
	defer p.wg.Done() // counted when the connection was new
	c.serve(&frames{ws: ws, ctx: p.ctx, c: c})
	_ = ws.CloseNow()
}

func offersSIP(r *http.Request) bool {
	for _, v := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(name), "sip") {
				return true
			}
		}
	}
	return false
}

// frames is a link over a WebSocket.
type frames struct {
	ws  *websocket.Conn
	ctx context.Context
	c   *Conn
}

func (f *frames) read() ([]byte, error) {
	for {
		most := int64(strangeMost)
		if f.c.trusted() {
			most = maxMessage
		}
		f.ws.SetReadLimit(most)
		_, data, err := f.ws.Read(context.Background()) // ended by closing the connection
		if err != nil {
			f.refuse(err)
			return nil, err
		}
		switch string(data) {
		case "":
		case "\r\n\r\n":
			f.c.pong()
		case "\r\n":
		default:
			return data, nil
		}
	}
}

// refuse closes as RFC 6455 §7.1.7 wants it when the frames were wrong; what the
// library found too large it has said itself.
func (f *frames) refuse(err error) {
	lost := websocket.CloseStatus(err) != -1 || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, websocket.ErrMessageTooBig)
	if !lost && f.ctx.Err() == nil {
		_ = f.ws.Close(websocket.StatusProtocolError, "")
	}
}

func (f *frames) write(data []byte) error {
	ctx, cancel := context.WithTimeout(f.ctx, writeTime)
	defer cancel()
	kind := websocket.MessageBinary
	if utf8.Valid(data) {
		kind = websocket.MessageText
	}
	return f.ws.Write(ctx, kind, data)
}
