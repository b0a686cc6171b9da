package rtcp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/rtcp"
	"pgregory.net/rapid"
)

var (
	us    = Source{SSRC: 0x11223344, CNAME: "12-abcdef01"}
	sent  = &Sent{NTP: 0xe1234567_89abcdef, Time: 160000, Packets: 1000, Octets: 160000}
	block = &Block{SSRC: 0x55667788, Fraction: 26, Lost: 100, Highest: 0x0001_0400, Jitter: 40, LastSR: 0x45678_9ab & 0xffffffff, Delay: 65536}
)

// What we write, another reader reads.
func TestWritten(t *testing.T) {
	for name, c := range map[string]struct {
		sent  *Sent
		heard *Block
		bye   bool
		kinds string
	}{
		"sender":                {sent, nil, false, "SR SDES"},
		"sender and receiver":   {sent, block, false, "SR SDES"},
		"receiver":              {nil, block, false, "RR SDES"},
		"neither":               {nil, nil, false, "RR SDES"},
		"goodbye":               {sent, block, true, "SR SDES BYE"},
		"goodbye of a listener": {nil, nil, true, "RR SDES BYE"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := us.AppendReport(nil, c.sent, c.heard)
			if c.bye {
				raw = us.AppendBye(raw)
			}
			packets, err := pion.Unmarshal(raw)
			if err != nil {
				t.Fatalf("%v\n%x", err, raw)
			}
			if err := pion.CompoundPacket(packets).Validate(); err != nil {
				t.Error(err)
			}
			var kinds []string
			for _, p := range packets {
				switch p := p.(type) {
				case *pion.SenderReport:
					kinds = append(kinds, "SR")
					if p.SSRC != us.SSRC || p.NTPTime != sent.NTP || p.RTPTime != sent.Time || p.PacketCount != sent.Packets || p.OctetCount != sent.Octets {
						t.Errorf("%+v", p)
					}
					check(t, p.Reports, c.heard)
				case *pion.ReceiverReport:
					kinds = append(kinds, "RR")
					check(t, p.Reports, c.heard)
				case *pion.SourceDescription:
					kinds = append(kinds, "SDES")
					if p.Chunks[0].Source != us.SSRC || p.Chunks[0].Items[0].Text != us.CNAME {
						t.Errorf("%+v", p)
					}
				case *pion.Goodbye:
					kinds = append(kinds, "BYE")
				}
			}
			if got := strings.Join(kinds, " "); got != c.kinds {
				t.Errorf("%s, want %s", got, c.kinds)
			}
		})
	}
}

func check(t *testing.T, got []pion.ReceptionReport, want *Block) {
	t.Helper()
	if want == nil {
		if len(got) != 0 {
			t.Errorf("%+v", got)
		}
		return
	}
	b := got[0]
	if b.SSRC != want.SSRC || b.FractionLost != want.Fraction || b.TotalLost != uint32(want.Lost) || b.LastSequenceNumber != want.Highest ||
		b.Jitter != want.Jitter || b.LastSenderReport != want.LastSR || b.Delay != want.Delay {
		t.Errorf("%+v, want %+v", b, want)
	}
}

// What we write we read, whatever the name and the figures.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := Source{SSRC: rapid.Uint32().Draw(t, "ssrc"), CNAME: rapid.StringN(0, 300, 300).Draw(t, "name")}
		var s *Sent
		var b *Block
		if rapid.Bool().Draw(t, "sends") {
			s = &Sent{NTP: rapid.Uint64().Draw(t, "ntp"), Time: rapid.Uint32().Draw(t, "time"), Packets: 3, Octets: 4}
		}
		if rapid.Bool().Draw(t, "hears") {
			b = &Block{SSRC: 7, Fraction: rapid.Byte().Draw(t, "fraction"), Lost: rapid.Int32().Draw(t, "lost"), Jitter: rapid.Uint32().Draw(t, "jitter"), LastSR: 5, Delay: 6}
		}
		raw := from.AppendReport(nil, s, b)
		bye := rapid.Bool().Draw(t, "bye")
		if bye {
			raw = from.AppendBye(raw)
		}
		h, err := Read(raw, 7)
		if err != nil || h.SSRC != from.SSRC || h.Sender != (s != nil) || h.Reported != (b != nil) || h.Bye != bye {
			t.Fatalf("%+v, %v", h, err)
		}
		if s != nil && h.Sent != *s {
			t.Fatalf("%+v, want %+v", h.Sent, *s)
		}
		if b != nil {
			b.Lost = min(max(b.Lost, -1<<23), 1<<23-1)
			if h.Block != *b {
				t.Fatalf("%+v, want %+v", h.Block, *b)
			}
		}
		if _, err := pion.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
	})
}

