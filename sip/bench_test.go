package sip_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/internal/loop"
	"b2bua/sip"
	"b2bua/testbench/memnet"
)

// The addresses of the stories: the switch, a trunk, a second way of the trunk,
// a phone, and somebody nobody knows.
var (
	switchAt   = netip.MustParseAddrPort("10.0.0.1:5060")
	trunkAt    = netip.MustParseAddrPort("10.0.0.2:5060")
	otherAt    = netip.MustParseAddrPort("10.0.0.2:5070")
	phoneAt    = netip.MustParseAddrPort("10.0.0.3:40001")
	strangerAt = netip.MustParseAddrPort("10.0.0.66:5060")
)

const (
	offerSDP  = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	answerSDP = "v=0\r\no=- 2 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
)

// book is a Directory of one trunk and one device.
type book struct{}

func (book) TrunkBySource(a netip.Addr) (sip.Trunk, bool) {
	return sip.Trunk{ID: "trunk_1", Name: "carrier", Believed: true}, a == trunkAt.Addr()
}

// TrunkByUsername knows a trunk at no address.
func (book) TrunkByUsername(user string) (sip.Trunk, string, bool) {
	return sip.Trunk{ID: "trunk_pbx", Name: "pbx"}, "exchange", user == "pbx"
}

func (book) Device(user string) (sip.Device, bool) {
	switch user {
	case "alice":
	case "bob":
		return sip.Device{ID: "dev_2", Username: "bob", Password: "secret"}, true
	default:
		return sip.Device{}, false
	}
	return sip.Device{ID: "dev_1", Username: "alice", Password: "secret", DisplayName: "Alice", Number: "+15550001"}, true
}

// bench is a switch on a network in memory.
type bench struct {
	t       testing.TB
	net     *memnet.Network
	ep      *sip.Endpoint
	invited chan *sip.Invitation
	logs    *bytes.Buffer
}

func (b *bench) Invited(in *sip.Invitation) { b.invited <- in }

