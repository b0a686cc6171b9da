package stream

// A stamp is 40 bits in the lowest bits of 40 octets of a payload: the number of
// the packet in its stream, and a check over number and stream. In G.711 and G.722
// nobody hears the lowest bit; a payload that is passed on untouched still has it,
// and one that went to the wrong call, or was made anew, does not.
const (
	stampBits  = 40
	numberBits = 24
	checkBits  = stampBits - numberBits
	numberMask = 1<<numberBits - 1
)

// stampStride is how far apart the octets of a stamp are, 0 where a codec leaves no
// room for one. In L16 every second octet is the lower half of a sample.
func stampStride(name string, octets int) int {
	stride := 0
	switch name {
	case "PCMU", "PCMA", "G722":
		stride = 1
	case "L16":
		stride = 2
	}
	if octets < stampBits*stride {
		return 0
	}
	return stride
}

func writeStamp(payload []byte, stride int, id, number uint32) {
	v := uint64(number&numberMask)<<checkBits | check(id, number&numberMask)
	for i := range stampBits {
		at := i*stride + stride - 1
		payload[at] = payload[at]&^1 | byte(v>>i&1)
	}
}

// readStamp is the number of a packet, if the packet is of stream id.
func readStamp(payload []byte, stride int, id uint32) (number uint32, ok bool) {
	if len(payload) < stampBits*stride {
		return 0, false
	}
	var v uint64
	for i := range stampBits {
		v |= uint64(payload[i*stride+stride-1]&1) << i
	}
	number = uint32(v >> checkBits)
	return number, v&(1<<checkBits-1) == check(id, number)
}

// check spreads stream and number over 16 bits (Fibonacci hashing).
func check(id, number uint32) uint64 {
	return (uint64(id)<<32 | uint64(number) + 1) * 0x9e3779b97f4a7c15 >> (64 - checkBits)
}
