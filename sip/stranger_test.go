package sip_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/sip/digest"
)

// credentials answers a 401 for alice.
func credentials(t testing.TB, challenge message, method, uri, password string) string {
	t.Helper()
	c, err := digest.Choose(challenge.all("WWW-Authenticate"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := digest.Respond(c, method, uri, "alice", password, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + v
}

func (p *peer) register(cseq int, extra ...string) {
	lines := append([]string{
		"REGISTER sip:10.0.0.1 SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 192.168.1.7:5060;branch=z9hG4bKreg%d;rport", cseq),
		"Max-Forwards: 70", "From: <sip:alice@10.0.0.1>;tag=reg", "To: <sip:alice@10.0.0.1>", "Call-ID: reg1",
		fmt.Sprintf("CSeq: %d REGISTER", cseq), "Contact: <sip:alice@192.168.1.7:5060;ob>;expires=600"}, extra...)
	p.write(strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
}

func registered(b *bench) *peer {
	b.t.Helper()
	phone := b.peer(phoneAt)
	phone.register(1)
	challenge := phone.expect("401")
	if got := challenge.get("Via"); !strings.Contains(got, "rport=40001") || !strings.Contains(got, "received=10.0.0.3") {
		b.t.Errorf("via %s", got)
	}
	phone.register(2, credentials(b.t, challenge, "REGISTER", "sip:10.0.0.1", "secret"))
	if ok := phone.expect("200"); ok.get("Contact") != "<sip:alice@192.168.1.7:5060;ob>;expires=600" {
		b.t.Errorf("contact %s", ok.get("Contact"))
	}
	return phone
}

func TestRegisterAndDialTheBinding(t *testing.T) {
	story(t, func(b *bench) {
		phone := registered(b)
		bindings := b.ep.Bindings("alice")
		if len(bindings) != 1 || bindings[0].Source != phoneAt {
			t.Fatalf("bindings %+v", bindings)
		}
		o := b.dial(sip.Dial{Target: sip.Target{Binding: &bindings[0]}, To: "alice", From: sip.Party{User: "+15559999"}})
		inv := phone.expect("INVITE sip:alice@192.168.1.7:5060;ob SIP/2.0")
		phone.reply(inv, "200 OK", answerSDP, "Contact: <sip:alice@192.168.1.7:5060;ob>")
		phone.expect("ACK")
		told[sip.Answered](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		phone.reply(phone.expect("BYE"), "200 OK", "")
		time.Sleep(600 * time.Second)
		if n := len(b.ep.Bindings("alice")); n != 0 {
			t.Errorf("%d bindings after their time", n)
		}
	})
}

// NAT lets only the socket in that the phone has talked to.
func TestBindingIsDialledFromWhereItRegistered(t *testing.T) {
	second := netip.MustParseAddrPort("10.0.0.1:5070")
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		phone.to = second
		phone.register(1)
		phone.register(2, credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret"))
		phone.expect("200")
		bindings := b.ep.Bindings("alice")
		o := b.dial(sip.Dial{Target: sip.Target{Binding: &bindings[0]}, To: "alice"})
		buf := make([]byte, 4096)
		n, from, err := phone.conn.ReadFromUDPAddrPort(buf)
		inv := parse(string(buf[:n]))
		if err != nil || from != second || !strings.Contains(inv.get("Via"), "10.0.0.1:5070") || !strings.Contains(inv.get("Contact"), "10.0.0.1:5070") {
			t.Errorf("from %v, %v: %+v", from, err, inv)
		}
		phone.reply(inv, "486 Busy Here", "")
		phone.expect("ACK")
		told[sip.Rejected](o)
	}, func(c *sip.Config) { c.Listen = append(c.Listen, "udp://"+second.String()) })
}

// A device that is gone is called no more, nor known by its address.
func TestForgottenDevice(t *testing.T) {
	story(t, func(b *bench) {
		registered(b)
		if got := b.ep.Registered(); len(got) != 1 || got[0] != "alice" {
			t.Errorf("registered %v", got)
		}
		if n := b.ep.Forget("alice"); n != 1 || len(b.ep.Bindings("alice")) != 0 || len(b.ep.Registered()) != 0 || b.ep.Forget("alice") != 0 {
			t.Errorf("%d forgotten, left %v", n, b.ep.Bindings("alice"))
		}
	})
	story(t, func(b *bench) {
		registered(b)
		time.Sleep(10 * time.Minute)
		b.ep.Sweep()
		if n := b.ep.Stats().Registrations; n != 0 {
			t.Errorf("%d expired registrations take room", n)
		}
	})
}

// Who names itself, and is not known to choke on it, is offered more than MD5.
func TestAlgorithmsByUserAgent(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		for i, c := range []struct{ agent, want string }{
			{"", "MD5"}, {"User-Agent: baresip v1.1.0 (x86_64/linux)", "MD5"}, {"User-Agent: Linphone-Desktop/5.2.4 (belle-sip/5.3)", "SHA-256 MD5"},
		} {
			var extra []string
			if c.agent != "" {
				extra = []string{c.agent}
			}
			phone.register(i+1, extra...)
			var got []string
			for _, ch := range phone.expect("401").all("WWW-Authenticate") {
				f, err := digest.Parse(ch)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, f.Algorithm)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%q is offered %v", c.agent, got)
			}
		}
	})
}