// story runs f in virtual time and then checks that nothing is left over.
func story(t *testing.T, f func(b *bench), change ...func(*sip.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(), invited: make(chan *sip.Invitation, 100), logs: &bytes.Buffer{}}
		cfg := sip.Config{Listen: []string{"udp://" + switchAt.String()}, ListenPacket: b.net.ListenPacket, ListenStream: b.net.ListenStream, DialStream: b.net.DialStream, UserAgent: "switch",
			Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }}
		for _, c := range change {
			c(&cfg)
		}
		var err error
		b.ep, err = sip.New(cfg, book{}, b, slog.New(slog.NewTextHandler(b.logs, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.ep.Run(ctx) }()
		<-b.ep.Ready()
		f(b)
		time.Sleep(40 * time.Second) // virtual: every transaction is over
		synctest.Wait()
		if s := b.ep.Stats(); s.Legs+s.Dialogs+s.ServerTransactions+s.ClientTransactions+s.Pending != 0 || s.Panics != 0 {
			t.Errorf("left over: %+v\n%s", s, b.logs)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// owner is a call: a loop and what its leg told.
type owner struct {
	b       *bench
	loop    *loop.Loop
	leg     *sip.Leg
	events  chan sip.Event
	reached int              // only touched on the loop
	moved   []sip.Retargeted // so is this
	offer   int              // and this: the ID of the last offer told
}

func (b *bench) owner() *owner {
	o := &owner{b: b, loop: loop.New(), events: make(chan sip.Event, 100)}
	go o.loop.Run(context.Background())
	b.t.Cleanup(func() { o.loop.Stop(); <-o.loop.Done() })
	return o
}

func (o *owner) on(ev sip.Event) {
	if _, ok := ev.(sip.Reached); ok {
		o.reached++ // comes whenever the far end likes; few stories care
		return
	}
	if ev, ok := ev.(sip.Retargeted); ok {
		o.moved = append(o.moved, ev)
		return
	}
	if ev, ok := ev.(sip.Offered); ok {
		o.offer = ev.ID
	}
	o.events <- ev
}

// do runs a verb on the call's loop, as the rules demand.
func (o *owner) do(f func(*sip.Leg)) {
	o.b.t.Helper()
	if err := o.loop.Call(context.Background(), func() { f(o.leg) }); err != nil {
		o.b.t.Fatal(err)
	}
}

func (b *bench) take() (*owner, *sip.Invitation) {
	b.t.Helper()
	in := b.invitation()
	o := b.owner()
	o.leg = in.Take(o.loop.Post, o.on)
	return o, in
}

func (b *bench) invitation() *sip.Invitation {
	b.t.Helper()
	select {
	case in := <-b.invited:
		return in
	case <-time.After(time.Second):
		b.t.Fatalf("nobody was invited\n%s", b.logs)
		return nil
	}
}

func (b *bench) nobodyInvited() {
	b.t.Helper()
	select {
	case in := <-b.invited:
		b.t.Fatalf("invited by %+v", in.From)
	case <-time.After(time.Second):
	}
}

func (b *bench) dial(d sip.Dial) *owner {
	o := b.owner()
	if d.Target.URI == "" && d.Target.Binding == nil {
		d.Target.URI = "sip:" + trunkAt.String()
	}
	if d.To == "" {
		d.To = "+15551234"
	}
	if d.Offer == nil {
		d.Offer = []byte(offerSDP)
	}
	_ = o.loop.Call(context.Background(), func() { o.leg = b.ep.Dial(d, o.loop.Post, o.on) })
	return o
}

// told waits for the next event, which must be an E.
func told[E sip.Event](o *owner) E {
	o.b.t.Helper()
	select {
	case ev := <-o.events:
		e, ok := ev.(E)
		if !ok {
			o.b.t.Fatalf("told %#v", ev)
		}
		return e
	case <-time.After(70 * time.Second):
		var want E
		o.b.t.Fatalf("not told %T\n%s", want, o.b.logs)
		panic("unreachable")
	}
}

func (o *owner) toldNothing() {
	o.b.t.Helper()
	synctest.Wait()
	select {
	case ev := <-o.events:
		o.b.t.Errorf("told %#v", ev)
	default:
	}
}

// peer is a far end that speaks by hand.
type peer struct {
	b    *bench
	conn *memnet.Conn
	to   netip.AddrPort // the address of the switch it talks to
	name string
	seq  int
}

func (b *bench) peer(at netip.AddrPort) *peer {
	b.t.Helper()
	c, err := b.net.Listen(at)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return &peer{b: b, conn: c, to: switchAt, name: at.String()}
}

// message is a SIP message, taken apart just enough.
type message struct {
	start  string
	fields [][2]string
	body   string
	at     time.Time
}

func (m message) get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

func (m message) all(name string) []string {
	var out []string
	for _, f := range m.fields {
		if strings.EqualFold(f[0], name) {
			out = append(out, f[1])
		}
	}
	return out
}

func (m message) tag(name string) string {
	_, tag, _ := strings.Cut(m.get(name), "tag=")
	return tag
}

func (m message) branch() string {
	_, rest, _ := strings.Cut(m.get("Via"), "branch=")
	branch, _, _ := strings.Cut(rest, ";")
	return branch
}

func (m message) method() string {
	_, method, _ := strings.Cut(m.get("CSeq"), " ")
	return method
}

func parse(data string) message {
	head, body, _ := strings.Cut(data, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := message{start: lines[0], body: body, at: time.Now()}
	for _, l := range lines[1:] {
		name, v, _ := strings.Cut(l, ":")
		m.fields = append(m.fields, [2]string{strings.TrimSpace(name), strings.TrimSpace(v)})
	}
	return m
}

// write sends raw text; \n stands for CRLF and {} values are filled in.
func (p *peer) write(text string) {
	p.b.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort([]byte(text), p.to); err != nil {
		p.b.t.Fatal(err)
	}
}

func (p *peer) next(wait time.Duration) (message, bool) {
	_ = p.conn.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 65536)
	n, _, err := p.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		return message{}, false
	}
	return parse(string(buf[:n])), true
}

// expect reads the next message, whose first line must begin (or, for a
// response, go on after the version) with start.
func (p *peer) expect(start string) message {
	p.b.t.Helper()
	m, ok := p.next(40 * time.Second)
	if !ok {
		p.b.t.Fatalf("%s: got nothing, want %q\n%s", p.name, start, p.b.logs)
	}
	if !strings.HasPrefix(strings.TrimPrefix(m.start, "SIP/2.0 "), start) {
		p.b.t.Fatalf("%s: got %q, want %q", p.name, m.start, start)
	}
	return m
}

func (p *peer) silent(wait time.Duration) {
	p.b.t.Helper()
	if m, ok := p.next(wait); ok {
		p.b.t.Errorf("%s: got %q", p.name, m.start)
	}
}

// dialogue is a call as the far end keeps it.
type dialogue struct {
	p             *peer
	callID        string
	local, remote string // From and To values of our requests
	target        string
	cseq          int
	branch        string
}

// call sends an INVITE and gives what is needed to go on.
func (p *peer) call(extra ...string) *dialogue {
	p.b.t.Helper()
	p.seq++
	d := &dialogue{p: p, callID: fmt.Sprintf("call%d@%s", p.seq, p.name), local: "<sip:+15559999@carrier.example>;tag=far" + strconv.Itoa(p.seq),
		remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
	p.write(d.invite(offerSDP, extra...))
	return d
}

func (d *dialogue) invite(sdp string, extra ...string) string {
	d.branch = fmt.Sprintf("z9hG4bK-%s-%d", d.callID, d.cseq)
	return d.text("INVITE", d.branch, d.cseq, sdp, append([]string{"Contact: <sip:far@" + d.p.name + ">"}, extra...)...)
}

func (d *dialogue) text(method, branch string, cseq int, sdp string, extra ...string) string {
	lines := []string{
		method + " " + d.target + " SIP/2.0",
		"Via: SIP/2.0/UDP " + d.p.name + ";branch=" + branch + ";rport",
		"Max-Forwards: 70",
		"From: " + d.local,
		"To: " + d.remote,
		"Call-ID: " + d.callID,
		"CSeq: " + strconv.Itoa(cseq) + " " + method,
	}
	lines = append(lines, extra...)
	if sdp != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(lines, "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(sdp)) + "\r\n\r\n" + sdp
}

// answered takes the dialog from a response with a tag.
func (d *dialogue) answered(m message) {
	d.remote = m.get("To")
	d.target = strings.Trim(m.get("Contact"), "<>")
}

func (d *dialogue) ack() { d.p.write(d.text("ACK", "z9hG4bKack"+d.branch, d.cseq, "")) }

// ackFailure acknowledges a failure: within the INVITE's transaction.
func (d *dialogue) ackFailure(m message) {
	d.remote = m.get("To")
	d.p.write(d.text("ACK", d.branch, d.cseq, ""))
}

func (d *dialogue) send(method, sdp string, extra ...string) {
	d.cseq++
	d.branch = fmt.Sprintf("z9hG4bK-%s-%d", d.callID, d.cseq)
	d.p.write(d.text(method, d.branch, d.cseq, sdp, extra...))
}

func (d *dialogue) cancel() {
	d.p.write(d.text("CANCEL", d.branch, d.cseq, "", "Reason: SIP;cause=200;text=\"elsewhere\""))
}

// reply answers a request of the switch.
func (p *peer) reply(req message, status string, sdp string, extra ...string) {
	p.b.t.Helper()
	to := req.get("To")
	if !strings.Contains(to, "tag=") && !strings.HasPrefix(status, "100") {
		to += ";tag=callee"
	}
	lines := []string{"SIP/2.0 " + status}
	for _, v := range req.all("Via") {
		lines = append(lines, "Via: "+v)
	}
	lines = append(lines, "From: "+req.get("From"))
	replaced := false
	for _, e := range extra {
		replaced = replaced || strings.HasPrefix(e, "To: ")
	}
	if !replaced {
		lines = append(lines, "To: "+to)
	}
	lines = append(lines, "Call-ID: "+req.get("Call-ID"), "CSeq: "+req.get("CSeq"))
	contact := "Contact: <sip:callee@" + p.name + ">"
	for _, e := range extra {
		if strings.HasPrefix(e, "Contact: ") {
			contact = ""
		}
	}
	if contact != "" {
		lines = append(lines, contact)
	}
	lines = append(lines, extra...)
	if sdp != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	p.write(strings.Join(lines, "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(sdp)) + "\r\n\r\n" + sdp)
}
