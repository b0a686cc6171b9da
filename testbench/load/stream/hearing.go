package stream

import (
	"encoding/binary"
	"math"
	"time"

	"b2bua/media/codec"
)

// hearing is what becomes of the packets that arrive for a stream.
type hearing struct {
	partner *Stream // who speaks at the other end; nil: nobody whom we know
	voice   Voice   // what is said there
	codec   codec.Codec
	rate    int

	packets   uint64 // since the stream started
	ssrc      uint32
	last      int64 // when the last one came
	events    []byte
	eventAt   uint32 // time stamp of the last event
	listening bool
	keys      keys

	numbers  order // of stamps, or of the switch's sequence
	timeline timeline
	quiet    bool  // the last frame was silent
	marked   int64 // the partner's beginning of a tone that was heard last
	window   counts
}

// counts are of the window that is measured.
type counts struct {
	received, unique       uint64
	duplicates, reordered  uint64
	altered                uint64 // the stamp was not that of the partner
	clean, silent, unclean uint64 // frames looked at
	levels                 float64
}

const (
	// sampled is how many packets come to one whose sound is looked at, where the
	// stamp has already shown that it is the right one.
	sampled = 8
	// A frame is clean when all but little of it is the tone, and silent below a
	// level where the lowest bits of G.711 are.
	pureShare   = 0.9
	silentLevel = -50.0
	// attack is the sample that tells that the tone has begun: half of its peak.
	attack = 0.5
	// longest is what a tone may take: less than the time to the next.
	longest = cycle * 8 / 10
)

var silence = power(silentLevel)

func (h *hearing) decode(f Format) error {
	c, ok := codec.New(f.Codec)
	if !ok {
		return errNoCodec
	}
	h.codec, h.rate = c, c.SampleRate()
	h.packets, h.ssrc, h.numbers, h.timeline, h.marked = 0, 0, order{}, timeline{}, 0
	return nil
}

// receive takes a packet that came at a time, in nanoseconds.
func (s *Stream) receive(packet []byte, at int64) {
	payload, ok := payloadOf(packet)
	if !ok {
		s.e.counts.unknown++
		return
	}
	h := &s.heard
	if s.f.Event != 0 && packet[1]&0x7f == s.f.Event {
		h.eventIn(packet, payload)
		return
	}
	if packet[1]&0x7f != s.f.PayloadType {
		s.e.counts.unknown++
		return
	}
	h.packets++
	h.last = at
	if ssrc := binary.BigEndian.Uint32(packet[8:]); ssrc != h.ssrc {
		h.ssrc, h.numbers, h.timeline = ssrc, order{}, timeline{}
	}
	sequence, ts := uint32(binary.BigEndian.Uint16(packet[2:])), binary.BigEndian.Uint32(packet[4:])
	late := h.timeline.packet(sequence, ts, at, s.t.clock, s.f.Ptime)
	if s.stamps() {
		s.stamped(h.partner, payload, at)
		if h.packets%sampled != 0 && !h.listening && !remembers(s.f.Codec) {
			return
		}
	} else {
		h.count(h.numbers.see(h.timeline.number))
		if s.e.measuring {
			s.e.lateness.Add(late)
		}
	}
	s.listen(payload, at)
}

// remembers tells whether a codec wants to see every packet.
func remembers(name string) bool {
	return name != codec.PCMU && name != codec.PCMA && name != codec.L16
}

// stamped counts a packet by its stamp, and how long it took.
func (s *Stream) stamped(p *Stream, payload []byte, at int64) {
	h := &s.heard
	n, ok := readStamp(payload, p.t.stride, p.id)
	if !ok {
		h.window.altered++
		return
	}
	if !within(n, p.from, p.upTo) {
		h.numbers.see(n)
		return
	}
	h.count(h.numbers.see(n))
	if sent := p.sentAt[n%ring]; (p.number-n)&numberMask <= ring {
		s.e.delay.Add(time.Duration(at - sent))
	}
}

func (h *hearing) count(a arrival) {
	h.window.received++
	switch a {
	case again:
		h.window.duplicates++
		return
	case reordered:
		h.window.reordered++
	}
	h.window.unique++
}

// within tells whether a number is of a window; numbers turn over.
func within(n, from, upTo uint32) bool { return (n-from)&numberMask < (upTo-from)&numberMask }

// listen looks at the sound of a packet.
func (s *Stream) listen(payload []byte, at int64) {
	h := &s.heard
	pcm := s.e.pcm[:h.codec.Decode(s.e.pcm[:], payload)]
	if len(pcm) == 0 {
		h.window.unclean++
		return
	}
	if h.listening {
		h.keys.window(pcm, h.rate)
	}
	all := meanSquare(pcm)
	if h.quiet && all > silence {
		h.began(s, pcm, at)
	}
	h.quiet = false
	switch tone := goertzel(pcm, h.voice.Freq, h.rate); {
	case all <= silence:
		h.quiet = true
		h.window.silent++
	case tone >= pureShare*all && math.Abs(level(tone)-h.voice.Level) < tolerance:
		h.window.clean++
		h.window.levels += level(tone)
	default:
		h.window.unclean++
	}
}

// tolerance is how far the level of a clean frame may be off, in dB.
const tolerance = 1.0

// began notes that the tone begins in a frame. Where packets have no stamp, the
// time since that moment was sent is the delay, buffers and codecs included.
func (h *hearing) began(s *Stream, pcm []int16, at int64) {
	p := h.partner
	if p == nil || p.t == nil || p.onset == h.marked || !s.e.measuring {
		return // a tone goes on after a gap that nobody meant
	}
	if time.Duration(at-p.onset) > longest {
		return // the one that was sent is not this one
	}
	edge := attack * amplitude(h.voice.Level)
	for i, v := range pcm {
		if math.Abs(float64(v)) >= edge {
			h.marked = p.onset
			if !s.stamps() {
				s.e.delay.Add(time.Duration(at-p.onset) + time.Duration(i)*time.Second/time.Duration(h.rate))
			}
			return
		}
	}
}

// eventIn takes a telephone-event: one key for each time stamp, however often it
// is told.
func (h *hearing) eventIn(packet, payload []byte) {
	ts := binary.BigEndian.Uint32(packet[4:])
	if len(payload) < 4 || int(payload[0]) >= len(symbols) || len(h.events) > 0 && ts == h.eventAt {
		return
	}
	h.eventAt = ts
	h.events = append(h.events, symbols[payload[0]])
}

// payloadOf is what an RTP packet carries (RFC 3550 §5.1).
func payloadOf(b []byte) ([]byte, bool) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return nil, false
	}
	from, upTo := headerSize+4*int(b[0]&0x0f), len(b)
	if b[0]&0x10 != 0 && len(b) >= from+4 {
		from += 4 + 4*int(binary.BigEndian.Uint16(b[from+2:]))
	}
	if b[0]&0x20 != 0 {
		upTo -= int(b[len(b)-1])
	}
	if from > upTo {
		return nil, false
	}
	return b[from:upTo], true
}
