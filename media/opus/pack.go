package opus

// packed is how long the frames of a packet of several are, 10 ms: what 30 and 50 ms
// are made of, which no frame lasts (RFC 7587 §6.1 has any multiple).
const packed = SampleRate / 100

// maxFrame is the longest a frame can be (RFC 6716 §3.2.1).
const maxFrame = 1275

// pack makes a packet of several frames (code 3, each of a length of its own; RFC 6716
// §3.2.5). They must agree on what the first octet says but for the code: one that does
// not is left out, with all that follow it.
func (e *Encoder) pack(dst []byte, pcm []int16) int {
	var frames [5][1 + maxFrame]byte
	var sizes [5]int
	count := 0
	for n := len(pcm) / packed; count < n; count++ {
		f := &frames[count]
		size := e.frame(f[:], pcm[count*packed:(count+1)*packed])
		if size == 0 || f[0]&0xfc != frames[0][0]&0xfc {
			break
		}
		sizes[count] = size - 1
	}
	if count == 0 {
		return 0
	}
	const several, unequal = 3, 0x80
	var head [2 + 2*len(sizes)]byte
	head[0], head[1] = frames[0][0]&0xfc|several, unequal|byte(count)
	at := 2
	for _, n := range sizes[:count-1] { // the last one has what is left
		at += putSize(head[at:], n)
	}
	total := at
	for _, n := range sizes[:count] {
		total += n
	}
	if total > len(dst) {
		return 0
	}
	at = copy(dst, head[:at])
	for i, n := range sizes[:count] {
		at += copy(dst[at:], frames[i][1:1+n])
	}
	return at
}

// putSize writes the length of a frame (RFC 6716 §3.2.1).
func putSize(b []byte, n int) int {
	if n < 252 {
		b[0] = byte(n)
		return 1
	}
	b[0] = byte(252 + n&3)
	b[1] = byte((n - int(b[0])) >> 2)
	return 2
}
