package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	oggHeader = 27 // RFC 3533 section 6, up to the segment table
	// maxOggPacket bounds what is put together of one packet. Sound has at most
	// 1275 octets per 20 ms; the comments may hold a picture, and are skipped.
	maxOggPacket = 1 << 20
)

// Flags of a page (RFC 3533 section 6, field 3).
const (
	oggContinued = 1 << 0
	oggFirst     = 1 << 1
	oggLast      = 1 << 2
)

// oggPages takes packets out of the pages of one logical stream. Pages of other
// streams are passed over.
type oggPages struct {
	r       io.Reader
	serial  uint32
	begun   bool
	flags   byte
	granule int64
	lacing  []byte // segment sizes of the page that are still to come
	head    [oggHeader]byte
	table   [255]byte
	packet  []byte
	broken  bool // the packet's beginning was lost
}

// next is the next whole packet; it is valid until the following call. last
// tells that it is the last one that ends on its page, whose granule holds then.
func (o *oggPages) next() (packet []byte, last bool, err error) {
	o.packet = o.packet[:0]
	for {
		for len(o.lacing) == 0 {
			if err := o.page(); err != nil {
				return nil, false, err
			}
		}
		n := int(o.lacing[0])
		o.lacing = o.lacing[1:]
		if len(o.packet)+n > maxOggPacket {
			return nil, false, fmt.Errorf("decode ogg: packet over %d bytes: %w", maxOggPacket, ErrFormat)
		}
		at := len(o.packet)
		o.packet = append(o.packet, make([]byte, n)...)
		if _, err := io.ReadFull(o.r, o.packet[at:]); err != nil {
			return nil, false, oggCut("page", err)
		}
		if n < 255 {
			if o.broken {
				o.broken, o.packet = false, o.packet[:0]
				continue
			}
			return o.packet, !slices.ContainsFunc(o.lacing, func(n byte) bool { return n < 255 }), nil
		}
	}
}

// page reads the head of the next page of the stream. The end of the file, and
// of the stream, is io.EOF.
func (o *oggPages) page() error {
	if o.flags&oggLast != 0 {
		return io.EOF
	}
	for {
		if _, err := io.ReadFull(o.r, o.head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return io.EOF
			}
			return oggCut("page header", err)
		}
		if string(o.head[:4]) != "OggS" || o.head[4] != 0 {
			return fmt.Errorf("decode ogg: no page where one should begin: %w", ErrFormat)
		}
		table := o.table[:o.head[26]]
		if _, err := io.ReadFull(o.r, table); err != nil {
			return oggCut("segment table", err)
		}
		serial := binary.LittleEndian.Uint32(o.head[14:])
		if !o.begun {
			o.begun, o.serial = true, serial
		}
		if serial == o.serial {
			return o.enter(table)
		}
		size := int64(0)
		for _, n := range table {
			size += int64(n)
		}
		if _, err := io.CopyN(io.Discard, o.r, size); err != nil {
			return oggCut("page", err)
		}
	}
}

// enter begins a page of ours. What goes on must have begun, and the other way
// round; else a page was lost and with it a packet.
func (o *oggPages) enter(table []byte) error {
	o.flags = o.head[5]
	o.granule = int64(binary.LittleEndian.Uint64(o.head[6:]))
	o.lacing = table
	goesOn := o.flags&oggContinued != 0
	switch {
	case goesOn && len(o.packet) == 0:
		o.broken = true
	case !goesOn && len(o.packet) > 0:
		o.packet = o.packet[:0]
	}
	return nil
}

// oggCut makes a file that ends too early a format error, and leaves real read
// errors and limits as they are.
func oggCut(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("decode ogg: file ends in %s: %w", where, ErrFormat)
	}
	return fmt.Errorf("read ogg %s: %w", where, err)
}
