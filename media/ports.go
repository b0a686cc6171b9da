package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/media/port"
)

// ErrNoPorts says that no pair of ports is free; the call that wanted one gets
// a 503.
var ErrNoPorts = errors.New("media: no free port pair")

const (
	// coolDown keeps a pair unused after its call, so that what is still under
	// way to the old call does not reach the next one.
	coolDown = 5 * time.Second
	// openTries is how many pairs are tried when others hold their ports.
	openTries = 32
)

// ports hands out even/odd port pairs (RFC 3550 §11). Pairs wait in a queue,
// in random order at first, so that a stranger cannot guess the next call's
// port and the pair longest unused is taken.
type ports struct {
	mu    sync.Mutex
	bind  netip.Addr
	open  func(netip.AddrPort) (port.Socket, error)
	queue []pair
	inUse int
	held  [1 << 15]atomic.Bool // pairs in use, by half their even port; read with every packet from elsewhere
}

type pair struct {
	port  int
	freed time.Time // zero: never used
}

func newPorts(cfg Config) *ports {
	p := &ports{bind: cfg.Bind, open: cfg.listen}
	for n := (cfg.PortMin + 1) &^ 1; n+1 <= cfg.PortMax; n += 2 {
		p.queue = append(p.queue, pair{port: n})
	}
	rand.Shuffle(len(p.queue), func(i, j int) { p.queue[i], p.queue[j] = p.queue[j], p.queue[i] })
	return p
}

// take opens a pair. A pair some other program holds goes to the end of the
// queue.
func (p *ports) take() (rtp, rtcp port.Socket, at int, err error) {
	var last error
	for range openTries {
		at, ok := p.next()
		if !ok {
			break
		}
		rtp, rtcp, last = p.listen(at)
		if last == nil {
			return rtp, rtcp, at, nil
		}
		p.release(at)
	}
	if last != nil {
		return nil, nil, 0, fmt.Errorf("%w: %w", ErrNoPorts, last)
	}
	return nil, nil, 0, ErrNoPorts
}

func (p *ports) next() (at int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return 0, false
	}
	first := p.queue[0]
	if !first.freed.IsZero() && time.Since(first.freed) < coolDown {
		return 0, false
	}
	p.queue = p.queue[1:]
	p.inUse++
	p.held[first.port/2].Store(true)
	return first.port, true
}

func (p *ports) listen(at int) (rtp, rtcp port.Socket, err error) {
	rtp, err = p.open(netip.AddrPortFrom(p.bind, uint16(at)))
	if err != nil {
		return nil, nil, fmt.Errorf("open rtp port %d: %w", at, err)
	}
	rtcp, err = p.open(netip.AddrPortFrom(p.bind, uint16(at+1)))
	if err != nil {
		_ = rtp.Close() // it was never used
		return nil, nil, fmt.Errorf("open rtcp port %d: %w", at+1, err)
	}
	return rtp, rtcp, nil
}

func (p *ports) release(at int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, pair{port: at, freed: time.Now()})
	p.inUse--
	p.held[at/2].Store(false)
}

// holds says whether a port is one of a pair in use.
func (p *ports) holds(at uint16) bool { return p.held[at/2].Load() }

func (p *ports) used() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inUse
}