// Of several blocks, that about us; of several packets, all.
func TestReadsOthers(t *testing.T) {
	raw, err := pion.Marshal([]pion.Packet{
		&pion.ReceiverReport{SSRC: 9, Reports: []pion.ReceptionReport{{SSRC: 1}, {SSRC: us.SSRC, Jitter: 77, TotalLost: 0xffffff}, {SSRC: 3}}},
		&pion.SourceDescription{Chunks: []pion.SourceDescriptionChunk{{Source: 9, Items: []pion.SourceDescriptionItem{{Type: pion.SDESCNAME, Text: "x"}}}}},
		&pion.ExtendedReport{SenderSSRC: 9},
		&pion.Goodbye{Sources: []uint32{9}, Reason: "bye"},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := Read(raw, us.SSRC)
	if err != nil || h.SSRC != 9 || h.Sender || !h.Reported || h.Block.Jitter != 77 || h.Block.Lost != -1 || !h.Bye {
		t.Errorf("%+v, %v", h, err)
	}
	// RFC 5506: feedback alone.
	raw, _ = (&pion.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 2}).Marshal()
	if h, err := Read(raw, 1); err != nil || h.Reported || h.Sender {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestRefused(t *testing.T) {
	whole := us.AppendReport(nil, sent, block)
	cases := map[string][]byte{
		"empty": {}, "three octets": whole[:3], "version 1": append([]byte{0x40}, whole[1:]...), "an octet more": append(bytes.Clone(whole), 0),
		"more blocks than there are":  append([]byte{whole[0] + 3}, whole[1:]...),
		"a receiver report of 0":      {0x80, 201, 0, 0},
		"a bye of 31 sources":         {0x9f, 203, 0, 1, 0, 0, 0, 1},
		"padding of 0":                {0xa0, 201, 0, 1, 0, 0, 0, 0},
		"padding of more than all":    {0xa0, 201, 0, 1, 0, 0, 0, 200},
		"padding of half a word":      {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2},
		"padding before another":      append([]byte{0xa0, 202, 0, 1, 0, 0, 0, 4}, whole...),
		"a length of 256 kB":          {0x80, 201, 0xff, 0xff, 0, 0, 0, 1},
		"second packet without words": append(bytes.Clone(whole), 0x80, 200, 0, 0),
	}
	for n := range whole {
		if n%4 != 0 || n > 0 && n < 52 {
			cases["cut at "+string(rune('0'+n))] = whole[:n]
		}
	}
	for name, raw := range cases {
		if h, err := Read(raw, us.SSRC); !errors.Is(err, ErrMalformed) || h != (Heard{}) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// RFC 3550 §6.4.1, figure 2: A at 0xb710:8000, DLSR of 5.25 s, LSR 0xb705:2000:
// 6.125 s there and back.
func TestRoundTrip(t *testing.T) {
	at := uint64(0xb44d_b710_8000_0000)
	for name, c := range map[string]struct {
		b    Block
		want time.Duration
		ok   bool
	}{
		"the figure":                  {Block{LastSR: 0xb705_2000, Delay: 0x0005_4000}, 6125 * time.Millisecond, true},
		"none of ours":                {Block{}, 0, false},
		"at once":                     {Block{LastSR: 0xb710_8000, Delay: 0}, 0, true},
		"a little before it was sent": {Block{LastSR: 0xb710_8000, Delay: 10}, 0, true},
		"long before it was sent":     {Block{LastSR: 0xb710_8000, Delay: 0x0005_4000}, 0, false},
		"an hour":                     {Block{LastSR: 0xa900_8000, Delay: 0}, 0, false},
	} {
		if got, ok := c.b.RoundTrip(at); got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	if got := NTP(time.Unix(0, 500e6)); got != 2208988800<<32|1<<31 {
		t.Errorf("%x", got)
	}
}

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		first  bool
		random float64
		want   time.Duration
	}{{false, 0, 2500 * time.Millisecond}, {false, 0.5, 5 * time.Second}, {false, 1, 7500 * time.Millisecond}, {true, 0, 1250 * time.Millisecond}, {true, 1, 3750 * time.Millisecond}} {
		if got := Interval(c.first, c.random); got != c.want {
			t.Errorf("%v: %v", c, got)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var scratch [256]byte
	if n := testing.AllocsPerRun(1000, func() {
		raw := us.AppendBye(us.AppendReport(scratch[:0], sent, block))
		if _, err := Read(raw, block.SSRC); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever strangers send, nothing is read beyond it, and what another reader
// understands says the same to us.
func FuzzRead(f *testing.F) {
	f.Add(us.AppendBye(us.AppendReport(nil, sent, block)))
	f.Add([]byte{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4})
	f.Add([]byte{0x9f, 203, 0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := Read(raw[:len(raw):len(raw)], us.SSRC)
		if err != nil {
			return
		}
		if h.Block.Lost < -1<<23 || h.Block.Lost >= 1<<23 {
			t.Fatalf("%+v", h)
		}
		packets, err := pion.Unmarshal(raw)
		if err != nil {
			return
		}
		var sender, bye bool
		for _, p := range packets {
			switch p.(type) {
			case *pion.SenderReport:
				sender = true
			case *pion.Goodbye:
				bye = true
			}
		}
		if sender != h.Sender || bye != h.Bye {
			t.Fatalf("%+v, another reader has %v", h, packets)
		}
	})
}
