package media

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/dtmf"
	"b2bua/media/codec"
	"b2bua/media/port"
	"b2bua/media/sdp"
	"b2bua/media/srtp"
)

// Errors of sessions.
var (
	// ErrNoCommonCodec: 488.
	ErrNoCommonCodec = sdp.ErrNoCommonCodec
	// ErrClosed: the session is closed.
	ErrClosed = errors.New("media: session closed")
	// ErrNotNegotiated: there is no stream to do this on yet.
	ErrNotNegotiated = errors.New("media: nothing negotiated yet")
)

// Options shape one session.
type Options struct {
	// Codecs are the codecs to offer and accept, best first. Nil: all
	// that this machine has.
	Codecs []string
	// Prefer is taken when the far end has it too, wherever it stands in its
	// list: what the other leg of the call speaks.
	Prefer string
	// Timeout is how long the stream may be silent before OnLost; zero: the
	// engine's.
	Timeout time.Duration
	// Digits is how they travel, one of the Digits constants; empty is
	// DigitsAuto, or DigitsInfo with SendDigit.
	Digits string
	// OnDigit is told of every digit, once, when the key is released.
	OnDigit func(dtmf.Digit)
	// OnLost is told when nothing has come for Timeout, and again every Timeout
	// while that lasts: whoever had no use for it at first, before the answer
	// say, need not remember. Time on hold does not count. It is told of a leg
	// that a fault of the program has ended, too.
	OnLost func()
	// OnWorn is told when a key of the encryption will soon have been used for all the
	// packets it is good for (RFC 3711 §9.2): Renew and a new offer bring another. It
	// is told once more, with spent, when that has not been done in time: nothing is
	// sent, or heard, any more.
	OnWorn func(spent bool)
	// SendDigit takes the digits for a far end that wants them by signalling: no
	// telephone-events are offered then, and none sent. It must not block.
	SendDigit func(dtmf.Digit)
	// SRTP is off (or empty), optional or required: whether the sound is encrypted,
	// with keys in the descriptions (RFC 3711, RFC 4568).
	SRTP string
	// Log is the call's logger; nil: the engine's.
	Log *slog.Logger
}

// eventPT is the payload type we offer telephone-events under; everybody does.
const eventPT = 101

// formats names the codecs in SDP's terms, those this build does not have left
// out.
func (o Options) formats() ([]sdp.Format, error) {
	names := o.Codecs
	if len(names) == 0 {
		names = codec.Default()
	}
	formats := make([]sdp.Format, 0, len(names))
	for _, n := range names {
		i, ok := codec.Lookup(n)
		if !ok {
			continue
		}
		// A payload type of -1 becomes one above 127: a dynamic one (sdp.Format).
		formats = append(formats, sdp.Format{PT: uint8(i.PayloadType), Name: i.Name, Rate: i.ClockRate, Channels: i.Channels, FMTP: i.FMTP})
	}
	if len(formats) == 0 {
		return nil, fmt.Errorf("media: none of the codecs %q", names)
	}
	return formats, nil
}

// Session is the sound of one leg. Its methods may be called from any goroutine,
// but not by taps and sources, and Close not by callbacks either.
type Session struct {
	*lane // what every packet touches

	// This is the shard's too: its lock guards it.
	secrecy *secrecy // nil: the sound is in the clear
	count   tally
	in      receiver
	leg     leg
	phase   int
	rtcp    port.Socket
	trusted netip.Addr     // where signalling came from
	before  *srtp.Receiver // of the far end's key before, while it is in use; nil: it is not
	digits  keypad         // digits heard
	report  report         // RTCP
	fault   fault          // what a panic left of it
	proof   unanswered
	mail    mailbox // with a lock of its own

	engine  *Engine
	opts    Options
	log     *slog.Logger
	opened  time.Duration
	port    int
	closing sync.Once
	shard   atomic.Pointer[shard]
	terms   atomic.Pointer[terms] // what was negotiated

	// mu guards what offer and answer need.
	mu       sync.Mutex
	local    sdp.Local
	versions *sdp.Versions
	pending  *sdp.Local     // what our last offer offered
	theirs   sdp.Origin     // of the far end's last description
	holding  bool           // we hold the far end
	told     netip.AddrPort // the last remote with an address
	secret   *secrecy       // that of the last agreement
}

