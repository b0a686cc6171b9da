package opus

import (
	"fmt"
	"runtime"
	"unsafe"
)

const (
	// SampleRate is the rate of all samples of this package, in hertz.
	SampleRate = 16000
	// MaxPacket is the longest packet that is made or read.
	MaxPacket = 1500

	channels = 1
	// maxSamples is 120 ms, the longest that a packet lasts (RFC 6716 §2).
	maxSamples = SampleRate * 120 / 1000
	// grain is 2.5 ms, of which everything that Opus makes is a multiple.
	grain = SampleRate / 400
)

// Numbers of opus_defines.h.
const (
	applicationVoIP   = 2048
	setBitrate        = 4002
	setComplexity     = 4010
	setInbandFEC      = 4012
	setPacketLossPerc = 4014
	setSignal         = 4024
	signalVoice       = 3001
)

// What the encoder is told. Wideband speech is transparent at 32 kbit/s, FEC
// included; complexity 5 costs half of what 10 does and is hardly worse.
const (
	bitrate      = 32000
	complexity   = 5
	expectedLoss = 10 // percent: how much of the next packet repeats this one
)

// workspace is what C works on: its state, zeroed and aligned, samples, a packet
// and the arguments of a call. It is on the heap, where Go moves nothing, so that
// addresses in it may be handed out as numbers. Nothing of C's points back.
type workspace struct {
	lib    *library
	state  []uint64
	pcm    [maxSamples]int16
	packet [MaxPacket]byte
	args   [6]uintptr
}

func newWorkspace(lib *library, sizeOf uintptr) *workspace {
	w := &workspace{lib: lib}
	w.args[0] = channels
	w.state = make([]uint64, (call(sizeOf, w.args[:1])+7)/8)
	return w
}

// call runs a function on the state.
func (w *workspace) call(fn uintptr, args int) int {
	w.args[0] = uintptr(unsafe.Pointer(&w.state[0]))
	r := call(fn, w.args[:args])
	runtime.KeepAlive(w)
	return r
}

func (w *workspace) pcmAt() uintptr    { return uintptr(unsafe.Pointer(&w.pcm[0])) }
func (w *workspace) packetAt() uintptr { return uintptr(unsafe.Pointer(&w.packet[0])) }

// Encoder turns samples into packets.
type Encoder struct{ w *workspace }

// NewEncoder makes an encoder. The error is ErrUnavailable without the library.
func NewEncoder() (*Encoder, error) {
	lib, err := load()
	if err != nil {
		return nil, fmt.Errorf("make opus encoder: %w", err)
	}
	w := newWorkspace(lib, lib.encoderSize)
	w.args = [6]uintptr{1: SampleRate, 2: channels, 3: applicationVoIP}
	if r := w.call(lib.encoderInit, 4); r < 0 {
		return nil, fmt.Errorf("make opus encoder: opus error %d", r)
	}
	for _, s := range [][2]uintptr{
		{setBitrate, bitrate},
		{setComplexity, complexity},
		{setSignal, signalVoice},
		{setInbandFEC, 1},
		{setPacketLossPerc, expectedLoss},
	} {
		w.args = [6]uintptr{1: s[0], 2: s[1]}
		if r := w.call(lib.encoderCtl, 3); r < 0 {
			return nil, fmt.Errorf("set option %d of the opus encoder: opus error %d", s[0], r)
		}
	}
	return &Encoder{w: w}, nil
}

// Encode makes a packet of pcm, which must last 2.5, 5, 10, 20, 40 or 60 ms
// (RFC 6716 §2), or 30 or 50 as several frames, and gives its length; 0 when that is
// impossible.
func (e *Encoder) Encode(dst []byte, pcm []int16) int {
	if n := len(pcm); n == 3*packed || n == 5*packed {
		return e.pack(dst, pcm)
	}
	return e.frame(dst, pcm)
}

// frame makes a packet of one frame.
func (e *Encoder) frame(dst []byte, pcm []int16) int {
	w := e.w
	n := copy(w.pcm[:], pcm)
	most := min(len(dst), len(w.packet))
	if n < len(pcm) || n == 0 || most == 0 {
		return 0
	}
	w.args = [6]uintptr{1: w.pcmAt(), 2: uintptr(n), 3: w.packetAt(), 4: uintptr(most)}
	r := w.call(w.lib.encode, 5)
	if r <= 0 || r > most {
		return 0
	}
	return copy(dst, w.packet[:r])
}

// Decoder turns packets into samples.
type Decoder struct{ w *workspace }

// NewDecoder makes a decoder. The error is ErrUnavailable without the library.
func NewDecoder() (*Decoder, error) {
	lib, err := load()
	if err != nil {
		return nil, fmt.Errorf("make opus decoder: %w", err)
	}
	w := newWorkspace(lib, lib.decoderSize)
	w.args = [6]uintptr{1: SampleRate, 2: channels}
	if r := w.call(lib.decoderInit, 3); r < 0 {
		return nil, fmt.Errorf("make opus decoder: opus error %d", r)
	}
	return &Decoder{w: w}, nil
}

// Decode writes the samples of a packet and gives their number; 0 for what is no
// packet. What does not fit into dst is left out.
func (d *Decoder) Decode(dst []int16, packet []byte) int {
	if len(packet) == 0 || len(packet) > MaxPacket {
		return 0
	}
	return copy(dst, d.w.pcm[:d.decode(packet, maxSamples, 0)])
}

// Repair fills dst with sound in place of what was lost, at most 120 ms. next is
// the packet behind the gap, nil as long as it is not there: it may hold a
// coarser copy of what went before (RFC 6716 §2.1.7).
func (d *Decoder) Repair(dst []int16, next []byte) int {
	n := (min(len(dst), maxSamples) + grain - 1) / grain * grain
	if len(next) == 0 || len(next) > MaxPacket {
		return copy(dst, d.w.pcm[:d.decode(nil, n, 0)])
	}
	return copy(dst, d.w.pcm[:d.decode(next, n, 1)])
}

// decode gives the number of samples it made in pcm.
func (d *Decoder) decode(packet []byte, samples int, fec uintptr) int {
	w := d.w
	w.args = [6]uintptr{2: uintptr(len(packet)), 3: w.pcmAt(), 4: uintptr(samples), 5: fec}
	if copy(w.packet[:], packet) > 0 {
		w.args[1] = w.packetAt()
	}
	return min(max(w.call(w.lib.decode, 6), 0), samples)
}
