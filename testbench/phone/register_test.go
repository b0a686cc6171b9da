package phone_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/sip/digest"
	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
)

// registrar answers REGISTER with the switch's digest, which shares no code with
// the phone's.
func registrar(pc net.PacketConn, c *digest.Challenger) {
	b := make([]byte, 4000)
	for {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return
		}
		lines := strings.Split(string(b[:n]), "\r\n")
		authorization, echo := "", []string{}
		for _, l := range lines[1:] {
			switch name, value, _ := strings.Cut(l, ":"); name {
			case "Authorization":
				authorization = strings.TrimSpace(value)
			case "Via", "From", "To", "Call-ID", "CSeq", "Contact":
				echo = append(echo, l)
			}
		}
		_, err = c.Verify(authorization, "REGISTER", strings.Fields(lines[0])[1], func(user string) (string, bool) { return "secret", user == "alice" })
		status := "SIP/2.0 200 OK"
		if err != nil {
			status = "SIP/2.0 401 Unauthorized"
			for _, challenge := range c.For("").Agent("testphone").Challenge(errors.Is(err, digest.ErrStale)) {
				echo = append(echo, "WWW-Authenticate: "+challenge)
			}
		}
		_, _ = pc.WriteTo([]byte(status+"\r\n"+strings.Join(echo, "\r\n")+"\r\nContent-Length: 0\r\n\r\n"), from)
	}
}

func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{net: memnet.New(), ladder: phone.NewLadder("alice", "switch")}
		server, err := p.net.ListenPacket("udp", "10.0.0.9:5060")
		must(t, err)
		defer server.Close()
		challenger := digest.New("example.com", time.Now)
		go registrar(server, challenger)
		alice := p.phone(t, "alice", "10.0.0.1:5060", phone.Quirks{})
		must(t, alice.Register(soon(t), "10.0.0.9:5060", "alice", "secret", time.Hour))
		challenger.Algorithms = []string{digest.MD5}
		must(t, alice.Register(soon(t), "sip:10.0.0.9", "alice", "secret", 0))
		var status *phone.StatusError
		if err := alice.Register(soon(t), "sip:10.0.0.9", "alice", "guess", time.Hour); !errors.As(err, &status) || status.Code != 401 {
			t.Errorf("wrong password: %v", err)
		}
		p.golden(t)
		must(t, alice.Close())
	})
}

// On real sockets and in real time, which is how the command uses phones.
func TestOnLoopback(t *testing.T) {
	ladder := phone.NewLadder("alice", "bob")
	var live strings.Builder
	ladder.Live(&live)
	phones := make([]*phone.Phone, 2)
	for i, name := range []string{"alice", "bob"} {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		must(t, err)
		phones[i], err = phone.New(phone.Config{Name: name, Conn: conn, Ladder: ladder})
		must(t, err)
		defer phones[i].Close()
	}
	a, err := phones[0].Invite(soon(t), phones[1].URI(), phone.Options{})
	must(t, err)
	b, err := phones[1].Next(soon(t))
	must(t, err)
	must(t, b.Accept())
	must(t, a.WaitState(soon(t), phone.Established))
	must(t, a.SendDigits(soon(t), "7"))
	must(t, a.Hangup(soon(t)))
	must(t, b.WaitState(soon(t), phone.Ended))
	if b.Digits() != "7" {
		t.Errorf("heard %q", b.Digits())
	}
	if s := ladder.String(); strings.Count(s, "\n") != strings.Count(live.String(), "\n") || !strings.Contains(s, "BYE bob") {
		t.Errorf("drawn live:\n%s\nand after:\n%s", live.String(), s)
	}
}
