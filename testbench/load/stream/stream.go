package stream

import (
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	headerSize = 12
	maxPayload = 2000 // 60 ms of 16-bit samples at 16 kHz are 1920
	// ring is how many send times are kept: a packet that takes longer is lost.
	ring = 128
)

// Stream is one leg's sound, both ways. Its fields belong to its engine's lock.
type Stream struct {
	e    *Engine
	id   uint32
	slot int
	at   netip.AddrPort // where it hears

	sending bool
	to      destination
	f       Format
	voice   Voice
	t       *track
	ssrc    uint32
	ts      uint32
	seq     uint16
	frame   int    // of the cycle, next
	number  uint32 // of stamped packets, all so far
	sentAt  [ring]int64
	onset   int64 // when the tone last began after a pause
	tones   [][]byte
	event   press

	from, upTo uint32 // numbers of the window that is measured
	sent       uint64 // packets in it

	heard hearing
}

// press is a key on its way as RFC 4733 events.
type press struct {
	keys  []byte // still to come
	key   byte   // being sent; 0: none
	began uint32 // its time stamp
	ticks int    // packets of it
	ends  int    // last packets still to be sent
	rest  int    // packets of sound before the next key
}

const endPackets = 3 // RFC 4733 §2.5.1.4

// Local is the address to put into SDP.
func (s *Stream) Local() netip.AddrPort { return s.at }

// Start has the stream send to an address, and hear what comes from there.
func (s *Stream) Start(to netip.AddrPort, f Format) error {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	t, err := s.e.track(f, s.voice)
	if err != nil {
		return err
	}
	s.stop()
	s.f, s.t, s.sending, s.to = f, t, true, destinationOf(to)
	s.e.byRemote[s.to.key()] = s
	return s.heard.decode(f)
}

// Stop ends it.
func (s *Stream) Stop() {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.stop()
}

func (s *Stream) stop() {
	if s.sending && s.e.byRemote[s.to.key()] == s {
		delete(s.e.byRemote, s.to.key())
	}
	s.sending = false
}

// Hear says whose sound is expected here: that of another stream.
func (s *Stream) Hear(other *Stream) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.heard.partner, s.heard.voice = other, other.voice
}

// HearVoice says which tone is expected here; it never pauses.
func (s *Stream) HearVoice(v Voice) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.heard.partner, s.heard.voice = nil, v
}

// Press sends keys as RFC 4733 events.
func (s *Stream) Press(keys string) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.event.keys = append(s.event.keys, keys...)
}

// PressTones sends keys as tones.
func (s *Stream) PressTones(keys string) error {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for i := range len(keys) {
		frames, err := keyFrames(s.f, keys[i])
		if err != nil {
			return err
		}
		s.tones = append(s.tones, frames...)
	}
	return nil
}

// Keys are those heard so far, as events and as tones. Tones are listened for only
// where ListenForTones was called.
func (s *Stream) Keys() (events, tones string) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	return string(s.heard.events), string(s.heard.keys.heard)
}

// ListenForTones has the stream recognise keys pressed as tones, or no longer.
func (s *Stream) ListenForTones(on bool) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.heard.listening = on
}

// Packets tells how many packets were heard since the stream started.
func (s *Stream) Packets() uint64 {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	return s.heard.packets
}

// compose writes the packet of this moment into b and returns its length.
func (s *Stream) compose(b []byte, now int64) int {
	ts := s.ts
	s.ts += s.t.clock
	if s.f.Event != 0 && s.pressing() {
		return s.composeEvent(b, ts)
	}
	frame, again := s.sound()
	n := copy(b[headerSize:], frame)
	if s.t.stride > 0 {
		writeStamp(b[headerSize:headerSize+n], s.t.stride, s.id, s.number)
		s.sentAt[s.number%ring] = now
		s.number = (s.number + 1) & numberMask
	}
	if again {
		s.onset = now
	}
	if s.e.open {
		s.sent++
	}
	s.header(b, s.f.PayloadType, ts, false)
	return headerSize + n
}

// sound is the next frame, and whether a tone begins with it.
func (s *Stream) sound() (frame []byte, onset bool) {
	if len(s.tones) > 0 {
		frame, s.tones = s.tones[0], s.tones[1:]
		return frame, false
	}
	at := s.frame
	s.frame = (s.frame + 1) % len(s.t.frames)
	return s.t.frames[at], at == s.t.silent
}

// pressing moves a press on by a packet and tells whether that packet is an event.
func (s *Stream) pressing() bool {
	p := &s.event
	if p.key == 0 {
		if p.rest > 0 {
			p.rest--
			return false
		}
		if len(p.keys) == 0 {
			return false
		}
		p.key, p.keys = p.keys[0], p.keys[1:]
		p.began, p.ticks, p.ends = s.ts-s.t.clock, 0, endPackets
	}
	return true
}

// composeEvent writes a telephone-event (RFC 4733 §2.3): the key, the end bit and
// volume, the duration.
func (s *Stream) composeEvent(b []byte, ts uint32) int {
	p := &s.event
	p.ticks++
	end := byte(0)
	if time.Duration(p.ticks)*s.f.Ptime >= keyTime {
		end = 0x80
		p.ends--
	}
	duration := min(ts+s.t.clock-p.began, uint32(keyTime.Seconds()*float64(s.t.clock)/s.f.Ptime.Seconds()))
	b[headerSize], b[headerSize+1] = keyCode(p.key), end|10
	binary.BigEndian.PutUint16(b[headerSize+2:], uint16(min(duration, 0xffff)))
	s.header(b, s.f.Event, p.began, p.ticks == 1)
	if p.ends == 0 {
		p.key, p.rest = 0, int(keyPause/s.f.Ptime)
	}
	return headerSize + 4
}

func (s *Stream) header(b []byte, payloadType uint8, ts uint32, marker bool) {
	b[0], b[1] = 2<<6, payloadType
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], s.ssrc)
	s.seq++
}

// symbols are the keys in the order of their codes (RFC 4733 §3.2).
const symbols = "0123456789*#ABCD"

func keyCode(key byte) byte {
	for code := range len(symbols) {
		if symbols[code] == key {
			return byte(code)
		}
	}
	return 0
}
