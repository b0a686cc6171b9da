package sip_test

import (
	"net/netip"
	"testing"
	"time"

	"b2bua/sip"
)

// accountsAt gives a phone with two accounts on one socket.
func accountsAt(b *bench, at netip.AddrPort) *peer {
	b.t.Helper()
	phone := b.peer(at)
	phone.register(1)
	phone.register(2, credentials(b.t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret"))
	phone.expect("200")
	second := b.ep.Bindings("alice")[0]
	second.User, second.CallID = "bob", "reg2"
	if b.ep.Restore("bob", []sip.Binding{second}) != 1 {
		b.t.Fatal("the second account is not there")
	}
	return phone
}

// A phone with several accounts is a phone, even where a trunk may be: what it
// dials is for its accounts to be allowed, and its From is not believed.
func TestPhoneOfSeveralAccountsIsNoTrunk(t *testing.T) {
	story(t, func(b *bench) {
		phone := accountsAt(b, netip.AddrPortFrom(trunkAt.Addr(), 41000))
		d := phone.call()
		challenge := phone.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		phone.write(d.invite(offerSDP, credentials(t, challenge, "INVITE", d.target, "secret")))
		phone.expect("100")
		o, in := b.take()
		if in.Device == nil || in.Device.ID != "dev_1" || in.Trunk != nil {
			t.Errorf("invitation %+v", in)
		}
		o.do(func(l *sip.Leg) { l.Reject(404, "") })
		d.ackFailure(phone.expect("404"))

		trunk := b.peer(trunkAt) // its neighbour
		d = trunk.call()
		trunk.expect("100")
		b.invitation().Reject(480, "")
		d.ackFailure(trunk.expect("480"))
	})
}

// Nor is it a stranger, who is answered a few times only.
func TestPhoneOfSeveralAccountsIsNoStranger(t *testing.T) {
	story(t, func(b *bench) {
		phone := accountsAt(b, phoneAt)
		for range 10 {
			d := phone.call()
			d.ackFailure(phone.expect("401"))
		}
		time.Sleep(time.Second)
		b.nobodyInvited()
	})
}

// waiting is a switch that knows of messages, and listens at two ports.
func waiting(c *sip.Config) {
	c.Listen = append(c.Listen, "udp://10.0.0.1:5070")
	c.Summary = func(string) (sip.Summary, bool) { return sip.Summary{New: 1}, true }
}

// A phone is told of its messages when it comes, not each time it says that it is
// still there, however many accounts it has.
func TestMessagesAreNewsOnce(t *testing.T) {
	story(t, func(b *bench) {
		phone := accountsAt(b, phoneAt)
		phone.reply(phone.expect("NOTIFY"), "200 OK", "")
		for i := range 3 {
			phone.register(10 + 2*i)
			phone.register(11+2*i, credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret"))
			phone.expect("200")
			phone.silent(10 * time.Second)
		}
	}, waiting)
	story(t, func(b *bench) { // nor is another account's news its own
		phone := b.peer(phoneAt)
		b.ep.Restore("bob", []sip.Binding{{Contact: "sip:bob@192.168.1.7:5060", Source: phoneAt, Local: switchAt, Transport: "udp", Expires: time.Now().Add(time.Hour)}})
		phone.register(1)
		phone.register(2, credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret"))
		phone.expect("200")
		if m := phone.expect("NOTIFY"); m.get("Event") != "message-summary" {
			t.Errorf("%+v", m)
		} else {
			phone.reply(m, "200 OK", "")
		}
	}, waiting)
}

// Who renews a subscription from elsewhere is told there, from the socket that it
// has talked to (RFC 6665 §4.4.1, RFC 3261 §12.2.1.2).
func TestSubscriptionMoves(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		subscribe := func(p *peer, d *dialogue, expires string) message {
			contact := "Contact: <sip:alice@" + p.name + ">"
			d.send("SUBSCRIBE", "", "Event: message-summary", contact, expires)
			challenge := p.expect("401")
			d.send("SUBSCRIBE", "", "Event: message-summary", contact, expires, credentials(t, challenge, "SUBSCRIBE", d.target, "secret"))
			return p.expect("200")
		}
		d := &dialogue{p: phone, callID: "mwi", local: "<sip:alice@10.0.0.1>;tag=1", remote: "<sip:alice@10.0.0.1>", target: "sip:alice@10.0.0.1"}
		d.answered(subscribe(phone, d, "Expires: 600"))
		phone.reply(phone.expect("NOTIFY"), "200 OK", "")

		moved := b.peer(netip.MustParseAddrPort("10.0.0.4:40004"))
		moved.to = netip.MustParseAddrPort("10.0.0.1:5070")
		d.p, d.target = moved, "sip:alice@10.0.0.1:5070"
		ok := subscribe(moved, d, "Expires: 600")
		if got := ok.get("Contact"); got != "<sip:alice@10.0.0.1:5070>" {
			t.Errorf("contact %s", got)
		}
		_ = moved.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 65536)
		n, from, err := moved.conn.ReadFromUDPAddrPort(buf)
		notify := parse(string(buf[:n]))
		if err != nil || from != moved.to || notify.method() != "NOTIFY" || notify.get("Contact") != ok.get("Contact") {
			t.Errorf("from %v, %v: %+v", from, err, notify)
		}
		moved.reply(notify, "200 OK", "")
		// It has registered from there as well, and is not told twice.
		b.ep.Restore("alice", []sip.Binding{{Contact: "sip:alice@10.0.0.4:40004", Source: netip.MustParseAddrPort(moved.name), Local: moved.to, Transport: "udp", Expires: time.Now().Add(time.Hour)}})
		b.ep.SummaryChanged("alice")
		moved.silent(5 * time.Second)
		phone.silent(time.Second)
		d.answered(subscribe(moved, d, "Expires: 0"))
		moved.reply(moved.expect("NOTIFY"), "200 OK", "")
	}, waiting)
}
