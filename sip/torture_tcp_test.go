package sip_test

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
)

// overTCP is what the messages get whose reaction differs on a stream, where
// Content-Length says where a message ends (RFC 3261 §18.3).
var overTCP = map[string]string{
	// The end of the message does not come: the rest is waited for.
	"rfc4475/baddn": "",
	"rfc4475/clerr": "",
	// What lies behind the message is another one: an INVITE without Contact,
	// with octets behind it that are none.
	"rfc4475/dblreq": "401 400 closed",
	// None, two different ones, or a negative one: nobody knows where the next
	// message begins.
	"rfc4475/inv2543": "400 closed",
	"rfc4475/mcl01":   "400 closed",
	"rfc4475/ncl":     "400 closed",
	// A few octets too short: what is left of the body begins no message, and
	// the call ends with its connection.
	"rfc5118/ipv4-mapped-ipv6": "closed",
	"rfc5118/ipv6-in-sdp":      "closed",
	"rfc5118/mult-ip-in-sdp":   "closed",
}

// Every message of RFC 4475 and RFC 5118 over TCP gets what it gets over UDP, but
// for those that end the stream; on the next connection OPTIONS is answered.
func TestTortureOverTCP(t *testing.T) {
	eachTorture(t, func(t *testing.T, name string, data []byte) {
		want, differs := overTCP[name]
		if !differs {
			want = torture[name]
		}
		if got := torturedTCP(t, data); got != want {
			t.Errorf("%q: %q,", name, got)
		}
	})
}

func torturedTCP(t *testing.T, data []byte) string {
	var got []string
	note := func(code string) {
		if len(got) == 0 || got[len(got)-1] != code {
			got = append(got, code)
		}
	}
	visits(t, func(b *bench, l *lobby) {
		far := l.connect(b.t, netip.AddrPortFrom(trunkAt.Addr(), 40000))
		go func() { _, _ = far.Write(data) }()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			for {
				_ = far.SetReadDeadline(time.Now().Add(5 * time.Second))
				line, err := far.r.ReadString('\n')
				if code, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
					note(code[:3])
				}
				if err != nil {
					if !errors.Is(err, os.ErrDeadlineExceeded) {
						note("closed")
					}
					return
				}
			}
		}()
		for taken := true; taken; {
			select {
			case in := <-b.invited:
				o := b.owner()
				o.leg = in.Take(o.loop.Post, o.on)
				o.do((*sip.Leg).Ring)
				time.Sleep(time.Second)
				o.do(func(l *sip.Leg) { l.Reject(486, "") })
			case <-answered:
				taken = false
			}
		}
		l.connect(b.t, netip.AddrPortFrom(trunkAt.Addr(), 40001)).options(1)
	})
	all := strings.Join(got, " ")
	if strings.HasSuffix(all, "closed") {
		// A call may have begun to ring before its connection closed, or not.
		all = strings.NewReplacer("100 ", "", "180 ", "").Replace(all)
	}
	return all
}
