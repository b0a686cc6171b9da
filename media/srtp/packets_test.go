package srtp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func pair(t testing.TB, c Crypto) (*Sender, *Receiver) {
	t.Helper()
	s, err := NewSender(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReceiver(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// rtpPacket has a payload that tells its number.
func rtpPacket(ssrc uint32, seq uint16, payload string) []byte {
	b := make([]byte, 12, 12+len(payload)+Overhead)
	b[0], b[1] = 0x80, 8
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], 160*uint32(seq))
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return append(b, payload...)
}

// report is a receiver report without blocks.
func report(ssrc uint32) []byte {
	b := make([]byte, 8, 8+Overhead)
	b[0], b[1], b[3] = 0x80, 201, 1
	binary.BigEndian.PutUint32(b[4:], ssrc)
	return b
}

// eachSuite runs f for all suites, with and without an MKI.
func eachSuite(t *testing.T, f func(t *testing.T, c Crypto)) {
	for _, s := range Suites() {
		t.Run(s.String(), func(t *testing.T) { f(t, New(1, s)) })
		t.Run(s.String()+" MKI", func(t *testing.T) {
			c := New(1, s)
			c.Masters[0].MKI, c.Masters[0].MKISize = 77, 4
			f(t, c)
		})
	}
}

func TestThereAndBack(t *testing.T) {
	eachSuite(t, func(t *testing.T, c Crypto) {
		s, r := pair(t, c)
		for i := range 1000 {
			plain := rtpPacket(7, uint16(i), fmt.Sprint("packet ", i))
			sealed, err := s.RTP(nil, plain)
			if err != nil {
				t.Fatal(err)
			}
			if len(sealed) > len(plain)+s.Growth() || bytes.Contains(sealed, []byte("packet")) {
				t.Fatalf("%q became %q", plain, sealed)
			}
			opened, err := r.RTP(nil, sealed)
			if err != nil || !bytes.Equal(opened, plain) {
				t.Fatalf("%q came back as %q: %v", plain, opened, err)
			}
		}
		for range 10 {
			sealed, err := s.RTCP(nil, report(7))
			if err != nil {
				t.Fatal(err)
			}
			opened, err := r.RTCP(nil, sealed)
			if err != nil || !bytes.Equal(opened, report(7)) {
				t.Fatalf("%x came back: %v", opened, err)
			}
			if _, err := r.RTCP(nil, sealed); err == nil {
				t.Fatal("a report twice")
			}
		}
	})
}

// RFC 3711 §3.3.2: what was here before is dropped, and so is what is older than
// the window.
func TestAttackReplays(t *testing.T) {
	eachSuite(t, func(t *testing.T, c Crypto) {
		s, r := pair(t, c)
		var sent [][]byte
		for i := range 400 {
			sealed, err := s.RTP(nil, rtpPacket(7, uint16(65400+i), "sound"))
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, sealed)
		}
		for i, p := range sent {
			if i == 50 || i == 390 {
				continue
			}
			if _, err := r.RTP(nil, p); err != nil {
				t.Fatal(i, err)
			}
		}
		for i, p := range sent {
			if _, err := r.RTP(nil, p); (err == nil) != (i == 390) {
				t.Errorf("packet %d again: %v", i, err)
			}
		}
	})
}