// tally is what Stats shows beside what came and went.
type tally struct {
	refusals     refusals
	unsent, late uint64
	concealed    time.Duration
	sign         time.Duration // when a packet came last that was let in and is of no format we know
}

func newSession(e *Engine, o Options, formats []sdp.Format, at int, rtp, rtcp port.Socket) *Session {
	log := o.Log
	if log == nil {
		log = e.log
	}
	if o.Timeout == 0 {
		o.Timeout = e.cfg.Timeout
	}
	s := &Session{lane: &lane{rtp: rtp}, engine: e, opts: o, log: log, opened: e.now(), port: at, rtcp: rtcp}
	s.session = s
	s.local = sdp.Local{
		Addr: e.cfg.Advertise, Port: at, RTCP: at + 1, Codecs: formats,
		Prefer: o.Prefer, EventPT: eventPT, RTCPMux: true, Direction: sdp.SendRecv,
		Origin: sdp.Origin{Addr: e.cfg.Advertise}, Own: e.own.has,
	}
	if d := o.digits(); d == DigitsTones || d == DigitsInfo {
		s.local.EventPT = sdp.NoPT
	}
	if s.local.SRTP = sdp.ParsePolicy(o.SRTP); s.local.SRTP != sdp.Off {
		s.local.Keys = srtp.NewSet()
	}
	s.versions = sdp.NewVersions(uint64(rand.Uint32N(1<<31)) + 1)
	s.out.init()
	s.leg.init()
	s.report.init(e.nextID.Add(1), s.out.ssrc, s.opened)
	return s
}

// polled gives the sockets that the shard has to hear itself; with their owners.
func (s *Session) polled() []*port.FD {
	var fds []*port.FD
	for i, c := range []port.Socket{s.rtp, s.rtcp} {
		if fd, ok := c.(*port.FD); ok {
			fd.Owner, fd.Tag = s.lane, i
			fds = append(fds, fd)
		}
	}
	return fds
}

// readers gives those that have a goroutine instead.
func (s *Session) readers() []*port.Reader {
	var rs []*port.Reader
	for _, c := range []port.Socket{s.rtp, s.rtcp} {
		if r, ok := c.(*port.Reader); ok {
			rs = append(rs, r)
		}
	}
	return rs
}

// listen starts the readers.
func (s *Session) listen() {
	for i, r := range s.readers() {
		r.Start(maxPacket, func(b []byte, from netip.AddrPort) { s.arrived(i, b, from) })
	}
}

// Close ends the session: what plays is done, the bridge is parted, the ports
// are returned. It may be called again, and waits for the readers every time.
func (s *Session) Close() {
	s.closing.Do(func() {
		if err := s.engine.forget(s); err != nil {
			s.log.Warn("media port not closed", "port", s.port, "err", err)
		}
		for _, r := range s.readers() {
			r.Wait()
		}
		s.engine.ports.release(s.port)
	})
}

// hangUp closes the sockets.
func (s *Session) hangUp() error { return errors.Join(s.rtp.Close(), s.rtcp.Close()) }

// silence ends what the shard had to do with the leg; its lock is held.
func (s *Session) silence() {
	s.leg.gone = true
	if p := s.leg.play; p != nil {
		p.end(false)
	}
	s.leg.play = nil
	s.leg.over.stop()
	s.leg.taps = nil
	s.route = nil
}

// SendDigits sends digits to the far end, each for duration and followed by
// gap (zero: the defaults), as telephone-events or, when the far end has none,
// as tones. Sound pauses meanwhile. With Options.SendDigit they go there instead.
// It returns at once.
func (s *Session) SendDigits(digits string, duration, gap time.Duration) error {
	if s.terms.Load() == nil {
		return ErrNotNegotiated
	}
	if s.opts.SendDigit != nil {
		return s.signalDigits(digits, duration)
	}
	err := ErrClosed
	s.clocked(func() {
		if !s.leg.gone {
			err = s.leg.sender.Queue(digits, duration, gap)
		}
	})
	return err
}
