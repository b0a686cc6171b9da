package sip_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2bua/sip"
)

// deaf is a TCP address that lets nobody connect and refuses nobody either,
// until it wakes up.
type deaf struct {
	t    *testing.T
	fd   int
	addr string
}

func newDeaf(t *testing.T) *deaf {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	d := &deaf{t: t, fd: fd, addr: fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)}
	for range 3 { // more than the backlog holds
		if c, err := net.DialTimeout("tcp", d.addr, 200*time.Millisecond); err == nil {
			t.Cleanup(func() { c.Close() })
		}
	}
	return d
}

// wake accepts from now on and gives the first line of each request.
func (d *deaf) wake() <-chan string {
	d.t.Helper()
	f := os.NewFile(uintptr(d.fd), "listener")
	l, err := net.FileListener(f)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = f.Close()
	d.t.Cleanup(func() { l.Close() })
	got := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for s := bufio.NewScanner(c); s.Scan(); {
					if strings.HasSuffix(s.Text(), " SIP/2.0") {
						got <- s.Text()
					}
				}
			}()
		}
	}()
	return got
}

// Calls to a trunk that cannot be reached fail together, and are not made up for
// when it is back.
func TestNoCallWaitsForATrunkThatIsDown(t *testing.T) {
	trunk := newDeaf(t)
	ep, _ := serve(t, decline{}, "tcp://127.0.0.1:0")
	b := &bench{t: t, ep: ep}
	target := sip.Target{URI: "sip:" + trunk.addr + ";transport=tcp"}
	start := time.Now()
	var owners []*owner
	for i := range 8 {
		owners = append(owners, b.dial(sip.Dial{Target: target, To: fmt.Sprint(i)}))
	}
	for _, o := range owners {
		if ev := told[sip.Rejected](o); ev.Code != 503 {
			t.Errorf("rejected %+v", ev)
		}
	}
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("the last call failed after %v", took)
	}
	// One that its caller gives up while it waits is not sent either.
	gone := b.dial(sip.Dial{Target: target, To: "gone"})
	behind := b.dial(sip.Dial{Target: target, To: "behind"})
	behind.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
	got := trunk.wake()
	line := <-got
	if !strings.HasPrefix(line, "INVITE sip:gone@") {
		t.Errorf("the trunk, back again, gets %s", line)
	}
	b.dial(sip.Dial{Target: target, To: "fresh"})
	if line := <-got; !strings.HasPrefix(line, "INVITE sip:fresh@") {
		t.Errorf("the trunk, back again, gets %s", line)
	}
	gone.do(func(l *sip.Leg) { l.Hangup(sip.Reason{}) })
}
