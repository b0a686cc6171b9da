package srtp

import (
	"errors"
	"testing"
)

// RFC 3711 §9.2, RFC 4568 §6.1: a key encrypts and decrypts as many packets as its
// writer has told, sound and reports each, and none more. In time it is called worn.
func TestLifetime(t *testing.T) {
	eachSuite(t, func(t *testing.T, c Crypto) {
		const most = 64
		far := c
		far.Masters = []Master{c.Masters[0]}
		far.Masters[0].Lifetime = most + 1 // a far end that does not keep what it told
		sends, _ := pair(t, far)
		c.Masters[0].Lifetime = most
		keeps, r := pair(t, c)
		worn := 0
		for i := range most {
			if _, err := keeps.RTP(nil, rtpPacket(7, uint16(i), "x")); err != nil {
				t.Fatal(err)
			}
			sealed, _ := sends.RTP(nil, rtpPacket(7, uint16(i), "x"))
			if _, err := r.RTP(nil, sealed); err != nil {
				t.Fatal(err)
			}
			ours, again := keeps.Wear()
			theirs, news := r.Wear()
			if want := i+1 >= most/2; (ours == Worn) != want || (theirs == Worn) != want || ours == Spent || theirs == Spent {
				t.Fatalf("after %d packets: %d, %d", i+1, ours, theirs)
			}
			if again && news {
				worn++
			}
		}
		if worn != 1 {
			t.Errorf("told %d times that it is worn", worn)
		}
		if _, err := keeps.RTCP(nil, report(7)); err != nil {
			t.Errorf("reports count by themselves: %v", err)
		}
		if _, err := keeps.RTP(nil, rtpPacket(7, most, "x")); !errors.Is(err, ErrSpent) {
			t.Errorf("one packet more: %v", err)
		}
		sealed, _ := sends.RTP(nil, rtpPacket(7, most, "x"))
		if _, err := r.RTP(nil, sealed); !errors.Is(err, ErrSpent) {
			t.Errorf("one packet more: %v", err)
		}
		ours, again := keeps.Wear()
		theirs, news := r.Wear()
		if ours != Spent || theirs != Spent || !again || !news {
			t.Errorf("%d, %d; told: %v, %v", ours, theirs, again, news)
		}
	})
}

// Reports have a limit of their own, 2^31 at most (RFC 3711 §9.2).
func TestLifetimeOfReports(t *testing.T) {
	c := New(1, AESCM128SHA1x80)
	s, _ := pair(t, c)
	s.life.rtcp.used = 1<<31 - 1
	if _, err := s.RTCP(nil, report(7)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RTCP(nil, report(7)); !errors.Is(err, ErrSpent) {
		t.Errorf("the 2^31st and one: %v", err)
	}
	s.life.rtp.used = 1<<48 - 1
	if _, err := s.RTP(nil, rtpPacket(7, 1, "x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RTP(nil, rtpPacket(7, 2, "x")); !errors.Is(err, ErrSpent) {
		t.Errorf("the 2^48th and one: %v", err)
	}
}

// Each of several keys has a life of its own, whichever the packets name.
func TestLifetimeOfEachKey(t *testing.T) {
	for _, suite := range Suites() {
		both := New(1, suite)
		both.Masters = append(both.Masters, New(1, suite).Masters[0])
		for i := range both.Masters {
			m := &both.Masters[i]
			m.MKI, m.MKISize, m.Lifetime = uint64(i+5), 2, uint64(2+i)
		}
		r, err := NewReceiver(both)
		if err != nil {
			t.Fatal(err)
		}
		for i := range both.Masters {
			one := both
			one.Masters = []Master{both.Masters[i]}
			one.Masters[0].Lifetime = 100
			s, err := NewSender(one)
			if err != nil {
				t.Fatal(err)
			}
			for n := range uint64(5) {
				sealed, _ := s.RTP(nil, rtpPacket(7, uint16(10*i)+uint16(n), "x"))
				if _, err := r.RTP(nil, sealed); (err == nil) != (n < both.Masters[i].Lifetime) {
					t.Errorf("%s, key %d, packet %d: %v", suite, i, n, err)
				}
				sealed, _ = s.RTCP(nil, report(uint32(20+i)))
				if _, err := r.RTCP(nil, sealed); (err == nil) != (n < both.Masters[i].Lifetime) {
					t.Errorf("%s, key %d, report %d: %v", suite, i, n, err)
				}
			}
			if w, _ := r.Wear(); (w == Spent) != (i == 1) {
				t.Errorf("%s: %d after key %d", suite, w, i)
			}
		}
	}
}
