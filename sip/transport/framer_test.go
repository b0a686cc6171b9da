package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func sipText(body string) string {
	return "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1" +
		fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func yes() bool { return true }
func no() bool  { return false }

// cut reads all messages of a stream.
func cut(r io.Reader) (messages []string, pings int, err error) {
	f := framer{r: r, pinged: func() { pings++ }, trusted: yes}
	for {
		m, err := f.next()
		if err != nil {
			return messages, pings, err
		}
		messages = append(messages, string(m))
	}
}

func TestMessagesAreCutOut(t *testing.T) {
	one, two := sipText("hello"), strings.Replace(sipText(""), "Content-Length:", "l :", 1)
	folded := strings.Replace(sipText("abc"), "Content-Length: 3", "Content-Length:\r\n 3", 1)
	bare := strings.ReplaceAll(sipText("x"), "\r\n", "\n")
	text := "\r\n\r\n" + one + two + "\r\n" + folded + bare + "\r\n\r\n" + one
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(text), "octet by octet": iotest.OneByteReader(strings.NewReader(text)),
		"by halves": iotest.HalfReader(strings.NewReader(text)),
	} {
		got, pings, err := cut(r)
		if !errors.Is(err, io.EOF) || strings.Join(got, "|") != strings.Join([]string{one, two, folded, bare, one}, "|") || pings != 2 {
			t.Errorf("%s: %d pings, %v, %q", name, pings, err, got)
		}
	}
}

func TestPing(t *testing.T) {
	f := framer{}
	n := 0
	f.pinged = func() { n++ }
	now := time.Now()
	f.crlf(now)
	f.crlf(now.Add(30 * time.Second)) // a phone that sends one now and then
	if n != 0 {
		t.Error("two single ones are no ping")
	}
	f.crlf(now.Add(30*time.Second + time.Millisecond))
	if n != 1 {
		t.Error("a ping was not heard")
	}
}

func TestBrokenStreams(t *testing.T) {
	with := func(lines ...string) string {
		return "INVITE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"no length":      {with("CSeq: 1 INVITE"), 400},
		"two lengths":    {with("Content-Length: 3", "l: 4"), 400},
		"negative":       {with("Content-Length: -1"), 400},
		"2^31":           {with("Content-Length: 2147483648"), 400},
		"2^64":           {with("Content-Length: 18446744073709551616"), 400},
		"words":          {with("Content-Length: many"), 400},
		"empty":          {with("Content-Length:"), 400},
		"too large":      {with("Content-Length: 65537"), 413},
		"HTTP":           {"GET / HTTP/1.1\r\n\r\n", 400},
		"TLS":            {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n", 400},
		"endless line":   {strings.Repeat("x", 20<<10), 513},
		"endless header": {with(strings.Repeat("X: y\r\n", 50_000)), 513},
	} {
		_, _, err := cut(strings.NewReader(c.text))
		var b *BrokenError
		if !errors.As(err, &b) || b.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if b != nil && len(b.Head) > maxHead+1 {
			t.Errorf("%s: %d octets kept", name, len(b.Head))
		}
	}
	if got, _, err := cut(strings.NewReader(with("Content-Length: 0", "Content-Length: 0"))); len(got) != 1 || !errors.Is(err, io.EOF) {
		t.Errorf("the same length twice: %v", err)
	}
}

// endless gives a header section without end and counts what was taken of it.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	line := "X: y\r\n"
	if e.n == 0 {
		line = "OPTIONS sip:a@b SIP/2.0\r\n"
	}
	n := copy(b, line)
	e.n += n
	return n, nil
}

func TestHeadersAreBounded(t *testing.T) {
	for most, known := range map[int]func() bool{maxHead: yes, strangeMost: no} {
		e := &endless{}
		f := framer{r: e, pinged: func() {}, trusted: known}
		if _, err := f.next(); err == nil || e.n > most+firstBuffer || len(f.buf) > 2*most {
			t.Errorf("%v after %d octets, buffer %d", err, e.n, len(f.buf))
		}
	}
}

// A stranger says what a call needs, and no more: the memory that connections
// can fill is that of those who are known.
func TestAttack06StrangersHaveSmallBuffers(t *testing.T) {
	for size, code := range map[int]int{strangeMost: 0, strangeMost + 1: 413, maxBody: 413} {
		text := sipText(strings.Repeat("x", size-len(sipText(""))-4)) // 4 more digits of Content-Length
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			f := framer{r: r, pinged: func() {}, trusted: no}
			m, err := f.next()
			var b *BrokenError
			if errors.As(err, &b) && b.Code != code || code == 0 && (err != nil || len(m) != size) || code != 0 && b == nil || len(f.buf) > strangeMost {
				t.Errorf("%d octets: %v, %d, buffer %d", size, err, len(m), len(f.buf))
			}
		}
	}
}

// What a connection proves opens it for more.
func TestLargeMessagesOnceKnown(t *testing.T) {
	big := sipText(strings.Repeat("x", 40<<10))
	for _, known := range []bool{true, false} {
		play(t, "tcp", func(w *world) {
			c := w.dial()
			write(c, sipText("who I am"))
			pass()
			if known {
				w.mu.Lock()
				w.keeps = time.Minute
				w.mu.Unlock()
			}
			write(c, sipText("again")) // after which it is looked at
			pass()
			go write(c, big)
			pass()
			w.mu.Lock()
			defer w.mu.Unlock()
			if got := len(w.got) == 3 && w.got[2] == big; got != known || (len(w.broken) == 1) == known {
				t.Errorf("known %v: %d messages, broken %v", known, len(w.got), w.broken)
			}
		})
	}
}

func TestNothingIsAllocatedForAPromise(t *testing.T) {
	text := "INVITE sip:a@b SIP/2.0\r\nContent-Length: 65536\r\n\r\nonly this"
	f := framer{r: strings.NewReader(text), pinged: func() {}, trusted: yes}
	if _, err := f.next(); !errors.Is(err, io.EOF) || len(f.buf) > firstBuffer {
		t.Errorf("%v, buffer %d", err, len(f.buf))
	}
}

// Cutting a stream at any places gives the same messages.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("\r\n\r\n"+sipText("hello")+sipText("")), uint8(1))
	f.Add([]byte("SIP/2.0 200 OK\nl:\n\t1\n\nx\r\n"), uint8(3))
	f.Add([]byte("INVITE a SIP/2.0\r\nContent-Length: 9999999999\r\n\r\n"), uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		whole, pings, err := cut(bytes.NewReader(data))
		parts, again, err2 := cut(&steps{data, max(1, int(step))})
		if fmt.Sprint(whole, pings, err) != fmt.Sprint(parts, again, err2) {
			t.Errorf("%q %d %v\n%q %d %v", whole, pings, err, parts, again, err2)
		}
		for _, m := range whole {
			if len(m) > maxHead+maxBody {
				t.Errorf("%d octets", len(m))
			}
		}
	})
}

type steps struct {
	data []byte
	n    int
}

func (s *steps) Read(b []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), s.n)], s.data)
	s.data = s.data[n:]
	return n, nil
}
