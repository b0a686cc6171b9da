package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
)

// The file begins with this header: times in microseconds, packets that begin
// with their IP header (LINKTYPE_RAW, 101).
const (
	pcapMagic   = 0xa1b2c3d4
	pcapSnap    = 1 << 18
	linktypeRaw = 101

	protocolUDP = 17
	udpHeader   = 8
	maxPayload  = 65535 - 40 - udpHeader
)

// WritePCAP writes messages as a pcap file, each as one UDP datagram whatever
// carried it: so that a reader sees TLS in clear and stream messages whole.
func WritePCAP(w io.Writer, messages []Message) error {
	h := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 4)
	h = binary.LittleEndian.AppendUint64(h, 0) // zone and accuracy: always 0
	h = binary.LittleEndian.AppendUint32(h, pcapSnap)
	h = binary.LittleEndian.AppendUint32(h, linktypeRaw)
	if _, err := w.Write(h); err != nil {
		return fmt.Errorf("write pcap header: %w", err)
	}
	for _, m := range messages {
		p := packet(m)
		h = binary.LittleEndian.AppendUint32(h[:0], uint32(m.At.Unix()))
		h = binary.LittleEndian.AppendUint32(h, uint32(m.At.Nanosecond()/1000))
		h = binary.LittleEndian.AppendUint32(h, uint32(len(p)))
		h = binary.LittleEndian.AppendUint32(h, uint32(len(p)))
		if _, err := w.Write(append(h, p...)); err != nil {
			return fmt.Errorf("write pcap packet: %w", err)
		}
	}
	return nil
}

// ends are the source and the destination of a message.
func (m Message) ends() (from, to netip.AddrPort) {
	from, to = m.Remote, m.Local
	if m.Out {
		from, to = to, from
	}
	return netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
}

// packet is the IP packet (RFC 791, RFC 8200) with its UDP datagram (RFC 768).
func packet(m Message) []byte {
	from, to := m.ends()
	data := m.Data[:min(len(m.Data), maxPayload)]
	udp := binary.BigEndian.AppendUint16(nil, from.Port())
	udp = binary.BigEndian.AppendUint16(udp, to.Port())
	udp = binary.BigEndian.AppendUint16(udp, uint16(udpHeader+len(data)))
	udp = binary.BigEndian.AppendUint16(udp, 0)
	udp = append(udp, data...)
	var ip, addresses []byte
	if from.Addr().Is4() && to.Addr().Is4() {
		ip = []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocolUDP, 0, 0}
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(udp)))
		ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(ip[10:], ^sum(0, ip))
		addresses = ip[12:]
	} else {
		ip = []byte{0x60, 0, 0, 0, 0, 0, protocolUDP, 64}
		binary.BigEndian.PutUint16(ip[4:], uint16(len(udp)))
		a, b := from.Addr().As16(), to.Addr().As16()
		ip = append(append(ip, a[:]...), b[:]...)
		addresses = ip[8:]
	}
	check := ^sum(uint32(sum(protocolUDP+uint32(len(udp)), addresses)), udp)
	if check == 0 {
		check = 0xffff // RFC 768: 0 would say that there is none
	}
	binary.BigEndian.PutUint16(udp[6:], check)
	return append(ip, udp...)
}

// sum is the one's complement sum of RFC 1071.
func sum(begin uint32, b []byte) uint16 {
	n := begin
	for i := 0; i+1 < len(b); i += 2 {
		n += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		n += uint32(b[len(b)-1]) << 8
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
