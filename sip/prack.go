package sip

import (
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// rseqOf reads the number of a reliable provisional response (RFC 3262 §7.1); 0
// when it is not one.
func rseqOf(res *sipmsg.Response) uint32 {
	v, ok := value(res, "rseq")
	if !ok || !lists(res, "require", "100rel") {
		return 0
	}
	if n := uint32Of(strings.TrimSpace(v)); n < 1<<32 {
		return uint32(n)
	}
	return 0
}

// inOrder takes a provisional response above 100 and acknowledges a reliable
// one. It reports false for a repetition, and for one that has overtaken another,
// which comes again (RFC 3262 §4).
func (l *Leg) inOrder(d *dialog, res *sipmsg.Response) bool {
	rseq := rseqOf(res)
	if rseq != 0 && d.rseq != 0 && rseq != d.rseq+1 {
		return false
	}
	if d.formed {
		l.refresh(d, res)
	} else {
		l.join(d, res)
	}
	d.note(res)
	if rseq != 0 {
		d.rseq = rseq
		rack := strconv.FormatUint(uint64(rseq), 10) + " " + strconv.FormatUint(uint64(res.CSeq().SeqNo), 10) + " INVITE"
		l.within(d, "PRACK", func(r *request) { r.headers = []Header{{"RAck", rack}} },
			func(*sipmsg.Response) {}, func(error) {}) // what became of the INVITE says what of this
	}
	return true
}

// described takes the description in a provisional response and gives what is
// new: the first one in a reliable response is the answer, others are ignored
// (RFC 3261 §13.2.1).
func (d *dialog) described(res *sipmsg.Response, sdp []byte) []byte {
	if sdp == nil || d.agreed {
		return nil
	}
	d.theirs, d.agreed = sdp, rseqOf(res) != 0
	return sdp
}

// note keeps what the far end says it can do.
func (d *dialog) note(msg interface{ Headers() []sipmsg.Header }) {
	if _, ok := value(msg, "allow"); ok {
		d.updates = lists(msg, "allow", "UPDATE")
	}
}
