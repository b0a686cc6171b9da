package sdp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// String names the direction as an attribute does.
func (d Direction) String() string {
	switch d {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case Inactive:
		return "inactive"
	default:
		return "sendrecv"
	}
}

// Sends reports whether the side that wrote the direction sends.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the side that wrote the direction receives.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Reverse is the same flow seen from the other side.
func (d Direction) Reverse() Direction { return directionOf(d.Receives(), d.Sends()) }

func directionOf(sends, receives bool) Direction {
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

// Bytes writes the description in the order of RFC 8866 §5.
func (d *Description) Bytes() []byte {
	var b strings.Builder
	o := d.Origin
	user := o.User
	if user == "" {
		user = "-"
	}
	name := d.Name
	if name == "" {
		name = "-"
	}
	fmt.Fprintf(&b, "v=0\r\no=%s %d %d IN %s\r\ns=%s\r\n", user, o.ID, o.Version, address(o.Addr), name)
	if d.Addr.IsValid() {
		fmt.Fprintf(&b, "c=IN %s\r\n", address(d.Addr))
	}
	b.WriteString("t=0 0\r\n")
	for i := range d.Media {
		d.Media[i].write(&b, d.Addr)
	}
	return []byte(b.String())
}

func (m *Media) write(b *strings.Builder, session netip.Addr) {
	fmt.Fprintf(b, "m=%s %d %s", m.Kind, m.Port, m.Proto)
	if len(m.Formats) > 0 {
		for _, f := range m.Formats {
			fmt.Fprintf(b, " %d", f.PT)
		}
	} else {
		for _, f := range m.Fmt {
			b.WriteString(" " + f)
		}
	}
	b.WriteString("\r\n")
	if m.Addr.IsValid() && m.Addr != session {
		fmt.Fprintf(b, "c=IN %s\r\n", address(m.Addr))
	}
	if m.Port == 0 {
		// A refused stream needs no more than its place (RFC 3264 §6).
		return
	}
	m.writeAttributes(b)
}

func (m *Media) writeAttributes(b *strings.Builder) {
	for _, f := range m.Formats {
		if f.Name == "" {
			continue
		}
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d", f.PT, f.Name, f.Rate)
		if f.Channels > 1 {
			fmt.Fprintf(b, "/%d", f.Channels)
		}
		b.WriteString("\r\n")
		if f.FMTP != "" {
			fmt.Fprintf(b, "a=fmtp:%d %s\r\n", f.PT, f.FMTP)
		}
	}
	for _, c := range m.Crypto {
		b.WriteString("a=crypto:" + c.Attribute() + "\r\n")
	}
	if m.RTCP.Port() != 0 {
		fmt.Fprintf(b, "a=rtcp:%d", m.RTCP.Port())
		if m.RTCP.Addr().IsValid() {
			b.WriteString(" IN " + address(m.RTCP.Addr()))
		}
		b.WriteString("\r\n")
	}
	if m.RTCPMux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	if m.PTime > 0 {
		fmt.Fprintf(b, "a=ptime:%d\r\n", m.PTime/time.Millisecond)
	}
	if m.MaxPTime > 0 {
		fmt.Fprintf(b, "a=maxptime:%d\r\n", m.MaxPTime/time.Millisecond)
	}
	b.WriteString("a=" + m.Direction.String() + "\r\n")
}

func address(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "IP4 0.0.0.0"
	case a.Is4():
		return "IP4 " + a.String()
	}
	return "IP6 " + a.String()
}

// FormatPT finds a format by its payload type.
func (m *Media) FormatPT(pt uint8) (Format, bool) {
	for _, f := range m.Formats {
		if f.PT == pt {
			return f, true
		}
	}
	return Format{}, false
}

// String is for logs: kind, port and formats.
func (m *Media) String() string {
	names := make([]string, 0, len(m.Formats))
	for _, f := range m.Formats {
		names = append(names, strconv.Itoa(int(f.PT))+"="+f.Name)
	}
	return fmt.Sprintf("%s %d %s [%s] %s", m.Kind, m.Port, m.Proto, strings.Join(names, " "), m.Direction)
}
