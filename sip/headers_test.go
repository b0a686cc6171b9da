package sip

import (
	"math"
	"strconv"
	"testing"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// FuzzHeaders holds the short headers of RFC 3262, 3891 and 4028 to their bounds,
// whatever the far end writes: a number has 32 bits, a time is never negative,
// and what is taken means the same when it is written again.
func FuzzHeaders(f *testing.F) {
	for _, v := range []string{"", "0", "1", "-1", "+1", " 7 ", "4294967295", "4294967296", "18446744073709551616", "1e9", "90;refresher=uac",
		"1800 ; Refresher = UAS;x", "90;refresher", ";refresher=uac", "776656 1 INVITE", "1 2 invite", "1 2 INVITE 3", "1\t2\tINVITE", "0x1 1 INVITE",
		"a@b;to-tag=1;from-tag=2", "a@b;to-tag=1;from-tag=2;early-only", "a;to-tag=1;to-tag=2;from-tag=3", "a\x00;to-tag=1;from-tag=2", "a\r\nX: 1;to-tag=1;from-tag=2"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		req := sipmsg.NewRequest(sipmsg.PRACK, sipmsg.Uri{Scheme: "sip", Host: "h"})
		res := sipmsg.NewResponse(180, "Ringing")
		res.AppendHeader(sipmsg.NewHeader("Require", "100rel"))
		for _, name := range []string{"RAck", "RSeq", "Session-Expires", "Min-SE", "Replaces", "Expires"} {
			req.AppendHeader(sipmsg.NewHeader(name, v))
			res.AppendHeader(sipmsg.NewHeader(name, v))
		}
		if n := rseqOf(res); n != 0 && !acknowledges(answeringPrack(n, 1), n, 1) {
			t.Errorf("RSeq %q: %d cannot be acknowledged", v, n)
		}
		if acknowledges(req, 1, 2) && acknowledges(req, 1, 3) {
			t.Errorf("RAck %q acknowledges everything", v)
		}
		interval, who, _ := sessionExpires(req)
		for name, d := range map[string]time.Duration{"Session-Expires": interval, "Min-SE": minSE(req), "Expires": expiry(v)} {
			if d < 0 || d > math.MaxUint32*time.Second || d%time.Second != 0 {
				t.Errorf("%s %q: %v", name, v, d)
			}
		}
		again := sipmsg.NewRequest(sipmsg.UPDATE, sipmsg.Uri{Scheme: "sip", Host: "h"})
		again.AppendHeader(sipmsg.NewHeader("Session-Expires", inSeconds(interval)+";refresher="+who))
		if d, _, _ := sessionExpires(again); d != interval {
			t.Errorf("Session-Expires %q: %v, then %v", v, interval, d)
		}
		r, code := replacing(req)
		switch {
		case r == nil && code != 400:
			t.Errorf("Replaces %q: %d", v, code)
		case r != nil && (!isWord(r.CallID) || !isToken(r.ToTag) || !isToken(r.FromTag)):
			t.Errorf("Replaces %q: %+v", v, r)
		case r != nil:
			text := r.CallID + ";to-tag=" + r.ToTag + ";from-tag=" + r.FromTag
			if r.EarlyOnly {
				text += ";early-only"
			}
			if same, ok := parseReplaces(text); len(text) <= maxReplaces && (!ok || same != *r) {
				t.Errorf("Replaces %q: %+v, then %+v", v, r, same)
			}
		}
	})
}

func answeringPrack(rseq, seq uint32) *sipmsg.Request {
	req := sipmsg.NewRequest(sipmsg.PRACK, sipmsg.Uri{Scheme: "sip", Host: "h"})
	req.AppendHeader(sipmsg.NewHeader("RAck", strconv.FormatUint(uint64(rseq), 10)+" "+strconv.FormatUint(uint64(seq), 10)+" INVITE"))
	return req
}
