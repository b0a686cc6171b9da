package dial

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Sound is one audio stream as a description tells of it.
type Sound struct {
	At     netip.AddrPort // where its writer hears
	Codecs []Codec        // in the order of its writer
	Ptime  time.Duration  // 0: not told
}

// Codec is a codec or telephone-event under its payload type.
type Codec struct {
	Name     string // "PCMU", "telephone-event"
	Clock    int
	Channels int
	Type     uint8
}

// EventName is the name of keys among codecs (RFC 4733 §2.4.1).
const EventName = "telephone-event"

// Find is the codec of a name.
func (s Sound) Find(name string) (Codec, bool) {
	for _, c := range s.Codecs {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Codec{}, false
}

// Describe writes a description.
func (s Sound) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=load 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP", s.At.Addr(), s.At.Port())
	for _, c := range s.Codecs {
		fmt.Fprintf(&b, " %d", c.Type)
	}
	b.WriteString("\r\n")
	for _, c := range s.Codecs {
		fmt.Fprintf(&b, "a=rtpmap:%d %s/%d", c.Type, c.Name, c.Clock)
		if c.Channels > 1 {
			fmt.Fprintf(&b, "/%d", c.Channels)
		}
		b.WriteString("\r\n")
		if c.Name == EventName {
			fmt.Fprintf(&b, "a=fmtp:%d 0-15\r\n", c.Type)
		}
	}
	if s.Ptime > 0 {
		fmt.Fprintf(&b, "a=ptime:%d\r\n", s.Ptime.Milliseconds())
	}
	b.WriteString("a=sendrecv\r\n")
	return b.String()
}

// static are the payload types that need no rtpmap (RFC 3551 §6).
var static = map[uint8]Codec{0: {Name: "PCMU", Clock: 8000}, 8: {Name: "PCMA", Clock: 8000}, 9: {Name: "G722", Clock: 8000}}

// ParseSound reads the first audio stream of a description.
func ParseSound(text string) (Sound, error) {
	var s Sound
	var ip netip.Addr
	port, inAudio := 0, false
	maps := map[uint8]Codec{}
	var types []uint8
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "c=IN IP4 "):
			if !ip.IsValid() || inAudio {
				ip, _ = netip.ParseAddr(strings.TrimSpace(line[len("c=IN IP4 "):]))
			}
		case strings.HasPrefix(line, "m="):
			f := strings.Fields(line[2:])
			inAudio = port == 0 && len(f) > 3 && f[0] == "audio"
			if inAudio {
				port, types = number(f[1], 65535), payloadTypes(f[3:])
			}
		case inAudio && strings.HasPrefix(line, "a=rtpmap:"):
			if c, ok := rtpmap(line[len("a=rtpmap:"):]); ok {
				maps[c.Type] = c
			}
		case inAudio && strings.HasPrefix(line, "a=ptime:"):
			s.Ptime = time.Duration(number(line[len("a=ptime:"):], 200)) * time.Millisecond
		}
	}
	if !ip.Is4() || port == 0 {
		return s, fmt.Errorf("no audio stream to send to in %q", text)
	}
	s.At = netip.AddrPortFrom(ip, uint16(port))
	for _, t := range types {
		c, told := maps[t]
		if !told {
			c, told = static[t]
			c.Type = t
		}
		if told {
			s.Codecs = append(s.Codecs, c)
		}
	}
	return s, nil
}

func payloadTypes(fields []string) (types []uint8) {
	for _, f := range fields {
		types = append(types, uint8(number(f, 127)))
	}
	return types
}

// rtpmap reads "101 telephone-event/8000" and "96 opus/48000/2".
func rtpmap(v string) (Codec, bool) {
	kind, rest, ok := strings.Cut(v, " ")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 2 {
		return Codec{}, false
	}
	c := Codec{Name: parts[0], Clock: number(parts[1], 192000), Type: uint8(number(kind, 127))}
	if len(parts) > 2 {
		c.Channels = number(parts[2], 255)
	}
	return c, true
}

func number(s string, most int) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > most {
		return 0
	}
	return n
}