func TestDeviceCalls(t *testing.T) {
	story(t, func(b *bench) {
		phone := registered(b)
		d := phone.call()
		challenge := phone.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		phone.write(d.invite(offerSDP, credentials(t, challenge, "INVITE", d.target, "secret"), "Privacy: id"))
		phone.expect("100")
		o, in := b.take()
		// The From header said something else.
		if in.Device == nil || in.Device.ID != "dev_1" || in.From.User != "+15550001" || in.From.Display != "Alice" || in.Trunk != nil || in.Anonymous || in.Header("Authorization") != "" {
			t.Errorf("invitation %+v", in)
		}
		o.do(func(l *sip.Leg) { l.Reject(404, "") })
		d.ackFailure(phone.expect("404"))
	})
}

func TestRegisterRefusals(t *testing.T) {
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		phone.register(1)
		challenge := phone.expect("401")
		auth := credentials(t, challenge, "REGISTER", "sip:10.0.0.1", "secret")
		phone.register(2, auth, "Require: gruu")
		phone.expect("420")
		phone.register(3, auth) // the same nonce count again: a replay
		if m := phone.expect("401"); !strings.Contains(m.get("WWW-Authenticate"), "stale=true") {
			t.Errorf("got %+v", m)
		}
		text := func(cseq int, to, contact string) string {
			phone.register(cseq * 100)
			auth := credentials(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "secret")
			return strings.Join([]string{"REGISTER sip:10.0.0.1 SIP/2.0", fmt.Sprintf("Via: SIP/2.0/UDP h;branch=z9hG4bKr%d;rport", cseq),
				"From: <sip:alice@10.0.0.1>;tag=reg", "To: <sip:" + to + "@10.0.0.1>", "Call-ID: reg1", fmt.Sprintf("CSeq: %d REGISTER", cseq), contact, auth,
				"Content-Length: 0", "", ""}, "\r\n")
		}
		phone.write(text(4, "bob", "Contact: <sip:a@1.2.3.4>"))
		phone.expect("403")
		phone.write(text(5, "alice", "Contact: <sip:a@1.2.3.4>;expires=5"))
		if m := phone.expect("423"); m.get("Min-Expires") != "60" {
			t.Errorf("got %+v", m)
		}
		phone.write(text(6, "alice", "Contact: *"))
		phone.expect("400")
		phone.write(text(7, "alice", "Contact: <tel:+1>"))
		phone.expect("400")
	})
}

// Known and unknown users get the same answers, and after a few tries silence.
func TestAttack26StrangersAreBanned(t *testing.T) {
	story(t, func(b *bench) {
		thief := b.peer(strangerAt)
		thief.register(1)
		challenge := thief.expect("401")
		if len(challenge.all("WWW-Authenticate")) == 0 || challenge.tag("To") == "" {
			t.Errorf("challenge %+v", challenge)
		}
		for i := range 4 {
			thief.register(10+i, credentials(t, challenge, "REGISTER", "sip:10.0.0.1", "guess"))
			thief.expect("401")
		}
		thief.register(20, credentials(t, challenge, "REGISTER", "sip:10.0.0.1", "guess"))
		thief.silent(time.Second)
		thief.call()
		thief.silent(5 * time.Second)
		if b.ep.Stats().Guard.Banned != 1 || b.ep.Stats().ServerTransactions != 0 {
			t.Errorf("stats %+v", b.ep.Stats())
		}
		b.nobodyInvited()
	})
}

