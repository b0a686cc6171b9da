package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// asFarEnds makes the test binary be the far ends instead of testing anything.
const asFarEnds = "B2BUA_BENCH_FAR_ENDS"

func TestMain(m *testing.M) {
	if os.Getenv(asFarEnds) != "" {
		if err := serveFarEnds(os.Stdin, os.Stdout); err != nil {
			fmt.Println(err)
		}
		return
	}
	os.Exit(m.Run())
}

// farEnds are the callers and the trunk of many calls, in a process of their own.
type farEnds struct {
	b     *testing.B
	trunk string // where calls are answered
	in    io.Writer
	out   *bufio.Reader
}

func startFarEnds(b *testing.B) *farEnds {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), asFarEnds+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	f := &farEnds{b: b, in: in, out: bufio.NewReader(out)}
	f.trunk = f.reply()
	return f
}

// do has the far ends do something with so many calls, and waits until it is done.
func (f *farEnds) do(what string, calls int) {
	f.b.Helper()
	fmt.Fprintln(f.in, what, calls)
	if said := f.reply(); said != "done" {
		f.b.Fatalf("%s %d: %s", what, calls, said)
	}
}

func (f *farEnds) reply() string {
	f.b.Helper()
	line, err := f.out.ReadString('\n')
	if err != nil {
		f.b.Fatalf("the far ends: %v", err)
	}
	return line[:len(line)-1]
}

// serveFarEnds says where the trunk is, is told where the switch is, and then
// makes calls as it is told.
func serveFarEnds(in io.Reader, out io.Writer) error {
	trunk, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	_ = trunk.SetReadBuffer(4 << 20)
	heard, err := openSpeakers()
	if err != nil {
		return err
	}
	go heard.answer(trunk)
	fmt.Fprintln(out, trunk.LocalAddr())
	var to string
	var count int
	if _, err := fmt.Fscan(in, &to, &count); err != nil {
		return err
	}
	at, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		return err
	}
	conn, err := net.DialUDP("udp4", nil, at)
	if err != nil {
		return err
	}
	_ = conn.SetReadBuffer(4 << 20)
	c := &caller{conn: conn, us: conn.LocalAddr().String(), to: to, speakers: heard}
	fmt.Fprintln(out, "done")
	var what string
	for err == nil {
		if _, end := fmt.Fscan(in, &what, &count); end != nil {
			break // the benchmark is over
		}
		if err = c.do(what, count); err == nil {
			fmt.Fprintln(out, "done")
		}
	}
	return err
}

const withSound = "Content-Type: application/sdp\r\n"

// answer takes every call at once.
func (s *speakers) answer(conn *net.UDPConn) {
	buf, out := make([]byte, 65536), make([]byte, 0, 4096)
	contact := fmt.Sprintf("Contact: <sip:%s>\r\n", conn.LocalAddr())
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		req := buf[:n]
		if bytes.HasPrefix(req, []byte("ACK ")) || bytes.HasPrefix(req, []byte("SIP/2.0 ")) {
			continue
		}
		out = append(out[:0], "SIP/2.0 200 OK\r\n"...)
		for _, name := range []string{"Via", "From", "Call-ID", "CSeq", "To"} {
			out = append(append(append(append(out, name...), ": "...), field(req, name)...), "\r\n"...)
		}
		body := ""
		if bytes.HasPrefix(req, []byte("INVITE ")) {
			out = append(out[:len(out)-2], ";tag=trunk\r\n"+withSound...)
			body = s.trunk.sound()
			s.trunk.hears(req)
		}
		out = fmt.Appendf(out, "%sContent-Length: %d\r\n\r\n%s", contact, len(body), body)
		_, _ = conn.WriteToUDPAddrPort(out, from)
	}
}

// field is the value of a header that the switch wrote.
func field(message []byte, name string) []byte {
	_, rest, _ := bytes.Cut(message, []byte("\r\n"+name+": "))
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return value
}

// atOnce is how many calls are set up or ended at a time.
const atOnce = 64

// caller makes calls from one socket.
type caller struct {
	conn   *net.UDPConn
	us, to string
	calls  int               // in all
	held   map[string][]byte // To headers by Call-ID
	*speakers
}

func (c *caller) do(what string, count int) error {
	if what == "hangup" {
		return c.hangUp()
	}
	c.forget()
	return c.call(count, what == "hold")
}

// call makes calls, each ended as soon as it is up unless it is to be held.
func (c *caller) call(count int, hold bool) error {
	c.held = make(map[string][]byte)
	begun, over := 0, 0
	begin := func() {
		if begun < count {
			begun++
			c.calls++
			c.send("INVITE", fmt.Sprintf("call-%d", c.calls), []byte("<sip:"+did+"@"+c.to+">"), c.callers.sound())
		}
	}
	for range atOnce {
		begin()
	}
	for over < count {
		res, err := c.read()
		if err != nil {
			return fmt.Errorf("after %d of %d calls: %w", over, count, err)
		}
		method, id := bytes.TrimLeft(field(res, "CSeq"), "0123456789 "), string(field(res, "Call-ID"))
		_, known := c.held[id]
		switch final := bytes.HasPrefix(res, []byte("SIP/2.0 200 ")); {
		case bytes.HasPrefix(res, []byte("SIP/2.0 1")) || known && string(method) == "INVITE":
			continue
		case !final:
			return fmt.Errorf("%q", res)
		case string(method) == "INVITE":
			to := bytes.Clone(field(res, "To"))
			c.held[id] = to
			c.callers.hears(res)
			c.send("ACK", id, to, "")
			if !hold {
				c.send("BYE", id, to, "")
				continue
			}
		case hold:
			continue
		}
		over++
		begin()
	}
	return nil
}

// hangUp ends the calls that are held.
func (c *caller) hangUp() error {
	waiting := 0
	for id, to := range c.held {
		if waiting == atOnce {
			if _, err := c.read(); err != nil {
				return err
			}
			waiting--
		}
		c.send("BYE", id, to, "")
		waiting++
	}
	for ; waiting > 0; waiting-- {
		if _, err := c.read(); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) read() ([]byte, error) {
	buf := make([]byte, 4096)
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := c.conn.Read(buf)
	return buf[:n], err
}

func (c *caller) send(method, id string, to []byte, body string) {
	number, kind := 1, ""
	if method == "BYE" {
		number = 2
	}
	if body != "" {
		kind = withSound
	}
	_, _ = c.conn.Write(fmt.Appendf(nil, "%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s-%s\r\nMax-Forwards: 70\r\n"+
		"From: <sip:+14155552672@%s>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:caller@%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, did, c.to, c.us, id, method, c.us, id, to, id, number, method, c.us, kind, len(body), body))
}
