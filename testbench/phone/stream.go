package phone

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// Stream is a connection as the socket of a phone, which speaks SIP over TCP
// then. All that the phone says goes to the far end of it.
type Stream struct {
	net.Conn
	r *bufio.Reader
}

var _ net.PacketConn = (*Stream)(nil)

// Over makes a connection the socket of a phone.
func Over(c net.Conn) *Stream { return &Stream{c, bufio.NewReader(c)} }

// ReadFrom reads one message (RFC 3261 §18.3). A connection that has ended is
// closed.
func (s *Stream) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := s.message(b)
	if err != nil {
		return 0, nil, errors.Join(net.ErrClosed, err, s.Close())
	}
	return n, s.RemoteAddr(), nil
}

// WriteTo implements net.PacketConn.
func (s *Stream) WriteTo(b []byte, _ net.Addr) (int, error) { return s.Write(b) }

func (s *Stream) message(b []byte) (int, error) {
	n, length := 0, 0
	for {
		line, err := s.r.ReadString('\n')
		switch {
		case err != nil:
			return 0, err
		case n == 0 && strings.TrimSpace(line) == "":
			continue // a keep-alive
		case n+len(line) > len(b):
			return 0, fmt.Errorf("a message of more than %d octets", len(b))
		}
		n += copy(b[n:], line)
		name, v, _ := strings.Cut(line, ":")
		if fold(strings.TrimSpace(name)) == "content-length" {
			if length, err = strconv.Atoi(strings.TrimSpace(v)); err != nil || length < 0 {
				return 0, fmt.Errorf("content length %q", v)
			}
		}
		if line == "\r\n" {
			break
		}
	}
	if n+length > len(b) {
		return 0, fmt.Errorf("a message of more than %d octets", len(b))
	}
	if _, err := io.ReadFull(s.r, b[n:n+length]); err != nil {
		return 0, err
	}
	return n + length, nil
}

// reliable reports whether nothing has to be said twice.
func (p *Phone) reliable() bool {
	_, ok := p.cfg.Conn.(*Stream)
	return ok
}

// via is the Via of a new transaction.
func (p *Phone) via() string {
	network := "UDP"
	if p.reliable() {
		network = "TCP"
	}
	return fmt.Sprintf("SIP/2.0/%s %s;branch=z9hG4bK%s;rport", network, p.at, token())
}

// contact is where the phone is called as a user.
func (p *Phone) contact(user string) string {
	uri := fmt.Sprintf("sip:%s@%s", user, p.at)
	if p.reliable() {
		uri += ";transport=tcp"
	}
	return uri
}