// Who never says who it is is soon not answered, but not banned: the address may
// be forged.
func TestStrangersAreAnsweredAFewTimes(t *testing.T) {
	story(t, func(b *bench) {
		stranger := b.peer(strangerAt)
		for range 2 {
			for range 5 {
				stranger.call()
				stranger.expect("401")
			}
			for range 5 {
				stranger.call()
				stranger.silent(10 * time.Second)
			}
			time.Sleep(11 * time.Second)
		}
		if s := b.ep.Stats().Guard; s.Banned != 0 || s.Strikes != 0 || s.Unanswered != 10 {
			t.Errorf("stats %+v", s)
		}
		b.nobodyInvited()
	})
}

// Nobody can have a phone banned by writing its address into datagrams, with or
// without credentials, and others behind its address cannot either.
func TestAttack26NobodyElseSilencesAPhone(t *testing.T) {
	forged := func(b *bench, n int, auth string) {
		spoof := b.peer(netip.AddrPortFrom(phoneAt.Addr(), 5999))
		defer spoof.conn.Close()
		for i := range n {
			spoof.call()
			spoof.register(100+i, auth)
		}
		time.Sleep(time.Second)
	}
	const guess = `Authorization: Digest username="alice", realm="b2bua", nonce="x", uri="sip:10.0.0.1", response="00000000000000000000000000000000"`
	calls := func(b *bench, phone *peer) {
		d := phone.call()
		challenge := phone.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		phone.write(d.invite(offerSDP, credentials(t, challenge, "INVITE", d.target, "secret")))
		phone.expect("100")
		b.invitation().Reject(480, "")
		d.ackFailure(phone.expect("480"))
	}
	for _, auth := range []string{"User-Agent: none", guess, strings.Replace(guess, "sip:10.0.0.1", "sip:elsewhere", 1), "Authorization: Digest ,,="} {
		story(t, func(b *bench) {
			phone := registered(b)
			forged(b, 20, auth)
			calls(b, phone)
			if n := b.ep.Stats().Guard.Banned; n != 0 {
				t.Errorf("%d banned by %s", n, auth)
			}
		})
		story(t, func(b *bench) { // not registered yet
			forged(b, 20, auth)
			phone := registered(b)
			calls(b, phone)
		})
	}
	story(t, func(b *bench) {
		phone := registered(b)
		thief := b.peer(netip.AddrPortFrom(phoneAt.Addr(), 5999))
		thief.register(50)
		challenge := thief.expect("401")
		for i := range 10 {
			thief.register(60+i, credentials(t, challenge, "REGISTER", "sip:10.0.0.1", "guess"))
		}
		time.Sleep(time.Second)
		if b.ep.Stats().Guard.Banned != 1 {
			t.Errorf("stats %+v", b.ep.Stats())
		}
		calls(b, phone)
	})
}

func TestRefusals(t *testing.T) {
	const sdpHead = "Contact: <sip:far@10.0.0.2:5060>"
	cases := []struct {
		name, want, header string
		edit               func(string) string
	}{
		{"no contact", "400", "", func(s string) string { return strings.Replace(s, sdpHead+"\r\n", "", 1) }},
		{"scheme", "416", "", func(s string) string { return strings.Replace(s, "INVITE sip:", "INVITE fax:", 1) }},
		{"sips", "416", "", func(s string) string { return strings.Replace(s, "INVITE sip:", "INVITE sips:", 1) }},
		{"hops", "483", "", func(s string) string { return strings.Replace(s, "Max-Forwards: 70", "Max-Forwards: 0", 1) }},
		{"version", "505", "", func(s string) string { return strings.Replace(s, " SIP/2.0\r\n", " SIP/3.0\r\n", 1) }},
		{"extension", "420", "Unsupported", func(s string) string { return strings.Replace(s, sdpHead, sdpHead+"\r\nRequire: foo, bar", 1) }},
		{"body", "415", "Accept", func(s string) string { return strings.Replace(s, "application/sdp", "text/plain", 1) }},
		{"encoding", "415", "Accept-Encoding", func(s string) string { return strings.Replace(s, sdpHead, sdpHead+"\r\nContent-Encoding: gzip", 1) }},
		{"two From", "400", "", func(s string) string { return strings.Replace(s, sdpHead, sdpHead+"\r\nFrom: <sip:b@c>;tag=2", 1) }},
		{"two Call-IDs", "400", "", func(s string) string { return strings.Replace(s, sdpHead, sdpHead+"\r\ni: other", 1) }},
		{"method of CSeq", "400", "", func(s string) string { return strings.Replace(s, "CSeq: 1 INVITE", "CSeq: 1 OPTIONS", 1) }},
		{"unknown dialog", "481", "", func(s string) string {
			return strings.Replace(s, "To: <sip:+15551000@10.0.0.1>", "To: <sip:x@y>;tag=z", 1)
		}},
		{"method", "405", "Allow", func(s string) string { return strings.ReplaceAll(s, "INVITE", "PUBLISH") }},
		{"unknown method", "501", "Allow", func(s string) string { return strings.ReplaceAll(s, "INVITE", "FOO") }},
		{"stray BYE", "481", "", func(s string) string { return strings.ReplaceAll(s, "INVITE", "BYE") }},
		{"options", "200", "Accept", func(s string) string { return strings.ReplaceAll(s, "INVITE", "OPTIONS") }},
	}
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		for i, c := range cases {
			d := &dialogue{p: far, callID: fmt.Sprintf("refused%d", i), local: "<sip:a@b>;tag=1", remote: "<sip:+15551000@10.0.0.1>", target: "sip:+15551000@10.0.0.1", cseq: 1}
			text := c.edit(d.invite(offerSDP))
			far.write(text)
			m, ok := far.next(time.Second)
			if !ok || !strings.HasPrefix(m.start, "SIP/2.0 "+c.want) || c.header != "" && m.get(c.header) == "" {
				t.Errorf("%s: got %+v", c.name, m)
			}
			if m.get("Call-ID") != d.callID || m.tag("To") == "" {
				t.Errorf("%s: got %+v", c.name, m)
			}
		}
		b.nobodyInvited()
	})
}

