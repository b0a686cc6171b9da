package media

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"b2bua/dtmf"
	"b2bua/media/audio"
	"b2bua/media/sdp"
)

var (
	ErrNoCommonCodec = sdp.ErrNoCommonCodec
	ErrNoPorts       = errors.New("media: no free port pair")
	ErrClosed        = errors.New("media: session closed")
)

type Options struct {
	Codecs  []string // nil: PCMU, PCMA
	Prefer  string
	Timeout time.Duration
	OnDigit func(dtmf.Digit)
	OnLost  func()
	Log     *slog.Logger
}

type Engine struct{}

func New(cfg Config, log *slog.Logger) *Engine     { return &Engine{} }
func (e *Engine) Run(ctx context.Context) error    { return nil }
func (e *Engine) Sessions() int                    { return 0 }
func (e *Engine) PortsInUse() int                  { return 0 }
func (e *Engine) LateTicks() uint64                { return 0 }
func (e *Engine) Open(o Options) (*Session, error) { return nil, nil }

type Session struct{}

func (s *Session) Offer() []byte                       { return nil }
func (s *Session) Answer(offer []byte) ([]byte, error) { return nil, nil }
func (s *Session) Accept(answer []byte) error          { return nil }
func (s *Session) Codecs() []string                    { return nil }
func (s *Session) Codec() string                       { return "" }
func (s *Session) Held() bool                          { return false }

// SetHold: our own hold; the next Offer or Answer says sendonly.
func (s *Session) SetHold(on bool) {}

// ExpectFrom names the address the signalling came from: a stream from there is believed at once.
func (s *Session) ExpectFrom(a netip.Addr)                                     {}
func (s *Session) Play(src Source) *Playback                                   { return nil }
func (s *Session) AddTap(t Tap)                                                {}
func (s *Session) RemoveTap(t Tap)                                             {}
func (s *Session) SendDigits(digits string, duration, gap time.Duration) error { return nil }
func (s *Session) Stats() Stats                                                { return Stats{} }
func (s *Session) Close()                                                      {}
func Bridge(a, b *Session)                                                     {}
func Unbridge(a, b *Session)                                                   {}

// Source fills dst with the next 20 ms at 8 kHz; more is false with the last frame.
type Source interface{ Frame(dst []int16) (more bool) }

func ClipSource(clip audio.Clip, loop bool) Source { return nil }
func Ringback() Source                             { return nil } // US, 440+480 Hz
func RingbackEU() Source                           { return nil } // 425 Hz
func Busy() Source                                 { return nil }
func Beep(d time.Duration, level float64) Source   { return nil } // 1000 Hz, level in dBm0
func Silence(d time.Duration) Source               { return nil }

type Playback struct{}

func (p *Playback) Done() <-chan struct{} { return nil }
func (p *Playback) Stop()                 {}
func (p *Playback) Finished() bool        { return false }
func (p *Playback) Played() time.Duration { return 0 }

type Direction uint8

const (
	In  Direction = iota // heard from the far end
	Out                  // sent to the far end
)

type TapFrame struct {
	Dir      Direction
	Tick     uint64 // 20 ms ticks of the session; In and Out share them
	Rate     int
	FromPeer bool // Out only: the bridge peer's voice
	PCM      []int16
}
type Tap interface{ Frame(f TapFrame) }

type Stats struct {
	Codec           string
	Relayed         bool // what the far end hears comes straight from the bridge peer
	Local           netip.AddrPort
	Remote          netip.AddrPort
	PacketsReceived uint64
	BytesReceived   uint64
	PacketsSent     uint64
	BytesSent       uint64
	Lost            uint64
	Late            uint64
	Duplicates      uint64
	Concealed       uint64
	Refused         uint64 // packets from strangers
	Invalid         uint64 // not RTP of this session
	Digits          uint64
	Jitter          time.Duration
	RTT             time.Duration
	RemoteLost      float64
	RemoteJitter    time.Duration
}