// Whatever bit is wrong, whatever is missing: the packet is dropped, and the next
// one is as good as before.
func TestAttackForgedPackets(t *testing.T) {
	eachSuite(t, func(t *testing.T, c Crypto) {
		s, r := pair(t, c)
		_, stranger := pair(t, New(1, c.Suite))
		next := uint16(100)
		good := func() []byte {
			next++
			sealed, err := s.RTP(nil, rtpPacket(7, next, "sound"))
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		p := good()
		for bit := range 8 * len(p) {
			bad := bytes.Clone(p)
			bad[bit/8] ^= 1 << (bit % 8)
			if _, err := r.RTP(nil, bad); err == nil {
				t.Fatalf("bit %d wrong, and taken", bit)
			}
		}
		for n := range p {
			if _, err := r.RTP(nil, bytes.Clone(p[:n])); err == nil {
				t.Fatalf("%d octets taken", n)
			}
		}
		if _, err := stranger.RTP(nil, p); err == nil {
			t.Fatal("taken with another key")
		}
		for range 1000 { // CVE-2021-41105: a hundred errors ended the call
			if _, err := r.RTP(nil, rtpPacket(9, next, "a stranger, who has no key")); err == nil {
				t.Fatal("a stranger is taken")
			}
		}
		for _, p := range [][]byte{p, good(), good()} {
			if out, err := r.RTP(nil, p); err != nil || string(out[12:]) != "sound" {
				t.Fatalf("%q, %v", out, err)
			}
		}
	})
}

// RFC 3711 §3.3.1: the rollover counter is guessed from what came last, through
// losses and packets out of order.
func TestRollover(t *testing.T) {
	eachSuite(t, func(t *testing.T, c Crypto) {
		s, r := pair(t, c)
		seq := uint16(30000)
		var late []byte
		for i := range 3 * 65536 / 50 {
			seq += 50
			if i%7 == 3 {
				continue // lost
			}
			sealed, err := s.RTP(nil, rtpPacket(7, seq, "sound"))
			if err != nil {
				t.Fatal(err)
			}
			if i%11 == 5 {
				late = sealed
				continue
			}
			if _, err := r.RTP(nil, sealed); err != nil {
				t.Fatalf("number %d: %v", seq, err)
			}
			if late != nil {
				if _, err := r.RTP(nil, late); err != nil {
					t.Fatalf("late one before %d: %v", seq, err)
				}
				late = nil
			}
		}
	})
}

// A far end may change its source; nobody can make us remember sources by
// inventing them, and nobody who has the key without end.
func TestAttackSourcesAreBounded(t *testing.T) {
	c := New(1, AEAD128GCM)
	_, r := pair(t, c)
	for ssrc := uint32(1); ssrc <= 2*maxSources; ssrc++ {
		s, _ := pair(t, c)
		sealed, err := s.RTP(nil, rtpPacket(ssrc, 1, "sound"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = r.RTP(nil, sealed); (err == nil) != (ssrc <= maxSources) {
			t.Fatalf("source %d: %v", ssrc, err)
		}
		again, _ := s.RTP(nil, rtpPacket(ssrc, 2, "sound"))
		if _, err = r.RTP(nil, again); (err == nil) != (ssrc <= maxSources) {
			t.Fatalf("source %d, second packet: %v", ssrc, err)
		}
		rep, _ := s.RTCP(nil, report(ssrc))
		if _, err = r.RTCP(nil, rep); (err == nil) != (ssrc <= maxSources) {
			t.Fatalf("reports of source %d: %v", ssrc, err)
		}
	}
}

// Keys that are told apart by their identifiers may be used one after the other.
func TestSeveralKeys(t *testing.T) {
	c := New(1, AESCM128SHA1x80)
	c.Masters = append(c.Masters, New(1, AESCM128SHA1x80).Masters...)
	for i := range c.Masters {
		c.Masters[i].MKI, c.Masters[i].MKISize = uint64(i+1), 2
	}
	_, r := pair(t, c)
	seq := uint16(0)
	for _, m := range c.Masters {
		s, _ := pair(t, Crypto{Tag: 1, Suite: c.Suite, Masters: []Master{m}})
		for range 3 {
			seq++
			sealed, err := s.RTP(nil, rtpPacket(7, seq, "sound"))
			if err != nil {
				t.Fatal(err)
			}
			if out, err := r.RTP(nil, sealed); err != nil || string(out[12:]) != "sound" {
				t.Fatalf("%q, %v", out, err)
			}
		}
	}
}

// Whatever order numbers come in, none is encrypted twice, and what is encrypted
// can be read.
func TestKeyStreamIsUsedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New(1, AEAD128GCM)
		s, err := NewSender(c)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReceiver(c)
		if err != nil {
			t.Fatal(err)
		}
		first := rapid.Uint16Range(0, 1<<15-1).Draw(t, "first")
		index, highest := int64(first), int64(first)
		used := map[int64]bool{}
		for range rapid.IntRange(1, 400).Draw(t, "packets") {
			sealed, err := s.RTP(nil, rtpPacket(7, uint16(index), "sound"))
			switch {
			case used[index] && !errors.Is(err, ErrUsed):
				t.Fatalf("index %d twice: %v", index, err)
			case index < 0 && err == nil:
				t.Fatal("an index below 0")
			case err == nil:
				used[index] = true
				if _, err := r.RTP(nil, sealed); err != nil {
					t.Fatalf("index %d of %d: %v", index, highest, err)
				}
				highest = max(highest, index)
			case highest-index < usedWindow && index >= 0 && !used[index]:
				t.Fatalf("index %d refused at %d: %v", index, highest, err)
			}
			index = highest + int64(rapid.IntRange(-200, 300).Draw(t, "step"))
		}
	})
	s, _ := pair(t, New(1, AEAD128GCM))
	for i, want := range []bool{true, false} {
		if _, err := s.RTP(nil, rtpPacket(uint32(i), 5+uint16(i), "sound")); (err == nil) != want {
			t.Errorf("source %d: %v", i, err)
		}
	}
}

