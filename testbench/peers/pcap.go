package peers

import (
	"bytes"
	"encoding/binary"
	"time"

	"b2bua/dtmf"
	"b2bua/media/codec"
)

// Payload types of the scenarios that press keys.
const (
	keyEvents = 96
	keyALaw   = 8
)

// EventsPcap is a recording of a telephone that presses keys by RFC 4733: press
// down, gap up. SIPp's play_pcap_audio sends it.
func EventsPcap(digits string, press, gap time.Duration) []byte {
	p := newPcap()
	for _, key := range []byte(digits) {
		code, _ := dtmf.Code(key)
		begun := p.at
		for down := 20 * time.Millisecond; ; down += 20 * time.Millisecond {
			event := binary.BigEndian.AppendUint16([]byte{code, 10}, uint16(min(down, press)/(time.Second/8000)))
			p.at = begun + down
			if down < press {
				p.packet(keyEvents, down == 20*time.Millisecond, begun, event)
				continue
			}
			event[1] |= 0x80 // the end, three times (RFC 4733 section 2.5.1.4)
			for range 3 {
				p.packet(keyEvents, false, begun, event)
			}
			break
		}
		p.at += gap
	}
	return p.b.Bytes()
}

// TonesPcap is the same telephone with the keys in its sound, which is A-law.
func TonesPcap(digits string, press, gap time.Duration) []byte {
	p := newPcap()
	sound := make([]int16, 1600)
	sound = append(new(dtmf.Tone).Append(sound, digits, press, gap), make([]int16, 1600)...)
	info, _ := codec.Lookup(codec.PCMA)
	encode := info.New()
	payload := make([]byte, 160)
	for ; len(sound) >= 160; sound = sound[160:] {
		n := encode.Encode(payload, sound[:160])
		p.packet(keyALaw, false, p.at, payload[:n])
		p.at += 20 * time.Millisecond
	}
	return p.b.Bytes()
}

// pcap is a capture of RTP over UDP over IPv4 over Ethernet. Addresses and ports
// are SIPp's to fill in.
type pcap struct {
	b        bytes.Buffer
	at       time.Duration
	sequence uint16
}

func newPcap() *pcap {
	p := &pcap{sequence: 1000}
	for _, v := range []uint32{0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1} {
		_ = binary.Write(&p.b, binary.LittleEndian, v) // a buffer always takes it
	}
	return p
}

// packet adds one that is sent at p.at and begins at since.
func (p *pcap) packet(kind byte, mark bool, since time.Duration, payload []byte) {
	if mark {
		kind |= 0x80
	}
	be := binary.BigEndian
	rtp := be.AppendUint16([]byte{0x80, kind}, p.sequence)
	rtp = be.AppendUint32(rtp, 8000+uint32(since/(time.Second/8000)))
	rtp = append(be.AppendUint32(rtp, 0x5eed), payload...)
	p.sequence++
	frame := append(make([]byte, 12), 0x08, 0x00)
	frame = be.AppendUint16(append(frame, 0x45, 0), uint16(28+len(rtp)))
	frame = append(frame, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1)
	frame = be.AppendUint16(be.AppendUint16(frame, 6000), 6000)
	frame = append(be.AppendUint16(frame, uint16(8+len(rtp))), 0, 0)
	frame = append(frame, rtp...)
	for _, v := range []uint32{uint32(p.at / time.Second), uint32(p.at % time.Second / time.Microsecond), uint32(len(frame)), uint32(len(frame))} {
		_ = binary.Write(&p.b, binary.LittleEndian, v)
	}
	p.b.Write(frame)
}
