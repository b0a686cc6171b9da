package guard

import (
	"net"
	"net/netip"
)

// Serve runs serve, a SIP stack's read loop, over the Conn until the Conn is
// closed, and returns what serve then returned.
//
// The stack remembers every source it hears and forgets them when its reader
// ends, so the reader is ended (with net.ErrClosed) and begun anew after
// MaxPeers sources. Nothing else notices: each reader has a net.PacketConn of
// its own, and writes on a former one go on working.
func (c *Conn) Serve(serve func(net.PacketConn) error) error {
	for {
		err := serve(&generation{Conn: c, peers: make(map[netip.AddrPort]struct{})})
		select {
		case <-c.done:
			return err
		default:
		}
		if err != nil {
			return err
		}
	}
}

// generation is the Conn for the time of one reader.
type generation struct {
	*Conn
	peers map[netip.AddrPort]struct{}
	over  bool
}

func (g *generation) ReadFrom(b []byte) (int, net.Addr, error) {
	if len(g.peers) >= g.cfg.MaxPeers {
		g.over = true
	}
	if g.over {
		return 0, nil, net.ErrClosed
	}
	n, from, err := g.read(b)
	if err != nil {
		return 0, nil, err
	}
	g.peers[from] = struct{}{}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// Close ends nothing: a reader that ended by itself must not take the socket
// with it.
func (g *generation) Close() error { return nil }
