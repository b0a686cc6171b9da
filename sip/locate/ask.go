package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	attemptTime = time.Second // for one server, before the next is asked
	rounds      = 3
	packetSize  = 1232 // EDNS0: what no path fragments
)

var (
	errMismatch = errors.New("the reply is to another question")
	errNoServer = errors.New("no DNS server in /etc/resolv.conf; set sip.dns")
)

// ask puts a question to whoever knows.
func (r *Resolver) ask(ctx context.Context, k key) (answer, error) {
	if k.kind == typeHosts {
		return r.askHosts(ctx, k.name)
	}
	name, ttl := k.name, maxFresh
	for range maxAliases {
		m, err := r.query(ctx, name, k.kind)
		if err != nil {
			return answer{}, err
		}
		a, next, err := read(m, name, k.kind)
		if err != nil {
			return answer{}, err
		}
		ttl = min(ttl, a.ttl)
		if next == "" {
			a.ttl = ttl
			return a, nil
		}
		name = next
	}
	return answer{}, errAliases
}

func (r *Resolver) askHosts(ctx context.Context, name string) (answer, error) {
	addrs, err := r.cfg.Hosts(ctx, name)
	var none *net.DNSError
	switch {
	case errors.As(err, &none) && none.IsNotFound:
		return answer{ttl: minFresh}, nil
	case err != nil:
		return answer{}, err
	}
	return answer{addrs: addrs[:min(len(addrs), maxAddrs)], ttl: hostsFresh}, nil
}

// query asks the servers in turn, the one that answered last first.
func (r *Resolver) query(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	list, err := r.servers.list(r.cfg)
	if err != nil {
		return nil, err
	}
	begin := int(r.good.Load())
	err = errSlow
	for round := range rounds {
		silent := false
		for i := range list {
			if ctx.Err() != nil {
				return nil, err
			}
			at := (begin + i) % len(list)
			m, failure := r.attempt(ctx, name, kind, list[at], time.Duration(round+1)*attemptTime)
			if failure == nil {
				r.good.Store(uint32(at))
				return m, nil
			}
			err = fmt.Errorf("ask %s: %w", list[at], failure)
			silent = silent || errors.Is(failure, errSlow) || errors.Is(failure, context.DeadlineExceeded)
		}
		if !silent { // they will say the same again
			return nil, err
		}
	}
	return nil, err
}

// attempt asks one server: over UDP, over TCP when the answer is too long for
// that (RFC 7766 §5), without EDNS0 when the server does not know it.
func (r *Resolver) attempt(ctx context.Context, name string, kind uint16, server string, limit time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m, err := r.exchange(ctx, name, kind, server, "udp", true)
	if err == nil && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented) {
		m, err = r.exchange(ctx, name, kind, server, "udp", false)
	}
	if err == nil && m.Truncated {
		m, err = r.exchange(ctx, name, kind, server, "tcp", true)
	}
	switch {
	case err != nil:
		return nil, err
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("the name server says %s", dns.RcodeToString[m.Rcode])
	}
	return m, nil
}

func (r *Resolver) exchange(ctx context.Context, name string, kind uint16, server, network string, edns bool) (*dns.Msg, error) {
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind) // with a random id
	if edns {
		query.SetEdns0(packetSize, false)
	}
	do := r.cfg.Exchange
	if do == nil {
		do = onTheWire
	}
	reply, err := do(ctx, query, server, network)
	if err != nil {
		return nil, err
	}
	if !answers(query, reply) {
		return nil, errMismatch
	}
	return reply, nil
}

// onTheWire uses a socket, and so a port, of its own for each question. What
// does not answer it is ignored: a forger must not be able to end the wait.
func onTheWire(ctx context.Context, query *dns.Msg, server, network string) (*dns.Msg, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	c := &dns.Conn{Conn: conn, UDPSize: packetSize}
	if err := c.WriteMsg(query); err != nil {
		return nil, err
	}
	for {
		reply, err := c.ReadMsg()
		var broken net.Error
		switch {
		case err == nil && answers(query, reply):
			return reply, nil
		case ctx.Err() != nil:
			return nil, errSlow
		case errors.As(err, &broken) || err != nil && network != "udp":
			return nil, err
		}
	}
}

// servers are those of the configuration, or of the system, which may change.
type servers struct {
	mu   sync.Mutex
	read time.Time
	kept []string
}

const reread = time.Minute

func (s *servers) list(cfg Config) ([]string, error) {
	if len(cfg.Servers) > 0 {
		return cfg.Servers, nil
	}
	if cfg.Exchange != nil {
		return []string{"192.0.2.53:53"}, nil // TEST-NET-1, RFC 5737
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := cfg.Now()
	if len(s.kept) > 0 && now.Sub(s.read) < reread {
		return s.kept, nil
	}
	conf, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("find the DNS servers: %w", err)
	}
	if len(conf.Servers) == 0 {
		return nil, errNoServer
	}
	s.kept, s.read = nil, now
	for _, a := range conf.Servers {
		s.kept = append(s.kept, net.JoinHostPort(a, conf.Port))
	}
	return s.kept, nil
}
