package call

import (
	"math"
	"slices"
	"time"

	"b2bua/events"
)

// heard writes down how the sound of a leg was, when it is about to be closed; a
// leg that was never described has none. On the loop.
func (c *Call) heard(l *leg) {
	if l.sound == nil {
		return
	}
	s := l.sound.Stats()
	if s.Codec == "" || s.PacketsReceived+s.PacketsSent == 0 {
		return
	}
	c.record.Quality = append(c.record.Quality, events.Quality{
		Leg: l.name, Via: l.via, Codec: s.Codec, Encryption: s.Encryption,
		Received: s.PacketsReceived, Sent: s.PacketsSent, Refused: s.Refused,
		Lost: rounded(s.MissedRatio(), 1e4), Jitter: seconds(s.Jitter), RTT: seconds(s.RTT), MOS: rounded(s.MOS(), 100),
		FarLost: rounded(s.RemoteLost, 1e4),
	})
}

// quality is what the last event says of the sound.
func (c *Call) quality() []events.Quality { return slices.Clone(c.record.Quality) }

func rounded(x, per float64) float64 { return math.Round(x*per) / per }

func seconds(d time.Duration) float64 { return rounded(d.Seconds(), 1e5) }
