package peers

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// registrar answers whatever comes by UDP with 200, at once, and remembers what it was.
type registrar struct {
	t    *testing.T
	conn *net.UDPConn
	mu   sync.Mutex
	seen map[string]map[string]bool // by method, the branches
	more chan struct{}
}

func startRegistrar(t *testing.T) *registrar {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(Loopback+":0")))
	if err != nil {
		t.Fatal(err)
	}
	r := &registrar{t: t, conn: conn, seen: map[string]map[string]bool{}, more: make(chan struct{})}
	var done sync.WaitGroup
	done.Go(r.serve)
	t.Cleanup(func() {
		conn.Close()
		done.Wait()
	})
	return r
}

func (r *registrar) address() string { return r.conn.LocalAddr().String() }

func (r *registrar) serve() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		request := string(buf[:n])
		method, _, _ := strings.Cut(request, " ")
		r.note(method, branchOf.FindString(request))
		if method != "SIP/2.0" && method != "ACK" {
			_, _ = r.conn.WriteToUDPAddrPort([]byte(r.granted(request)), from)
		}
	}
}

var (
	branchOf = regexp.MustCompile(`branch=[^;\r]*`)
	echoed   = regexp.MustCompile(`(?m)^(Via|From|Call-ID|CSeq|To):.*$`)
)

func (r *registrar) granted(request string) string {
	answer := "SIP/2.0 200 OK\r\n"
	for _, h := range echoed.FindAllString(request, -1) {
		if h = strings.TrimSpace(h); strings.HasPrefix(h, "To:") {
			h += ";tag=r"
		}
		answer += h + "\r\n"
	}
	return answer + "Contact: <sip:" + r.address() + ">;expires=300\r\nExpires: 300\r\nContent-Length: 0\r\n\r\n"
}

func (r *registrar) note(method, branch string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[method] == nil {
		r.seen[method] = map[string]bool{}
	}
	r.seen[method][branch] = true
	close(r.more)
	r.more = make(chan struct{})
}

func (r *registrar) count(method string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen[method])
}

func (r *registrar) await(method string, within time.Duration) {
	r.t.Helper()
	late := time.After(within)
	for {
		r.mu.Lock()
		n, more := len(r.seen[method]), r.more
		r.mu.Unlock()
		if n > 0 {
			return
		}
		select {
		case <-more:
		case <-late:
			r.t.Fatalf("no %s within %v", method, within)
		}
	}
}
