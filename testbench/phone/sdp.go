package phone

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// The codecs a phone can speak.
const (
	PCMU = "PCMU"
	PCMA = "PCMA"
)

// Directions of a description (RFC 3264 §5.1), as seen by who wrote it.
const (
	SendRecv = "sendrecv"
	SendOnly = "sendonly"
	RecvOnly = "recvonly"
	Inactive = "inactive"
)

var payloadTypes = map[string]int{PCMU: 0, PCMA: 8, "G729": 18}

const (
	eventType = 101
	eventName = "telephone-event"
)

// session is what is read from a description: the audio line.
type session struct {
	at        netip.AddrPort // where to send RTP
	codecs    []string       // in the order of the writer; only those known by name
	types     map[string]int // payload types of codecs
	event     int            // payload type of telephone-event, -1 when absent
	direction string
	profile   string
	crypto    []cryptoLine
}

func parseSDP(body []byte) (session, error) {
	s := session{types: map[string]int{}, event: -1, direction: SendRecv}
	var ip netip.Addr
	var numbers []string
	names := map[string]string{"0": PCMU, "8": PCMA, "18": "G729"}
	audio, port := false, 0
	for _, line := range strings.Split(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n") {
		kind, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		f := strings.Fields(value)
		switch {
		case kind == "m" && audio:
			audio = false
		case kind == "m" && port == 0 && len(f) > 3 && f[0] == "audio":
			audio = true
			port, _ = strconv.Atoi(f[1])
			numbers, s.profile = f[3:], f[2]
		case kind == "c" && len(f) == 3 && (audio || !ip.IsValid()):
			ip, _ = netip.ParseAddr(f[2])
		case kind == "a" && (audio || port == 0) && slices.Contains([]string{SendRecv, SendOnly, RecvOnly, Inactive}, value):
			s.direction = value
		case kind == "a" && audio && strings.HasPrefix(value, "crypto:"):
			if l, ok := readCrypto(strings.TrimPrefix(value, "crypto:")); ok {
				s.crypto = append(s.crypto, l)
			}
		case kind == "a" && audio && len(f) == 2 && strings.HasPrefix(f[0], "rtpmap:"):
			name, _, _ := strings.Cut(f[1], "/")
			names[strings.TrimPrefix(f[0], "rtpmap:")] = name
		}
	}
	if port <= 0 || port > 1<<16-1 || !ip.IsValid() {
		return s, errors.New("no audio in the description")
	}
	s.at = netip.AddrPortFrom(ip, uint16(port))
	for _, n := range numbers {
		number, err := strconv.Atoi(n)
		if err != nil || number < 0 || number > 127 {
			return s, fmt.Errorf("payload type %q", n)
		}
		switch name := strings.ToUpper(names[n]); name {
		case "":
		case "TELEPHONE-EVENT":
			if s.event < 0 { // those for codecs of other clocks come behind
				s.event = number
			}
		default:
			s.codecs = append(s.codecs, name)
			s.types[name] = number
		}
	}
	return s, nil
}

// protection is the profile of an audio line, and its keys.
type protection struct {
	profile string // RTP/AVP when empty
	lines   []cryptoLine
}

// describe writes a description of one audio line.
func describe(id, version int, at netip.AddrPort, codecs []string, types map[string]int, event int, direction string, p protection) []byte {
	family := "IP4"
	if at.Addr().Is6() {
		family = "IP6"
	}
	var numbers, maps strings.Builder
	for _, c := range codecs {
		n, ok := types[c]
		if !ok {
			n = payloadTypes[c]
		}
		fmt.Fprintf(&numbers, " %d", n)
		fmt.Fprintf(&maps, "a=rtpmap:%d %s/8000\r\n", n, c)
	}
	if event >= 0 {
		fmt.Fprintf(&numbers, " %d", event)
		fmt.Fprintf(&maps, "a=rtpmap:%d %s/8000\r\na=fmtp:%d 0-15\r\n", event, eventName, event)
	}
	for _, l := range p.lines {
		maps.WriteString(l.String())
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\nm=audio %d %s%s\r\n%sa=ptime:20\r\na=%s\r\n",
		id, version, family, at.Addr(), family, at.Addr(), at.Port(), cmp.Or(p.profile, plain), numbers.String(), maps.String(), direction)
}

// within is a direction without what a party does not want.
func within(direction, wants string) string {
	sends := (direction == SendRecv || direction == SendOnly) && wants != RecvOnly && wants != Inactive
	receives := (direction == SendRecv || direction == RecvOnly) && wants != SendOnly && wants != Inactive
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// reverse is the direction of an answer to an offer when nothing is withheld.
func reverse(direction string) string {
	switch direction {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return direction
}
