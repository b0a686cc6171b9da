package codec

import (
	"strconv"
	"strings"

	libopus "b2bua/media/opus"
)

// Names of the codecs as SDP writes them (RFC 3551 §6, RFC 7587 §6.1).
const (
	PCMU = "PCMU"
	PCMA = "PCMA"
	G722 = "G722"
	Opus = "opus"
	L16  = "L16"
)

// Codec turns samples into payload octets and back. Neither method allocates.
type Codec interface {
	// Name is the encoding name as SDP writes it.
	Name() string
	// ClockRate is the RTP clock rate, in hertz. It need not be that of the
	// samples: G.722 counts at 8000 (RFC 3551 §4.5.2), Opus at 48000 (RFC 7587 §4.1).
	ClockRate() int
	// SampleRate is the rate of the samples that are encoded and decoded, in
	// hertz: 8000 or 16000.
	SampleRate() int
	// Encode writes the encoded form of pcm into dst and returns the number of
	// octets written. What does not fit into dst is left out.
	Encode(dst []byte, pcm []int16) int
	// Decode writes the samples of payload into dst and returns their number.
	// What does not fit into dst is left out.
	Decode(dst []int16, payload []byte) int
}

// Repairer is a codec that conceals what was lost by means of its own.
type Repairer interface {
	// Repair fills dst with sound in place of what was lost and returns the
	// number of samples. next is the payload behind the gap, nil while it is not
	// there: it may hold a copy of what went before.
	Repair(dst []int16, next []byte) int
}

// Info is what SDP needs to know of a codec.
type Info struct {
	Name       string
	ClockRate  int
	SampleRate int
	// Channels is what SDP writes behind the clock rate; the sound is mono all
	// the same (RFC 7587 §7 has Opus say 2).
	Channels int
	// FMTP are the format parameters to offer, "" for none.
	FMTP string
	// PayloadType is the static payload type of RFC 3551 §6, or -1 when the
	// codec needs a dynamic one.
	PayloadType int
}

// known are the codecs, the preferred one first. L16 comes last and is spoken
// only when it is asked for: nothing but a test has that much bandwidth.
var known = []Info{
	{Name: PCMU, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 0},
	{Name: PCMA, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 8},
	{Name: G722, ClockRate: 8000, SampleRate: 16000, Channels: 1, PayloadType: 9},
	{Name: Opus, ClockRate: 48000, SampleRate: 16000, Channels: 2, FMTP: "useinbandfec=1", PayloadType: -1},
	{Name: L16, ClockRate: 16000, SampleRate: 16000, Channels: 1, PayloadType: -1},
	{Name: L16, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: -1},
}

// Lookup finds a codec of this machine by its encoding name, in any case
// (RFC 4855 §3). A clock rate may follow behind a slash, as in "L16/8000".
func Lookup(name string) (Info, bool) {
	name, rate, _ := strings.Cut(name, "/")
	for _, i := range known {
		if strings.EqualFold(i.Name, name) && (rate == "" || rate == strconv.Itoa(i.ClockRate)) {
			return i, i.available()
		}
	}
	return Info{}, false
}

// available: the library that a codec needs is there.
func (i Info) available() bool { return i.Name != Opus || libopus.Available() == nil }

// Default names the codecs to speak unless others are asked for, the preferred
// one first.
func Default() []string {
	names := make([]string, 0, len(known))
	for _, i := range known {
		if i.Name != L16 && i.available() {
			names = append(names, i.Name)
		}
	}
	return names
}

// New makes a codec by its name, as Lookup takes it, for one direction of one
// stream.
func New(name string) (Codec, bool) {
	i, ok := Lookup(name)
	if !ok {
		return nil, false
	}
	return i.New(), true
}

// New makes such a codec.
func (i Info) New() Codec {
	switch i.Name {
	case PCMA:
		return alaw{}
	case G722:
		return newG722()
	case Opus:
		return new(opus)
	case L16:
		return l16{i.ClockRate}
	}
	return mulaw{}
}

// Lead is how many samples go into an encoder between what d gives of a stream and
// what is to be encoded next, so that the stream runs on: as much as coming and going
// through its filters takes (ITU-T G.722 §1.4.4).
func Lead(d Codec) int {
	if _, ok := d.(*g722); ok {
		return 2*len(mirrorTaps) - 2
	}
	return 0
}

// Continue has an encoder take over a stream that another one made so far, of
// which d has decoded pcm last: the far end knows no more of what it heard than d
// does. lead is the sound behind that, as much as Lead asks for.
func Continue(encoder, d Codec, pcm, lead []int16) {
	switch to := encoder.(type) {
	case *g722:
		if from, ok := d.(*g722); ok {
			to.said.low, to.said.high = from.heard.low, from.heard.high
			to.said.apart = from.heard.apart
			for i := 0; i+1 < len(lead); i += 2 {
				to.said.apart.push(int32(lead[i]), int32(lead[i+1]))
			}
		}
	case *opus:
		// It cannot be handed over, but need not begin with silence.
		var none [libopus.MaxPacket]byte
		to.Encode(none[:], pcm)
	}
}