// In place, and without garbage.
func TestPacketsAllocateNothing(t *testing.T) {
	for _, suite := range Suites() {
		s, r := pair(t, New(1, suite))
		seq := uint16(0)
		var scratch, opened [1600]byte
		template := rtpPacket(7, 0, string(make([]byte, 160)))
		rep := report(7)
		if n := testing.AllocsPerRun(2000, func() {
			seq++
			n := copy(scratch[:], template)
			binary.BigEndian.PutUint16(scratch[2:], seq)
			sealed, err := s.RTP(scratch[:n], scratch[:n])
			if err != nil {
				t.Fatal(err)
			}
			if _, err = r.RTP(opened[:0], sealed); err != nil {
				t.Fatal(err)
			}
			if seq%100 == 0 {
				n = copy(scratch[:], rep)
				if sealed, err = s.RTCP(scratch[:n], scratch[:n]); err != nil {
					t.Fatal(err)
				}
				if _, err = r.RTCP(opened[:0], sealed); err != nil {
					t.Fatal(err)
				}
			}
		}); n > poolLoss {
			t.Errorf("%s: %v allocations a packet", suite, n)
		}
	}
}

// Whatever comes from the network, nothing but a packet of the far end's is taken,
// and the next one of those is.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add(rtpPacket(7, 1, "sound"), uint8(1))
	f.Add(report(7), uint8(2))
	f.Add([]byte("\x9f\x08\x00\x01abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"), uint8(3))
	f.Add([]byte("\x90\x08\x00\x01abcdefgh\xbe\xde\x00\x04abcdefghijklmnopqrstuvwxyz"), uint8(7))
	f.Fuzz(func(t *testing.T, packet []byte, which uint8) {
		c := New(1, Suites()[which%4])
		if which&4 != 0 {
			c.Masters[0].MKI, c.Masters[0].MKISize = 7, 4
		}
		s, r := pair(t, c)
		if _, err := r.RTP(nil, bytes.Clone(packet)); err == nil {
			t.Fatal("taken")
		}
		if _, err := r.RTCP(nil, bytes.Clone(packet)); err == nil {
			t.Fatal("report taken")
		}
		_, _ = s.RTP(nil, bytes.Clone(packet))
		_, _ = s.RTCP(nil, bytes.Clone(packet))
		s, r = pair(t, c)
		sealed, err := s.RTP(nil, rtpPacket(7, 1, "sound"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.RTP(nil, bytes.Clone(packet))
		if _, err := r.RTP(nil, sealed); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkRTP(b *testing.B) {
	for _, suite := range Suites() {
		for _, size := range []int{160, 40} {
			plain := rtpPacket(7, 0, string(make([]byte, size)))
			b.Run(fmt.Sprintf("%s/%d/seal", suite, size), func(b *testing.B) {
				s, _ := pair(b, New(1, suite))
				var scratch [1600]byte
				b.ReportAllocs()
				for i := range b.N {
					binary.BigEndian.PutUint16(plain[2:], uint16(i))
					if _, err := s.RTP(scratch[:0], plain); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/%d/open", suite, size), func(b *testing.B) {
				c := New(1, suite)
				var sealed [1 << 12][]byte
				var scratch [1600]byte
				s, r := pair(b, c)
				for i := range sealed {
					binary.BigEndian.PutUint16(plain[2:], uint16(i))
					sealed[i], _ = s.RTP(nil, plain)
				}
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					if i%len(sealed) == 0 {
						b.StopTimer()
						_, r = pair(b, c)
						b.StartTimer()
					}
					if _, err := r.RTP(scratch[:0], sealed[i%len(sealed)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
