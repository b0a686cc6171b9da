package sip_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// ping asks in the background.
func (b *bench) ping(to sip.Target) chan int {
	out := make(chan int, 1)
	go func() {
		code, err := b.ep.Ping(context.Background(), to)
		if err != nil {
			code = -1
		}
		out <- code
	}()
	return out
}

func TestPing(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		code := b.ping(sip.Target{URI: "sip:10.0.0.2", Username: "u", Password: "p"})
		req := far.expect("OPTIONS sip:10.0.0.2 SIP/2.0")
		if req.get("To") != "<sip:10.0.0.2>" || !strings.HasPrefix(req.get("From"), "<sip:10.0.0.1>;tag=") || req.get("Contact") != "<sip:10.0.0.1:5060>" {
			t.Errorf("%+v", req)
		}
		far.reply(req, "405 Method Not Allowed", "")
		if got := <-code; got != 405 {
			t.Errorf("code %d", got)
		}

		// A challenge is an answer; the password is not told for it.
		code = b.ping(sip.Target{URI: "sip:10.0.0.2", Username: "u", Password: "p"})
		req = far.expect("OPTIONS")
		far.reply(req, "401 Unauthorized", "", `WWW-Authenticate: Digest realm="x", nonce="y"`)
		if got := <-code; got != 401 {
			t.Errorf("code %d", got)
		}

		start := time.Now()
		code = b.ping(sip.Target{URI: "sip:10.0.0.2"})
		for range 4 {
			far.expect("OPTIONS") // 0, 0.5, 1.5, 3.5 s
		}
		if got := <-code; got != -1 || time.Since(start) != 4*time.Second {
			t.Errorf("code %d after %v", got, time.Since(start))
		}
		for _, uri := range []string{"", "tel:+1", "sip:nobody.example", "sip:10.0.0.2;transport=sctp"} {
			if got := <-b.ping(sip.Target{URI: uri}); got != -1 {
				t.Errorf("%q: code %d", uri, got)
			}
		}
	})
}
