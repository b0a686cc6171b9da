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

// proved answers a challenge with nc as the count of its uses.
func proved(t testing.TB, challenge message, method, uri, user, password string, nc int) string {
	t.Helper()
	c, err := digest.Choose(challenge.all("WWW-Authenticate"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := digest.Respond(c, method, uri, user, password, nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + v
}

func stale(m message) bool { return strings.Contains(m.get("WWW-Authenticate"), "stale=true") }

// registerAs is a REGISTER with everything in the hands of the test.
func (p *peer) registerAs(user, callID string, cseq int, extra ...string) {
	p.write(strings.Join(append([]string{"REGISTER sip:10.0.0.1 SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 192.168.1.7:5060;branch=z9hG4bK%s%d;rport", callID, cseq), "Max-Forwards: 70",
		"From: <sip:" + user + "@10.0.0.1>;tag=reg", "To: <sip:" + user + "@10.0.0.1>", "Call-ID: " + callID,
		fmt.Sprintf("CSeq: %d REGISTER", cseq), "Contact: <sip:alice@192.168.1.7:5060>;expires=600"}, extra...), "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
}

// What was overheard is worth nothing: not again, not for another
// URI, method or call, not from elsewhere, not later. The phone itself goes on
// with its nonce, or is told that it is stale.
func TestAttack27DigestReplay(t *testing.T) {
	const uri = "sip:10.0.0.1"
	story(t, func(b *bench) {
		phone := b.peer(phoneAt)
		phone.registerAs("alice", "r1", 1)
		challenge := phone.expect("401")
		first := proved(t, challenge, "REGISTER", uri, "alice", "secret", 1)
		phone.registerAs("alice", "r1", 2, first)
		phone.expect("200")
		phone.registerAs("alice", "r1", 3, first)
		if m := phone.expect("401"); !stale(m) {
			t.Errorf("again: %+v", m)
		}
		phone.registerAs("alice", "r1", 4, proved(t, challenge, "REGISTER", uri, "alice", "secret", 2))
		phone.expect("200") // its next one, with the count risen
		for name, auth := range map[string]string{
			"another URI":    proved(t, challenge, "REGISTER", "sip:10.0.0.9", "alice", "secret", 7),
			"another method": proved(t, challenge, "INVITE", uri, "alice", "secret", 8),
		} {
			phone.registerAs("alice", "r1", 5+len(name), auth)
			if m := phone.expect("401"); stale(m) {
				t.Errorf("%s: %+v", name, m)
			}
		}
		phone.registerAs("alice", "r2", 1, proved(t, challenge, "REGISTER", uri, "alice", "secret", 9))
		again := phone.expect("401")
		if !stale(again) {
			t.Errorf("another call: %+v", again)
		}
		phone.registerAs("alice", "r2", 2, proved(t, again, "REGISTER", uri, "alice", "secret", 1))
		phone.expect("200")

		thief := b.peer(strangerAt)
		thief.registerAs("alice", "r1", 40, proved(t, challenge, "REGISTER", uri, "alice", "secret", 10))
		if m := thief.expect("401"); !stale(m) {
			t.Errorf("from elsewhere: %+v", m)
		}
		time.Sleep(digest.DefaultLifetime + time.Second)
		phone.registerAs("alice", "r1", 50, proved(t, challenge, "REGISTER", uri, "alice", "secret", 11))
		if m := phone.expect("401"); !stale(m) {
			t.Errorf("later: %+v", m)
		}
	})
}

// A device is who it proved to be, whatever its headers say.
func TestAttack20IdentityIsThatOfTheCredentials(t *testing.T) {
	story(t, func(b *bench) {
		phone := registered(b)
		d := phone.call()
		challenge := phone.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		invite := d.invite(offerSDP, credentials(t, challenge, "INVITE", d.target, "secret"), "P-Asserted-Identity: <sip:+15550999@10.0.0.1>",
			"Remote-Party-ID: <sip:+15550999@10.0.0.1>", "P-Preferred-Identity: <sip:boss@10.0.0.1>")
		phone.write(invite)
		phone.expect("100")
		in := b.invitation()
		if in.From.User != "+15550001" || in.From.Display != "Alice" {
			t.Errorf("shown as %+v", in.From)
		}
		in.Reject(480, "")
		d.ackFailure(phone.expect("480"))
		phone.registerAs("bob", "r1", 1)
		phone.registerAs("bob", "r1", 2, proved(t, phone.expect("401"), "REGISTER", "sip:10.0.0.1", "alice", "secret", 1))
		phone.expect("403")
	})
}

// Users that exist and users that do not get the same answers, whatever
// is asked, whatever is tried.
func TestAttack25NobodyLearnsWhoIsAUser(t *testing.T) {
	answers := func(user string) (out []string) {
		story(t, func(b *bench) {
			spy := b.peer(strangerAt)
			note := func(m message) {
				var names []string
				for _, h := range m.fields {
					names = append(names, fmt.Sprintf("%s %d", h[0], len(strings.ReplaceAll(h[1], user, ""))))
				}
				out = append(out, m.start+" "+strings.Join(names, ","))
			}
			spy.registerAs(user, "r1", 1)
			challenge := spy.expect("401")
			note(challenge)
			spy.registerAs(user, "r1", 2, proved(t, challenge, "REGISTER", "sip:10.0.0.1", user, "guess", 1))
			note(spy.expect("401"))
			spy.registerAs(user, "r1", 3, strings.Replace(proved(t, challenge, "REGISTER", "sip:10.0.0.1", user, "guess", 2), "nonce=\"", "nonce=\"x", 1))
			note(spy.expect("401"))
			spy.write(strings.ReplaceAll(request("INVITE", "UDP h;branch=z9hG4bKi1;rport", "spy", 1, "<sip:"+user+"@10.0.0.1>", offerSDP), "+15559999", user))
			note(spy.expect("401"))
			spy.write(strings.ReplaceAll(request("OPTIONS", "UDP h;branch=z9hG4bKo1;rport", "spy2", 1, "<sip:"+user+"@10.0.0.1>", ""), "+15551000", user))
			note(spy.expect("200"))
		})
		return out
	}
	known, unknown := answers("alice"), answers("mallo")
	for i := range known {
		if known[i] != unknown[i] {
			t.Errorf("answer %d tells them apart:\n%s\n%s", i, known[i], unknown[i])
		}
	}
}

// A guesser gets five looks a second at one account, from wherever he
// is; the owner, elsewhere, notices nothing.
func TestAttack26Guessing(t *testing.T) {
	// The address of a trunk is never banned: only the throttle stands there.
	inside := netip.AddrPortFrom(trunkAt.Addr(), 40404)
	story(t, func(b *bench) {
		thief := b.peer(inside)
		thief.registerAs("alice", "t1", 1)
		challenge := thief.expect("401")
		right := func(n int) { // even the right password is not looked at
			thief.registerAs("alice", "t1", 100+n, proved(t, challenge, "REGISTER", "sip:10.0.0.1", "alice", "secret", 100+n))
		}
		for i := range 50 {
			thief.registerAs("alice", "t1", 2+i, proved(t, challenge, "REGISTER", "sip:10.0.0.1", "alice", "guess", 1+i))
			thief.expect("401")
		}
		right(1)
		thief.expect("401")
		if s := b.ep.Stats().Guard; s.Throttled != 46 {
			t.Errorf("%d passwords were not looked at: %+v", s.Throttled, s)
		}
		registered(b) // the owner
		time.Sleep(time.Second)
		right(2)
		thief.expect("200")
	})
}

// What is no Digest header is answered like a wrong one.
func TestAttack30BrokenCredentials(t *testing.T) {
	for _, auth := range []string{"", " ", "Digest", "Digest ", "Digest ,,,", "Digest =", "Digest username", `Digest username="`, `Digest username="alice" realm="b2bua"`,
		`Digest username="alice", username="bob", realm="b2bua"`, `Digest nc=zzzzzzzz, realm="b2bua"`, "Digest " + strings.Repeat("a=b,", 200), `Digest username="` + strings.Repeat("x", 5000) + `"`,
		"Basic YWxpY2U6c2VjcmV0", "Bearer x", "\x80\xff", `Digest realm="b2bua", username="alice", nonce="x", uri="x", response="x", qop=auth-int`} {
		story(t, func(b *bench) {
			phone := b.peer(phoneAt)
			phone.registerAs("alice", "r1", 1, "Authorization: "+auth)
			phone.expect("401")
		})
	}
}

// Nobody but the trunk that a password is for gets an answer to a
// challenge, and an incoming call never makes us prove anything.
func TestAttack28ChallengesOfCallers(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		d := far.call()
		far.expect("100")
		o, _ := b.take()
		o.do(func(l *sip.Leg) { l.Answer([]byte(answerSDP)) })
		d.answered(far.expect("200"))
		d.ack()
		told[sip.Confirmed](o)
		o.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
		bye := far.expect("BYE")
		far.reply(bye, "407 Proxy Authentication Required", "", `Proxy-Authenticate: Digest realm="carrier", nonce="1", qop="auth"`)
		far.silent(5 * time.Second)
	})
}
