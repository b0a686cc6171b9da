package dial

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// callers have the numbers from here on, so that the trunk sees whose call it is.
const firstCaller = 14152000000

func callerNumber(call int) string { return "+" + strconv.Itoa(firstCaller+call) }

// callOf is the call that a caller's number belongs to.
func callOf(number string) (call int, ok bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(number, "+"))
	return n - firstCaller, err == nil && n >= firstCaller
}

// Call calls a number of the switch and offers a sound.
func (l *Line) Call(call int, number string, sound Sound) {
	g := &leg{
		call: call, id: fmt.Sprintf("load-%s-%d", l.run, call), offer: sound.Describe(), sequence: 1,
		local:  fmt.Sprintf("<sip:%s@%s>;tag=c%d", callerNumber(call), l.Addr(), call),
		peer:   fmt.Sprintf("<sip:%s@%s>", number, l.target),
		remote: fmt.Sprintf("sip:%s@%s", number, l.target),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.legs[g.id] = g
	l.insist(g, l.request(g, "INVITE", "Content-Type: application/sdp\r\n", g.offer))
}

// request writes a request of a dialog.
func (l *Line) request(g *leg, method, headers, body string) []byte {
	return fmt.Appendf(nil, "%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;rport;branch=z9hG4bK%[4]s-%[5]d-%[1]s\r\nMax-Forwards: 70\r\nFrom: %[6]s\r\nTo: %[7]s\r\n"+
		"Call-ID: %[8]s\r\nCSeq: %[5]d %[1]s\r\nContact: <sip:%[3]s>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\n%[9]sContent-Length: %[10]d\r\n\r\n%[11]s",
		method, g.remote, l.Addr(), strings.ReplaceAll(g.id, "@", "-"), g.sequence, g.local, g.peer, g.id, headers, len(body), body)
}

// Press sends a key by SIP INFO from the caller.
func (l *Line) Press(call int, key byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.legs[fmt.Sprintf("load-%s-%d", l.run, call)]; g != nil && g.answered {
		g.sequence++
		l.insist(g, l.request(g, "INFO", "Content-Type: application/dtmf-relay\r\n", fmt.Sprintf("Signal=%c\r\nDuration=100\r\n", key)))
	}
}

// Hangup ends a call that was answered.
func (l *Line) Hangup(call int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.legs[fmt.Sprintf("load-%s-%d", l.run, call)]; g != nil && g.answered {
		g.sequence++
		l.insist(g, l.request(g, "BYE", "", ""))
	}
}

// take does what a message asks for.
func (l *Line) take(m message) {
	l.mu.Lock()
	g := l.legs[m.header("Call-ID")]
	l.mu.Unlock()
	switch {
	case m.status != 0 && g != nil:
		l.response(g, m)
	case m.status != 0 || m.method == "ACK" && g == nil:
	case g == nil && m.method == "INVITE" && !strings.Contains(m.header("To"), ";tag="):
		l.invited(m)
	case g == nil && m.method == "OPTIONS":
		l.send(m.reply("200 OK", "trunk", "", ""))
	case g == nil && m.method == "BYE":
		l.send(m.reply("200 OK", "", "", "")) // told again: our first answer got lost
	case g == nil:
		l.send(m.reply("481 Call/Transaction Does Not Exist", "trunk", "", ""))
	default:
		l.within(g, m)
	}
}

// response takes what the switch says to a request of ours.
func (l *Line) response(g *leg, m message) {
	l.mu.Lock()
	switch {
	case m.method != "INVITE" && m.status >= 200:
		if strings.HasPrefix(string(g.repeat), m.method+" ") {
			g.repeat = nil
		}
		l.mu.Unlock()
		if m.method == "BYE" {
			l.over(g, "")
		}
	case m.method != "INVITE" || m.status == 100 && !g.answered:
		g.calm()
		l.mu.Unlock()
	case m.status < 200:
		g.calm()
		l.mu.Unlock()
	case m.status < 300:
		l.answered(g, m)
	default:
		g.peer = m.header("To")
		// It belongs to the INVITE's transaction (RFC 3261 §17.1.1.3).
		l.send(bytes.Replace(l.request(g, "ACK", "", ""), []byte("-ACK\r\n"), []byte("-INVITE\r\n"), 1))
		l.mu.Unlock()
		l.over(g, m.reason())
	}
}

// calm stops repeating an INVITE that has been heard of (RFC 3261 §17.1.1.2).
func (g *leg) calm() {
	if strings.HasPrefix(string(g.repeat), "INVITE ") {
		g.repeat = nil
	}
}

// answered takes a 200 to the INVITE, each time it comes. It is called with the
// lock held and gives it back.
func (l *Line) answered(g *leg, m message) {
	if g.answered {
		l.send(g.final)
		l.mu.Unlock()
		return
	}
	g.calm()
	g.answered, g.peer, g.remote = true, m.header("To"), inBrackets(m.header("Contact"))
	g.final = l.request(g, "ACK", "", "")
	l.send(g.final)
	l.mu.Unlock()
	sound, err := ParseSound(m.body)
	if err != nil {
		l.Hangup(g.call)
		l.over(g, "the answer: "+err.Error())
		return
	}
	l.tell.Answered(g.call, sound)
}

// invited takes a call that the switch sends to the trunk.
func (l *Line) invited(m message) {
	call, ours := callOf(user(m.header("From")))
	if !ours {
		l.send(m.reply("404 Not Found", "trunk", "", ""))
		return
	}
	offer, err := ParseSound(m.body)
	if err == nil {
		var answer Sound
		line, _, _ := strings.Cut(m.text, "\r\n")
		if answer, err = l.tell.Invited(call, user(line), offer); err == nil {
			l.accept(call, m, answer)
			return
		}
	}
	l.send(m.reply("488 Not Acceptable Here", "trunk", "", ""))
}

func (l *Line) accept(call int, m message, answer Sound) {
	contact := fmt.Sprintf("Contact: <sip:%s>\r\n", l.Addr())
	g := &leg{
		call: call, id: m.header("Call-ID"), trunk: true, answered: true, offer: answer.Describe(),
	}
	g.final = m.reply("200 OK", "trunk", contact+"Content-Type: application/sdp\r\n", g.offer)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.legs[g.id] = g
	l.insist(g, g.final) // until the ACK
}

// within takes a request of a dialog.
func (l *Line) within(g *leg, m message) {
	switch m.method {
	case "ACK":
		l.mu.Lock()
		if g.trunk {
			g.repeat = nil
		}
		l.mu.Unlock()
	case "BYE":
		l.send(m.reply("200 OK", "", "", ""))
		l.over(g, "the switch hung up")
	case "CANCEL": // the call is answered already
		l.send(m.reply("200 OK", "trunk", "", ""))
	case "INVITE": // again, or to refresh the session
		l.mu.Lock()
		if g.trunk && !strings.Contains(m.header("To"), ";tag=") {
			l.send(g.final)
		} else {
			contact := fmt.Sprintf("Contact: <sip:%s>\r\nContent-Type: application/sdp\r\n", l.Addr())
			l.send(m.reply("200 OK", "", contact, g.offer))
		}
		l.mu.Unlock()
	case "INFO":
		l.mu.Lock()
		again := g.lastKey == m.header("CSeq")
		g.lastKey = m.header("CSeq")
		l.mu.Unlock()
		if key := m.infoKey(); key != 0 && !again {
			l.tell.Key(g.call, g.trunk, key)
		}
		l.send(m.reply("200 OK", "", "", ""))
	default:
		l.send(m.reply("200 OK", "", fmt.Sprintf("Contact: <sip:%s>\r\n", l.Addr()), ""))
	}
}

// Setup is the time that a call may take to be answered, all repetitions included.
const Setup = 32 * time.Second
