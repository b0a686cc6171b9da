package sip_test

import (
	"fmt"
	"strconv"
	"strings"

	"b2bua/sip"
)

// handset is a far end that speaks by hand over a way of any kind.
type handset struct {
	*stream
	network string // as its Via says it
	sentBy  string
	contact string // a URI
	home    string // the scheme and host that it calls
	n       int
}

// text is a request of the handset.
func (h *handset) text(method, uri, to, callID string, cseq int, body string, extra ...string) string {
	scheme, host, _ := strings.Cut(h.home, ":")
	lines := append([]string{method + " " + uri + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/%s %s;branch=z9hG4bK-%s-%d-%s;rport", h.network, h.sentBy, callID, cseq, method),
		"Max-Forwards: 70", "From: <" + scheme + ":alice@" + host + ">;tag=far", "To: " + to, "Call-ID: " + callID,
		fmt.Sprintf("CSeq: %d %s", cseq, method)}, extra...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(lines, "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// registers makes its contact known, and checks what is answered.
func (h *handset) registers() {
	h.t.Helper()
	scheme, host, _ := strings.Cut(h.home, ":")
	to := "<" + scheme + ":alice@" + host + ">"
	contact := "Contact: <" + h.contact + ">;expires=600"
	h.write(h.text("REGISTER", h.home, to, "reg", 1, "", contact))
	h.write(h.text("REGISTER", h.home, to, "reg", 2, "", contact, credentials(h.t, h.expect("401"), "REGISTER", h.home, "secret")))
	if ok := h.expect("200"); ok.get("Contact") != "<"+h.contact+">;expires=600" {
		h.t.Errorf("contact %s", ok.get("Contact"))
	}
}

// calls makes a whole call to the switch and hangs up; it gives the Contact of
// the switch. take is who answers there.
func (h *handset) calls(take func() *owner) string {
	h.t.Helper()
	h.n++
	scheme, host, _ := strings.Cut(h.home, ":")
	uri, callID, cseq := scheme+":+15551000@"+host, "call"+strconv.Itoa(h.n), 1
	contact := "Contact: <" + h.contact + ">"
	h.write(h.text("INVITE", uri, "<"+uri+">", callID, cseq, offerSDP, contact))
	m := h.read()
	if strings.HasPrefix(m.start, "SIP/2.0 401") {
		auth := credentials(h.t, m, "INVITE", uri, "secret")
		h.write(strings.Replace(h.text("ACK", uri, m.get("To"), callID, cseq, ""), "-ACK;", "-INVITE;", 1))
		cseq++
		h.write(h.text("INVITE", uri, "<"+uri+">", callID, cseq, offerSDP, contact, auth))
		m = h.read()
	}
	if !strings.HasPrefix(m.start, "SIP/2.0 100") {
		h.t.Fatalf("got %+v", m)
	}
	o := take()
	o.do((*sip.Leg).Ring)
	h.expect("180")
	o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
	ok := h.expect("200")
	if ok.body != answerSDP {
		h.t.Errorf("answer %q", ok.body)
	}
	target := strings.Trim(ok.get("Contact"), "<>")
	h.write(h.text("ACK", target, ok.get("To"), callID, cseq, ""))
	told[sip.Confirmed](o)
	h.write(h.text("BYE", target, ok.get("To"), callID, cseq+1, ""))
	h.expect("200")
	told[sip.Ended](o)
	return target
}

// isCalled takes a whole call of the switch, which hangs up.
func (h *handset) isCalled(o *owner) (invite message) {
	h.t.Helper()
	contact := "Contact: <" + h.contact + ">"
	inv := h.expect("INVITE " + h.contact + " SIP/2.0")
	if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/"+h.network+" ") {
		h.t.Errorf("via %s", inv.get("Via"))
	}
	h.reply(inv, "180 Ringing", "", contact)
	told[sip.Progressed](o)
	h.reply(inv, "200 OK", answerSDP, contact)
	told[sip.Answered](o)
	h.expect("ACK " + h.contact + " SIP/2.0")
	o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
	bye := h.expect("BYE " + h.contact + " SIP/2.0")
	if !strings.HasPrefix(bye.get("Via"), "SIP/2.0/"+h.network+" ") {
		h.t.Errorf("via %s", bye.get("Via"))
	}
	h.reply(bye, "200 OK", "", contact)
	return inv
}