func TestAttack11MissingHeaders(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		for i, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			d := &dialogue{p: far, callID: fmt.Sprintf("poor%d", i), local: "<sip:a@b>;tag=1", remote: "<sip:c@d>", target: "sip:c@d", cseq: 1}
			for _, method := range []string{"INVITE", "BYE", "ACK", "CANCEL", "REGISTER"} {
				var lines []string
				for l := range strings.SplitSeq(strings.ReplaceAll(d.invite(""), "INVITE", method), "\r\n") {
					if !strings.HasPrefix(l, name+":") {
						lines = append(lines, l)
					}
				}
				far.write(strings.Join(lines, "\r\n"))
			}
		}
		for {
			m, ok := far.next(time.Second)
			if !ok {
				break
			}
			if !strings.HasPrefix(m.start, "SIP/2.0 400") {
				t.Errorf("got %+v", m)
			}
		}
	})
}

func TestMultipartOffer(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := &dialogue{p: far, callID: "parts", local: "<sip:a@b>;tag=1", remote: "<sip:c@d>", target: "sip:c@d", cseq: 1}
		body := "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: application/sdp\r\n\r\n" + offerSDP + "\r\n--x--\r\n"
		far.write(strings.Replace(d.invite(body), "application/sdp\r\nContent-Length", "multipart/mixed;boundary=x\r\nContent-Length", 1))
		far.expect("100")
		o, in := b.take()
		if string(in.Offer) != offerSDP {
			t.Errorf("offer %q", in.Offer)
		}
		o.do(func(l *sip.Leg) { l.Reject(486, "") })
		d.ackFailure(far.expect("486"))
	})
}

func TestDrain(t *testing.T) {
	story(t, func(b *bench) {
		far, d, o := talking(b)
		b.ep.Drain(30 * time.Second)
		other := far.call()
		if m := far.expect("503"); m.get("Retry-After") != "30" {
			t.Errorf("got %+v", m)
		}
		_ = other
		d.send("INFO", "") // calls that are there go on
		far.expect("200")
		b.ep.Drain(0)
		next := far.call()
		far.expect("100")
		b.invitation().Reject(480, "")
		next.ackFailure(far.expect("480"))
		hangUp(far, o)
	})
}

func TestNoRport(t *testing.T) {
	story(t, func(b *bench) {
		far, other := b.peer(trunkAt), b.peer(otherAt)
		d := &dialogue{p: far, callID: "noport", local: "<sip:a@b>;tag=1", remote: "<sip:c@d>", target: "sip:c@d", cseq: 1}
		text := strings.Replace(d.text("OPTIONS", "z9hG4bK1", 1, ""), "10.0.0.2:5060;branch=z9hG4bK1;rport", "sip.example:5070;branch=z9hG4bK1", 1)
		far.write(text)
		if m := other.expect("200"); m.get("Via") != "SIP/2.0/UDP sip.example:5070;branch=z9hG4bK1;received=10.0.0.2" {
			t.Errorf("via %s", m.get("Via"))
		}
	})
}
