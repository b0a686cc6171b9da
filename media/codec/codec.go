package codec

import "strings"

// Names of the codecs as SDP writes them (RFC 3551 §6).
const (
	PCMU = "PCMU"
	PCMA = "PCMA"
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

var known = []Info{
	{Name: PCMU, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 0},
	{Name: PCMA, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 8},
}

// Lookup finds a codec by its encoding name, in any case (RFC 4855 §3).
func Lookup(name string) (Info, bool) {
	for _, i := range known {
		if strings.EqualFold(i.Name, name) {
			return i, true
		}
	}
	return Info{}, false
}

// Default names every codec of this package, the preferred one first.
func Default() []string {
	names := make([]string, 0, len(known))
	for _, i := range known {
		names = append(names, i.Name)
	}
	return names
}

// New makes a codec by its encoding name, for one direction of one stream.
func New(name string) (Codec, bool) {
	i, ok := Lookup(name)
	if !ok {
		return nil, false
	}
	switch i.Name {
	case PCMU:
		return mulaw{}, true
	case PCMA:
		return alaw{}, true
	}
	return nil, false
}
