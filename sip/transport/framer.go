package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

const (
	maxHead      = 128 << 10 // octets of a header section with its start line
	maxBody      = 64 << 10
	maxStartLine = 8 << 10

	firstBuffer = 2 << 10
	keptBuffer  = 16 << 10 // a larger one is given back once it is empty
	strangeMost = 16 << 10 // octets of a message of somebody who has proved nothing

	pingGap = 2 * time.Second // two CRLF further apart are no ping
)

// BrokenError says that a stream cannot be cut into messages any more: where
// the next one would begin is anybody's guess.
type BrokenError struct {
	Code   int // status that tells the sender of a request
	Reason string
	Head   []byte // what there is of the header section
}

func (e *BrokenError) Error() string { return "broken stream: " + e.Reason }

func broken(code int, head []byte, reason string) error {
	return &BrokenError{Code: code, Reason: reason, Head: head}
}

// framer cuts a stream into messages by their Content-Length (RFC 3261 §18.3).
// Its buffer grows with what has arrived, never with what was announced.
type framer struct {
	r       io.Reader
	pinged  func()
	trusted func() bool // whether the far end may say more than strangeMost at once

	buf        []byte
	start, end int // what has been read and not handed out

	line, scanned int // within the current message: its last line, how far it was looked at
	head, body    int // sizes; head is 0 until the header section is complete

	blank time.Time // of a CRLF between messages that may be half a ping
}

// next gives the next message, valid until it is called again.
func (f *framer) next() ([]byte, error) {
	f.line, f.scanned, f.head, f.body = 0, 0, 0, 0
	for {
		if f.skip(); f.start < f.end && f.buf[f.start] != '\r' { // the rest of a line end is still to come
			whole, err := f.measure(f.buf[f.start:f.end])
			if err != nil {
				return nil, err
			}
			if n := f.head + f.body; whole && f.end-f.start >= n {
				message := f.buf[f.start : f.start+n]
				f.start += n
				f.blank = time.Time{}
				return message, nil
			}
		}
		if err := f.more(); err != nil {
			return nil, err
		}
	}
}

// tooLong reports whether a header section, or a message of a stranger, may not
// have so many octets: memory is for those who are known.
func (f *framer) tooLong(n int) bool { return n > maxHead || n > strangeMost && !f.trusted() }

// skip passes over line ends before a start line (RFC 3261 §7.5). Two in a row
// are a ping (RFC 5626 §4.4.1).
func (f *framer) skip() {
	if f.scanned > 0 || f.head > 0 {
		return
	}
	for f.start < f.end {
		switch c := f.buf[f.start]; {
		case c == '\r' && f.start+1 == f.end:
			return
		case c == '\r' && f.buf[f.start+1] == '\n':
			f.start += 2
			f.crlf(time.Now())
		case c == '\r', c == '\n', c == 0:
			f.start++
		default:
			return
		}
	}
}

func (f *framer) crlf(now time.Time) {
	if f.blank.IsZero() || now.Sub(f.blank) > pingGap {
		f.blank = now
		return
	}
	f.blank = time.Time{}
	f.pinged()
}

// measure finds the end of the header section, and the size of the body in it.
func (f *framer) measure(data []byte) (whole bool, err error) {
	for f.head == 0 {
		i := bytes.IndexByte(data[f.scanned:], '\n')
		if i < 0 {
			f.scanned = len(data)
			if f.tooLong(len(data)) || f.line == 0 && len(data) > maxStartLine {
				return false, broken(513, data, "header section too large")
			}
			return false, nil
		}
		end := f.scanned + i
		line := bytes.TrimSuffix(data[f.line:end], []byte("\r"))
		switch {
		case f.tooLong(end + 1):
			return false, broken(513, data[:f.line], "header section too large")
		case f.line == 0 && !startsMessage(line):
			return false, broken(400, nil, "not SIP")
		case len(line) == 0:
			f.head = end + 1
		}
		f.line, f.scanned = end+1, end+1
		if f.head > 0 {
			if f.body, err = contentLength(data[:f.head]); err != nil {
				return false, err
			}
			if n := f.head + f.body; n > strangeMost && !f.trusted() {
				return false, broken(413, data[:f.head], "message too large")
			}
		}
	}
	return true, nil
}

func startsMessage(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	last := line[bytes.LastIndexByte(line, ' ')+1:]
	return hasVersion(line) || hasVersion(last)
}

func hasVersion(b []byte) bool { return len(b) >= 4 && bytes.EqualFold(b[:4], []byte("SIP/")) }

// contentLength reads the one Content-Length of a header section. Over a stream
// it is not optional (RFC 3261 §20.14), and two that differ are a smuggled
// message.
func contentLength(head []byte) (int, error) {
	length := -1
	for rest := head; len(rest) > 0; {
		var line []byte
		line, rest = unfolded(rest)
		name, value, ok := bytes.Cut(line, []byte(":"))
		if name = bytes.Trim(name, " \t"); !ok || !bytes.EqualFold(name, []byte("content-length")) && !bytes.EqualFold(name, []byte("l")) {
			continue
		}
		n, err := size(bytes.Trim(value, " \t\r\n"))
		switch {
		case err != nil:
			return 0, broken(400, head, err.Error())
		case length >= 0 && n != length:
			return 0, broken(400, head, "two Content-Lengths")
		case n > maxBody:
			return 0, broken(413, head, "body too large")
		}
		length = n
	}
	if length < 0 {
		return 0, broken(400, head, "no Content-Length")
	}
	return length, nil
}

// unfolded is the first line of head with those that continue it (RFC 3261
// §7.3.1); they need not be joined to be read as a number.
func unfolded(head []byte) (line, rest []byte) {
	for end := 0; ; {
		i := bytes.IndexByte(head[end:], '\n')
		if i < 0 {
			return head, nil
		}
		end += i + 1
		if end == len(head) || head[end] != ' ' && head[end] != '\t' {
			return head[:end], head[end:]
		}
	}
}

var errSize = errors.New("malformed Content-Length")

func size(digits []byte) (int, error) {
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' || n > (math.MaxInt32-9)/10 {
			return 0, errSize
		}
		n = 10*n + int(c-'0')
	}
	if len(digits) == 0 {
		return 0, errSize
	}
	return n, nil
}

// more reads once, and makes room for it first.
func (f *framer) more() error {
	switch {
	case f.start == f.end:
		f.start, f.end = 0, 0
		if len(f.buf) > keptBuffer || f.buf == nil {
			f.buf = make([]byte, firstBuffer)
		}
	case f.end == len(f.buf) && f.start > 0:
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	case f.end == len(f.buf):
		bigger := make([]byte, min(2*len(f.buf), maxHead+maxBody))
		copy(bigger, f.buf)
		f.buf = bigger
	}
	n, err := f.r.Read(f.buf[f.end:])
	f.end += n
	if n == 0 && err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}
