package transport

import (
	"fmt"
	"net"
	"time"
)

const writeTime = 5 * time.Second // for one message

// link is how messages are told apart on a connection.
type link interface {
	read() ([]byte, error) // one whole message, valid until the next
	write([]byte) error
}

// stream is a link over octets without borders: TCP or TLS.
type stream struct {
	net.Conn
	f framer
}

func newStream(raw net.Conn, c *Conn) *stream {
	return &stream{Conn: raw, f: framer{r: raw, pinged: c.pong, trusted: c.trusted}}
}

func (s *stream) read() ([]byte, error) { return s.f.next() }

func (s *stream) write(data []byte) error {
	if err := s.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := s.Write(data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}
