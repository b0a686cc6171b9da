package sdp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Bounds no honest description comes near.
const (
	maxSize    = 64 << 10
	maxMedia   = 8
	maxLines   = 1024
	maxFormats = 64
	minPTime   = 1 * time.Millisecond
	maxPTime   = 200 * time.Millisecond
)

// Parse reads a description. Lines it has no use for are passed over, whatever
// they hold; the order of lines and the presence of v=, s= and t= are not
// insisted upon. Numbers that media would act on (ports, payload types, clock
// rates, packet times) must be in range.
func Parse(body []byte) (*Description, error) {
	if len(body) > maxSize {
		return nil, fmt.Errorf("%w: %d octets, at most %d", ErrSyntax, len(body), maxSize)
	}
	p := parser{d: &Description{}}
	body = bytes.TrimPrefix(body, byteOrderMark)
	for n := 1; len(body) > 0; n++ {
		if n > maxLines {
			return nil, fmt.Errorf("%w: more than %d lines", ErrSyntax, maxLines)
		}
		line, rest, _ := bytes.Cut(body, []byte{'\n'})
		body = rest
		if err := p.line(strings.TrimSpace(string(line))); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrSyntax, n, err)
		}
	}
	if !p.seen {
		return nil, fmt.Errorf("%w: no session description in it", ErrSyntax)
	}
	p.finish()
	return p.d, nil
}

// byteOrderMark is what some editors put before UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

type parser struct {
	d    *Description
	seen bool
	// What stands at session level holds for every stream that does not say
	// otherwise (RFC 8866 §5.7, §6.7).
	direction Direction
	ptime     time.Duration
	maxPTime  time.Duration
	inherit   []inherited
}

// inherited says what a stream wrote itself.
type inherited struct{ addr, direction, ptime, maxPTime bool }

func (p *parser) line(l string) error {
	if len(l) < 2 || l[1] != '=' {
		return nil
	}
	value := strings.TrimSpace(l[2:])
	if strings.IndexByte("ocma", l[0]) >= 0 && strings.ContainsFunc(value, control) || strings.Contains(strings.TrimRight(l, " \t\r"), "\r") {
		return errors.New("control character")
	}
	switch l[0] {
	case 'v':
		p.seen = true
	case 'o':
		p.seen = true
		return p.origin(value)
	case 's':
		if len(p.d.Media) == 0 {
			p.d.Name = value
		}
	case 'c':
		return p.connection(value)
	case 'm':
		p.seen = true
		return p.media(value)
	case 'a':
		return p.attribute(value)
	}
	return nil
}

// control finds what must never be echoed into a description of ours. A bare CR
// is refused in lines that nobody reads, too: for other readers it ends the line,
// and they see another description.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// origin reads o=<user> <id> <version> IN IP4 <addr>. Only the numbers matter,
// and only for being repeated; odd ones are taken as zero.
func (p *parser) origin(v string) error {
	f := strings.Fields(v)
	o := &p.d.Origin
	if len(f) > 0 {
		o.User = f[0]
	}
	if len(f) > 2 {
		o.ID, _ = strconv.ParseUint(f[1], 10, 64)
		o.Version, _ = strconv.ParseUint(f[2], 10, 64)
	}
	if len(f) > 5 {
		o.Addr, _ = parseAddr(f[5])
	}
	return nil
}

func (p *parser) connection(v string) error {
	f := strings.Fields(v)
	if len(f) < 3 {
		return fmt.Errorf("c=%.40q: want a network, a type and an address", v)
	}
	// A multicast address carries a TTL behind a slash (RFC 8866 §5.7).
	host, _, _ := strings.Cut(f[2], "/")
	addr, ok := parseAddr(host)
	if ok {
		host = ""
	}
	if n := len(p.d.Media); n > 0 {
		p.d.Media[n-1].Addr, p.d.Media[n-1].Host = addr, host
		p.inherit[n-1].addr = true
		return nil
	}
	p.d.Addr, p.d.Host = addr, host
	return nil
}

// parseAddr refuses what is not a plain address; names are not resolved here.
func parseAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// media reads m=<kind> <port>[/<count>] <proto> <fmt> …
func (p *parser) media(v string) error {
	if len(p.d.Media) == maxMedia {
		return fmt.Errorf("more than %d streams", maxMedia)
	}
	f := strings.Fields(v)
	if len(f) < 3 {
		return fmt.Errorf("m=%.40q: want kind, port and profile", v)
	}
	port, _, _ := strings.Cut(f[1], "/")
	n, err := number(port, 0, 65535)
	if err != nil {
		return fmt.Errorf("port %w", err)
	}
	if len(f)-3 > maxFormats {
		return fmt.Errorf("more than %d formats", maxFormats)
	}
	m := Media{Kind: f[0], Port: n, Proto: f[2], Fmt: f[3:]}
	if m.RTPProfile() {
		if err := m.staticFormats(); err != nil {
			return err
		}
	}
	p.d.Media = append(p.d.Media, m)
	p.inherit = append(p.inherit, inherited{})
	return nil
}

// staticFormats reads the format list of an RTP stream as payload types, named
// by RFC 3551 §6 until an rtpmap says otherwise.
func (m *Media) staticFormats() error {
	for _, s := range m.Fmt {
		pt, err := number(s, 0, 127)
		if err != nil {
			return fmt.Errorf("payload type %w", err)
		}
		f := Format{PT: uint8(pt), Channels: 1}
		if st, ok := static[f.PT]; ok {
			f.Name, f.Rate = st.name, st.rate
		}
		m.Formats = append(m.Formats, f)
	}
	return nil
}

// static holds the speech payload types of RFC 3551 §6 that need no rtpmap.
var static = map[uint8]struct {
	name string
	rate int
}{
	0: {"PCMU", 8000}, 3: {"GSM", 8000}, 4: {"G723", 8000}, 8: {"PCMA", 8000},
	9: {"G722", 8000}, 13: {"CN", 8000}, 15: {"G728", 8000}, 18: {"G729", 8000},
}

// RTPProfile reports whether the stream's formats are RTP payload types.
func (m *Media) RTPProfile() bool { return strings.Contains(strings.ToUpper(m.Proto), "RTP/") }

// finish hands session-level values down to the streams without their own.
func (p *parser) finish() {
	for i := range p.d.Media {
		m, own := &p.d.Media[i], p.inherit[i]
		if !own.addr {
			m.Addr, m.Host = p.d.Addr, p.d.Host
		}
		if !own.direction {
			m.Direction = p.direction
		}
		if !own.ptime {
			m.PTime = p.ptime
		}
		if !own.maxPTime {
			m.MaxPTime = p.maxPTime
		}
	}
}

// number reads a decimal without sign between lo and hi.
func number(s string, lo, hi int) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || int64(n) < int64(lo) || int64(n) > int64(hi) {
		return 0, fmt.Errorf("%.20q: want %d to %d", s, lo, hi)
	}
	return int(n), nil
}
