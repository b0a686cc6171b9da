package sip

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"strconv"
	"strings"
	"sync"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Messages are written here, as text and once: every retransmission is the same
// octets. Nothing of a received message is copied into a request, so that the
// two legs of a call know nothing of each other (RFC 7092).

const branchCookie = "z9hG4bK"

var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newToken makes 80 random bits, for tags, branches and Call-IDs.
func newToken() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return tokenText.EncodeToString(b[:])
}

// writer is where a message grows; what it grows to is copied, for it may be kept
// for half a minute.
type writer struct{ b []byte }

var writers = sync.Pool{New: func() any { return &writer{b: make([]byte, 0, 2048)} }}

func newWriter() *writer { return writers.Get().(*writer) }

// done gives the message and the writer back.
func (w *writer) done() []byte {
	message := bytes.Clone(w.b)
	w.b = w.b[:0]
	writers.Put(w)
	return message
}

func (w *writer) line(parts ...string) {
	for _, p := range parts {
		w.b = append(w.b, p...)
	}
	w.b = append(w.b, "\r\n"...)
}

// headers writes what an owner gave; what could break the message is left out.
func (w *writer) headers(hs []Header) {
	for _, h := range hs {
		if isToken(h.Name) {
			w.line(h.Name, ": ", plain(h.Value))
		}
	}
}

func (w *writer) body(contentType string, body []byte) []byte {
	if len(body) > 0 {
		w.line("Content-Type: ", contentType)
	}
	w.line("Content-Length: ", strconv.Itoa(len(body)))
	w.line()
	w.b = append(w.b, body...)
	return w.done()
}

const sdpType = "application/sdp"

// request is a request of ours.
type request struct {
	method      string
	uri         string
	via         string
	routes      []string
	from, to    string
	callID      string
	cseq        uint32
	maxForwards int // 70 when 0
	headers     []Header
	contentType string
	content     []byte
}

func (r *request) bytes() []byte {
	w := newWriter()
	w.line(r.method, " ", r.uri, " SIP/2.0")
	w.line("Via: ", r.via)
	for _, route := range r.routes {
		w.line("Route: ", route)
	}
	hops := r.maxForwards
	if hops == 0 {
		hops = 70
	}
	w.line("Max-Forwards: ", strconv.Itoa(hops))
	w.line("From: ", r.from)
	w.line("To: ", r.to)
	w.line("Call-ID: ", r.callID)
	w.line("CSeq: ", strconv.FormatUint(uint64(r.cseq), 10), " ", r.method)
	w.headers(r.headers)
	return w.body(r.contentType, r.content)
}

// sibling is CANCEL, or the ACK of a failure, of an INVITE: the same
// transaction, so the same Request-URI, Via, Route and numbers (RFC 3261 §9.1,
// §17.1.1.3).
func (r *request) sibling(method, to string, headers []Header) *request {
	return &request{method: method, uri: r.uri, via: r.via, routes: r.routes, from: r.from, to: to,
		callID: r.callID, cseq: r.cseq, headers: headers}
}

// response is a response of ours; what it answers is in its serverTx.
type response struct {
	code        int
	reason      string
	contact     string // not empty: forms a dialog, so Record-Route is echoed too
	headers     []Header
	contentType string
	content     []byte
}

// respond writes res as the answer to req (RFC 3261 §8.2.6).
func (res *response) bytes(req *sipmsg.Request, toTag, server string) []byte {
	w := newWriter()
	reason := plain(res.reason)
	if reason == "" {
		reason = reasonOf(res.code)
	}
	w.line("SIP/2.0 ", strconv.Itoa(res.code), " ", reason)
	writeVias(w, req)
	if res.contact != "" {
		for _, h := range req.GetHeaders("record-route") {
			w.line("Record-Route: ", plain(h.Value()))
		}
	}
	w.line("From: ", plain(req.From().Value()))
	to := plain(req.To().Value())
	if tagOf(req.To().Params) == "" && toTag != "" && res.code > 100 {
		to += ";tag=" + toTag
	}
	w.line("To: ", to)
	w.line("Call-ID: ", plain(req.CallID().Value()))
	w.line("CSeq: ", strconv.FormatUint(uint64(req.CSeq().SeqNo), 10), " ", string(req.Method))
	if res.code == 100 {
		if h := req.GetHeader("timestamp"); h != nil {
			w.line("Timestamp: ", plain(h.Value()))
		}
	}
	if res.contact != "" {
		w.line("Contact: ", res.contact)
	}
	w.headers(res.headers)
	if server != "" {
		w.line("Server: ", server)
	}
	return w.body(res.contentType, res.content)
}

// writeVias echoes the Via stack; the topmost says where the request came from
// (RFC 3261 §18.2.1, RFC 3581 §4).
func writeVias(w *writer, req *sipmsg.Request) {
	for i, h := range req.GetHeaders("via") {
		via, ok := h.(*sipmsg.ViaHeader)
		if !ok || i > 0 {
			w.line("Via: ", plain(h.Value()))
			continue
		}
		source, port, _ := strings.Cut(lastColon(req.Source()), "\x00")
		v := via.Clone()
		_, rport := v.Params.Get("rport")
		if rport {
			v.Params.Add("rport", port)
		}
		if rport || strings.Trim(v.Host, "[]") != source {
			v.Params.Add("received", source)
		}
		w.line("Via: ", plain(v.Value()))
	}
}

// lastColon puts a zero byte between the host and the port of "host:port".
func lastColon(s string) string {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s
	}
	return strings.Trim(s[:i], "[]") + "\x00" + s[i+1:]
}

// tagOf finds the tag parameter; parameter names are case-insensitive.
func tagOf(params sipmsg.HeaderParams) string {
	for _, p := range params {
		if strings.EqualFold(strings.TrimSpace(p.K), "tag") {
			return strings.TrimSpace(p.V)
		}
	}
	return ""
}
