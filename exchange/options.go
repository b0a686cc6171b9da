package exchange

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"b2bua/media"

	"github.com/miekg/dns"
)

// Options replace what a test wants to hold in its own hands: the clock, the
// network, the resolver. Log is needed; the rest may be left out.
type Options struct {
	Log *slog.Logger
	// Now is the wall clock: schedules, records and events read it. Timers do
	// not.
	Now func() time.Time
	// ListenPacket and MediaListen open UDP sockets for SIP and RTP.
	ListenPacket func(network, addr string) (net.PacketConn, error)
	MediaListen  func(netip.AddrPort) (media.Conn, error)
	// ListenStream and DialStream are the same for connections, of SIP over TCP,
	// TLS and WebSocket. DialStream connects from an address of ours, any when it
	// is unspecified.
	ListenStream func(network, addr string) (net.Listener, error)
	DialStream   func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)
	// Resolve finds the addresses of trunk hosts and SIP targets, DNS asks a name
	// server for other records, too.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	DNS     func(ctx context.Context, query *dns.Msg, server, network string) (*dns.Msg, error)
	// Dial connects to webhooks, once their address was checked.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Pick draws a number from 0 to n-1 for the weights of trunks.
	Pick func(n int) int
	// Random gives a number from 0 up to 1: how much of an interval of registrations
	// and probes is left to chance.
	Random func() float64
	// MailTrust is whose certificates the mail server may have; nil: those that the
	// system trusts.
	MailTrust *tls.Config
	// HouseEvery is how often what is too old is deleted and what is missing looked
	// for; 0 means an hour. The copies of the database come every 24th time.
	HouseEvery time.Duration
	// Version of the product, shown by the API.
	Version string
	// NoSpeechAhead leaves the texts that are saved to be spoken when a caller is to
	// hear them.
	NoSpeechAhead bool
	// NoHTTP leaves the API's listener out; Handler still serves it.
	NoHTTP bool
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.HouseEvery == 0 {
		o.HouseEvery = time.Hour
	}
	return o
}
