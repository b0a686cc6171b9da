package guard

import (
	"bytes"
	"hash/fnv"
	"strconv"
)

// badRequest is the answer to the request that message just refused, or nil when
// it was a response, an ACK, or too broken to be answered: without Via, From,
// To, Call-ID and CSeq nobody could tell what it answers (RFC 3261 §8.2.6.2). It
// is made of the request alone, so nothing is kept for retransmissions, and it
// is hardly longer than the request, so it amplifies nothing.
func (r *repairer) badRequest() []byte {
	if r.err == nil || !r.request || bytes.Equal(r.method, []byte("ACK")) {
		return nil
	}
	for _, k := range []kind{via, from, to, callID, cseq} {
		if r.count[k] == 0 || k != via && r.spans[k].to == 0 {
			return nil
		}
	}
	a := r.answer[:0]
	a = append(a, "SIP/2.0 "...)
	a = strconv.AppendInt(a, int64(r.err.code), 10)
	a = append(append(append(a, ' '), r.err.reason...), '\r', '\n')
	a = append(a, r.out[r.vias.from:r.vias.to]...)
	a = r.echo(a, "From: ", from)
	a = r.echo(a, "To: ", to)
	if !bytes.Contains(r.value(to), []byte(";tag=")) {
		a = append(a[:len(a)-2], ";tag="...)
		a = strconv.AppendUint(a, r.tag(), 16)
		a = append(a, '\r', '\n')
	}
	a = r.echo(a, "Call-ID: ", callID)
	a = r.echo(a, "CSeq: ", cseq)
	a = append(a, "Content-Length: 0\r\n\r\n"...)
	r.answer = a
	return a
}

func (r *repairer) value(k kind) []byte { return r.out[r.spans[k].from:r.spans[k].to] }

func (r *repairer) echo(a []byte, name string, k kind) []byte {
	return append(append(append(a, name...), r.value(k)...), '\r', '\n')
}

// tag is the same for every retransmission of a request (RFC 3261 §8.2.7).
func (r *repairer) tag() uint64 {
	h := fnv.New64a()
	_, _ = h.Write(r.value(callID))
	_, _ = h.Write(r.out[r.vias.from:r.vias.to])
	return h.Sum64()
}
