package codec

// g722 is ITU-T G.722 at 64 kbit/s: 16 kHz, two samples an octet. Its RTP clock
// counts at 8000 all the same, which was a mistake once (RFC 3551 §4.5.2).
type g722 struct {
	said, heard g722half
}

func newG722() *g722 {
	return &g722{
		said:  g722half{low: lowAtRest, high: highAtRest},
		heard: g722half{low: lowAtRest, high: highAtRest},
	}
}

func (*g722) Name() string    { return G722 }
func (*g722) ClockRate() int  { return 8000 }
func (*g722) SampleRate() int { return 16000 }

func (c *g722) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm)/2)
	for i := range n {
		low, high := c.said.apart.split(pcm[2*i], pcm[2*i+1])
		dst[i] = c.said.quantise(low, high)
		c.said.low.takeLow(dst[i] & 0x3f)
		c.said.high.takeHigh(dst[i] >> 6)
	}
	return n
}

func (c *g722) Decode(dst []int16, payload []byte) int {
	n := min(len(dst)/2, len(payload))
	for i, code := range payload[:n] {
		h := &c.heard
		dst[2*i], dst[2*i+1] = h.together.join(h.low.takeLow(code&0x3f), h.high.takeHigh(code>>6))
		h.apart.push(int32(dst[2*i]), int32(dst[2*i+1]))
	}
	return 2 * n
}

// Follow has the decoder go on as if it had decoded pcm, which was made up in
// place of a lost packet: far end and decoder adapt to what is said, and the
// less they part the less is heard of their coming together again (ITU-T G.722
// Appendix IV does likewise).
func (c *g722) Follow(pcm []int16) {
	h := &c.heard
	for i := 0; i+1 < len(pcm); i += 2 {
		code := h.quantise(h.apart.split(pcm[i], pcm[i+1]))
		h.together.join(h.low.takeLow(code&0x3f), h.high.takeHigh(code>>6))
	}
}

// g722half is one direction: two bands, and the filters that part and join them.
type g722half struct {
	low, high       subband
	apart, together mirror
}

func (h *g722half) quantise(low, high int32) uint8 {
	return h.low.quantiseLow(low) | h.high.quantiseHigh(high)<<6
}

// mirror is the quadrature mirror filter between 16 kHz and two bands of 8 kHz
// (ITU-T G.722 §3.1, §4.4). What comes in is kept twice, so that the last twelve
// pairs always lie in a row.
type mirror struct {
	even, odd [2 * len(mirrorTaps)]int32
	at        int
}

var mirrorTaps = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

func (m *mirror) push(even, odd int32) {
	n := len(mirrorTaps)
	m.even[m.at], m.even[m.at+n] = even, even
	m.odd[m.at], m.odd[m.at+n] = odd, odd
	if m.at++; m.at == n {
		m.at = 0
	}
}

// sums are those of the last twelve pairs, weighted.
func (m *mirror) sums() (even, odd int32) {
	e, o := m.even[m.at:m.at+len(mirrorTaps)], m.odd[m.at:m.at+len(mirrorTaps)]
	for i, tap := range mirrorTaps {
		even += e[i] * tap
		odd += o[len(mirrorTaps)-1-i] * tap
	}
	return even, odd
}

// split gives the lower and the higher band of two samples.
func (m *mirror) split(first, second int16) (low, high int32) {
	m.push(int32(first), int32(second))
	even, odd := m.sums()
	return (odd + even) >> 14, (odd - even) >> 14
}

// join gives two samples of both bands.
func (m *mirror) join(low, high int32) (first, second int16) {
	m.push(low+high, low-high)
	even, odd := m.sums()
	return int16(sat(odd >> 11)), int16(sat(even >> 11))
}
