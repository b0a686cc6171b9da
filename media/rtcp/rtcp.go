package rtcp

import (
	"errors"
	"time"
)

// Packet types (RFC 3550 §12.1).
const (
	senderReport      = 200
	receiverReport    = 201
	sourceDescription = 202
	goodbye           = 203
)

const (
	version  = 2 << 6
	padding  = 1 << 5
	header   = 4
	blockLen = 24
	cname    = 1 // of the items of a source description (RFC 3550 §6.5.1)
)

// ErrMalformed says that a datagram is no compound of RTCP packets.
var ErrMalformed = errors.New("rtcp: malformed")

// Block is what a receiver reports about one stream (RFC 3550 §6.4.1).
type Block struct {
	SSRC     uint32
	Fraction uint8  // lost since the last report, in 1/256
	Lost     int32  // in all; below 0 when packets came twice
	Highest  uint32 // sequence number, with its cycles
	Jitter   uint32 // in units of the stream's clock
	LastSR   uint32 // middle of the last sender report's time; 0: none came
	Delay    uint32 // since then, in 1/65536 s
}

// Sent is what a sender reports about its stream (RFC 3550 §6.4.1).
type Sent struct {
	NTP             uint64
	Time            uint32 // the same moment on the stream's clock
	Packets, Octets uint32
}

// RoundTrip is the way there and back: the report came at now, in NTP's time. ok
// is false without a sender report of ours that it answers, and for nonsense:
// more than a minute is no way.
func (b Block) RoundTrip(now uint64) (d time.Duration, ok bool) {
	if b.LastSR == 0 {
		return 0, false
	}
	units := int32(uint32(now>>16) - b.LastSR - b.Delay)
	if units < 0 {
		units = 0 // clocks have an end to their precision
		if int32(b.LastSR+b.Delay-uint32(now>>16)) > 1<<16/100 {
			return 0, false
		}
	}
	if units > 60<<16 {
		return 0, false
	}
	return time.Duration(uint64(units) * uint64(time.Second) >> 16), true
}

// NTP is a wall-clock time in seconds since 1900, in 1/2^32 s (RFC 3550 §4).
func NTP(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

const (
	minimum = 5 * time.Second
	half    = minimum / 2
)

// Interval is the time to the next report: five seconds, half of that before the
// first one, spread by half to either side so that calls that began together do
// not report together (RFC 3550 §6.2, §6.3.1). With two of a session nothing has to
// be scaled or reconsidered. random is from 0 to below 1.
func Interval(first bool, random float64) time.Duration {
	d := minimum
	if first {
		d = half
	}
	return time.Duration(float64(d) * (0.5 + random))
}
