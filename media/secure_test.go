package media

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"b2bua/media/codec"
	"b2bua/media/rtcp"
	"b2bua/media/sdp"
	"b2bua/media/srtp"
)

// far is a far end that encrypts, driven by hand; what is sent to it is kept.
type far struct {
	caller
	ours, theirs srtp.Crypto // its key, and the session's
	sender       *srtp.Sender
	receiver     *srtp.Receiver
	sent         []heardPacket
}

// heardPacket is a packet that the session sent to the far end, as it went.
type heardPacket struct {
	raw     []byte
	control bool
}

// keeper is a socket that keeps what is sent.
type keeper struct {
	hole
	heard func(heardPacket)
}

func (e *keeper) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	e.heard(heardPacket{bytes.Clone(b), e.addr.Port()%2 == 1})
	return len(b), nil
}

// secretly opens a session whose far end offers RTP/SAVP with a suite.
func secretly(tb testing.TB, suite srtp.Suite) *far {
	tb.Helper()
	f := &far{}
	e := benchEngine(func(a netip.AddrPort) (Conn, error) {
		return &keeper{hole{a, make(chan struct{})}, func(p heardPacket) { f.sent = append(f.sent, p) }}, nil
	})
	f.open(tb, e, suite)
	return f
}

func (f *far) open(tb testing.TB, e *Engine, suite srtp.Suite) {
	tb.Helper()
	s, err := e.Open(Options{SRTP: "required"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	f.caller = caller{s: s, now: time.Second}
	f.offer(tb, srtp.New(1, suite))
}

// offer offers a key, at first or anew.
func (f *far) offer(tb testing.TB, ours srtp.Crypto) {
	tb.Helper()
	answer, err := f.s.Answer([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp-mux\r\na=crypto:" + ours.Attribute() + "\r\n"))
	if err != nil {
		tb.Fatal(err)
	}
	d, err := sdp.Parse(answer)
	if err != nil || len(d.Media[0].Crypto) != 1 {
		tb.Fatalf("%s: %v", answer, err)
	}
	if theirs := d.Media[0].Crypto[0]; !theirs.Same(f.theirs) {
		f.theirs = theirs
		if f.receiver, err = srtp.NewReceiver(theirs); err != nil {
			tb.Fatal(err)
		}
	}
	if !ours.Same(f.ours) {
		f.ours = ours
		if f.sender, err = srtp.NewSender(ours); err != nil {
			tb.Fatal(err)
		}
	}
}

// talk hands over an encrypted packet, from an address.
func (f *far) talk(tb testing.TB, from netip.AddrPort) {
	f.seq++
	f.ts += frameSize
	f.now += frameTime
	putHeader(f.raw[:], 0, false, f.seq, f.ts, 1)
	var scratch [maxSealed]byte
	sealed, err := f.sender.RTP(scratch[:0], f.raw[:])
	if err != nil {
		tb.Fatal(err)
	}
	f.hand(sealed, from)
}

// report hands over an encrypted report.
func (f *far) report(tb testing.TB, from netip.AddrPort, b *rtcp.Block) {
	plain := rtcp.Source{SSRC: 1, CNAME: "far"}.AppendReport(nil, &rtcp.Sent{NTP: rtcp.NTP(time.Now()), Packets: 1}, b)
	sealed, err := f.sender.RTCP(nil, plain)
	if err != nil {
		tb.Fatal(err)
	}
	f.hand(sealed, from)
}

// Who has the key is the far end, wherever he is: he is learnt at once. Who has not
// is nobody, even at the far end's address.
func TestAttackKeyIsTheProof(t *testing.T) {
	f := secretly(t, srtp.AESCM128SHA1x80)
	elsewhere := netip.MustParseAddrPort("192.0.2.9:7000")
	for range 200 {
		f.hand(f.raw[:], farEnd) // in the clear, from the right address
		f.hand(f.raw[:], elsewhere)
	}
	if st := f.s.Stats(); st.PacketsReceived != 0 || st.Refused != 400 || st.Remote != farEnd {
		t.Fatalf("%+v", st)
	}
	f.talk(t, elsewhere)
	if st := f.s.Stats(); st.PacketsReceived != 1 || st.Remote != elsewhere || st.Refused != 400 {
		t.Errorf("%+v", st)
	}
	f.talk(t, netip.MustParseAddrPort("192.0.2.10:7000"))
	if st := f.s.Stats(); st.PacketsReceived != 1 || st.Remote != elsewhere {
		t.Errorf("a second one is learnt: %+v", st)
	}
}

// Reports are encrypted like sound, here on one port with it (RFC 5761), both ways.
func TestEncryptedReports(t *testing.T) {
	for _, suite := range srtp.Suites() {
		t.Run(suite.String(), func(t *testing.T) {
			f := secretly(t, suite)
			f.talk(t, farEnd)
			f.s.clocked(func() { f.s.report.due = 0; f.s.reportDue(f.now) })
			last := f.sent[len(f.sent)-1]
			plain, err := f.receiver.RTCP(nil, last.raw)
			if err != nil || last.control {
				t.Fatalf("%v; on a port of its own: %v", err, last.control)
			}
			h, err := rtcp.Read(plain, 1)
			if err != nil || !h.Reported || h.SSRC != f.s.out.ssrc || bytes.Contains(last.raw, []byte(f.s.report.source.CNAME)) {
				t.Errorf("%+v, %v", h, err)
			}
			sent := uint32(rtcp.NTP(time.Now()) >> 16)
			f.report(t, farEnd, &rtcp.Block{SSRC: f.s.out.ssrc, Fraction: 64, Jitter: 80, LastSR: sent - 1<<15, Delay: 1 << 14})
			st := f.s.Stats()
			if st.Reports != 1 || st.RemoteLost != 0.25 || st.RemoteJitter != 10*time.Millisecond || st.RTT < 240*time.Millisecond || st.RTT > time.Second || st.MOS() < 3 {
				t.Errorf("%+v", st)
			}
			f.hand(rtcp.Source{SSRC: 1}.AppendReport(nil, nil, &rtcp.Block{SSRC: f.s.out.ssrc, Fraction: 255}), farEnd)
			if again := f.s.Stats(); again.Reports != 1 || again.RemoteLost != 0.25 || again.Refused != st.Refused+1 {
				t.Errorf("a report in the clear is believed: %+v", again)
			}
			f.s.clocked(func() { f.s.send(0, false, 0, 160, f.now) })
			before := len(f.sent)
			f.s.Close()
			if len(f.sent) == before {
				t.Fatal("no goodbye")
			}
			plain, err = f.receiver.RTCP(nil, f.sent[len(f.sent)-1].raw)
			if h, _ := rtcp.Read(plain, 1); err != nil || !h.Bye {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
}

// RFC 3711 §3.3.1: the same key goes on with its counters, over a re-INVITE and over
// the end of the numbers. With a new key ours is new, too, and what is still on its way
// with the old one is heard.
func TestKeysGoOn(t *testing.T) {
	f := secretly(t, srtp.AEAD128GCM)
	f.seq = 65500
	f.s.out.seq = 65500 // as after twenty minutes
	received := uint64(0)
	exchange := func(n int) {
		t.Helper()
		for range n {
			f.talk(t, farEnd)
			received++
			f.sent = nil
			f.s.clocked(func() { f.s.payload()[0] = 42; f.s.out.ts += frameSize; f.s.send(0, false, f.s.out.ts, 160, f.now) })
			if out, err := f.receiver.RTP(nil, f.sent[0].raw); err != nil || out[headerSize] != 42 {
				t.Fatalf("number %d: %v", f.s.out.seq, err)
			}
		}
		if st := f.s.Stats(); st.PacketsReceived != received || st.Refused != 0 {
			t.Fatalf("%d of %d packets, %d refused", st.PacketsReceived, received, st.Refused)
		}
	}
	exchange(100)
	ours, theirs := f.ours, f.theirs
	f.offer(t, ours)
	if !theirs.Same(f.theirs) {
		t.Error("our key changed without need")
	}
	exchange(100)
	old := f.sender
	f.offer(t, srtp.New(1, srtp.AEAD128GCM))
	if theirs.Same(f.theirs) {
		t.Error("our key is that of the call before")
	}
	fresh := f.sender
	f.sender = old
	f.talk(t, farEnd)
	received++
	f.sender = fresh
	exchange(100)
	f.sender = old
	f.talk(t, farEnd)
	if st := f.s.Stats(); st.PacketsReceived != received || st.Refused != 1 {
		t.Errorf("the old key is good for ever: %+v", st)
	}
}

// What was encrypted goes on being so; a description without keys is refused, and
// all stays as it was.
func TestEncryptionIsNotTakenBack(t *testing.T) {
	f := secretly(t, srtp.AEAD256GCM)
	if _, err := f.s.Answer([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n")); err == nil {
		t.Error("in the clear")
	}
	f.s.Offer()
	if err := f.s.Accept([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n")); err == nil {
		t.Error("in the clear")
	}
	f.talk(t, farEnd)
	if st := f.s.Stats(); st.PacketsReceived != 1 || st.Encryption != "AEAD_AES_256_GCM" {
		t.Errorf("%+v", st)
	}
}

// bridgeSecretly bridges two far ends that encrypt; a sealed packet of the first is
// made by next, and handed over by take.
func bridgeSecretly(tb testing.TB, e *Engine, first, second srtp.Suite) (next func() []byte, take func([]byte), f *far) {
	tb.Helper()
	f = &far{}
	g := &far{}
	var to *Session
	if f.open(tb, e, first); second != srtp.None {
		g.open(tb, e, second)
		to = g.s
	} else {
		to = benchLeg(tb, e, codec.PCMU)
	}
	Bridge(f.s, to)
	sh := f.s.shard.Load()
	for range 10 {
		f.talk(tb, farEnd)
		sh.mu.Lock()
		p := &sh.phases[f.s.phase]
		p.tick++
		sh.step(p, f.now)
		sh.unlock()
	}
	if !f.s.Stats().Relayed {
		tb.Fatal("not relayed")
	}
	var scratch [maxSealed]byte
	return func() []byte {
		f.seq++
		f.ts += frameSize
		f.now += frameTime
		putHeader(f.raw[:], 0, false, f.seq, f.ts, 1)
		sealed, err := f.sender.RTP(scratch[:0], f.raw[:])
		if err != nil {
			tb.Fatal(err)
		}
		return sealed
	}, func(b []byte) { f.hand(b, farEnd) }, f
}

func TestSecretRelayAllocatesNothing(t *testing.T) {
	for _, second := range []srtp.Suite{srtp.AEAD128GCM, srtp.None} {
		next, take, f := bridgeSecretly(t, benchEngine(newHole), srtp.AEAD256GCM, second)
		if n := testing.AllocsPerRun(1000, func() { take(next()) }); n != 0 {
			t.Errorf("to %s: %v allocations a packet", second, n)
		}
		if st := f.s.Stats(); st.PacketsReceived < 1000 || st.Refused != 0 {
			t.Errorf("%+v", st)
		}
	}
}

// BenchmarkSecretRelay is the switch's own share of a relayed packet, decrypted with
// one key and encrypted with another; the sockets are holes. The far end's own work is
// not in it.
func BenchmarkSecretRelay(b *testing.B) {
	pairs := [][2]srtp.Suite{}
	for _, s := range srtp.Suites() {
		pairs = append(pairs, [2]srtp.Suite{s, s}, [2]srtp.Suite{s, srtp.None})
	}
	for _, p := range append(pairs, [2]srtp.Suite{srtp.AESCM128SHA1x80, srtp.AEAD128GCM}) {
		b.Run(fmt.Sprintf("%s to %s", p[0], p[1]), func(b *testing.B) {
			next, take, _ := bridgeSecretly(b, benchEngine(newHole), p[0], p[1])
			const batch = 256
			var packets [batch][]byte
			b.ReportAllocs()
			for i := range b.N {
				if i%batch == 0 {
					b.StopTimer()
					for k := range packets {
						packets[k] = append(packets[k][:0], next()...)
					}
					b.StartTimer()
				}
				take(packets[i%batch])
			}
		})
	}
}

// Whatever is at the far end's address and has no key: nothing comes of it.
func FuzzSecretReceive(f *testing.F) {
	f.Add([]byte("\x80\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03payload"))
	f.Add([]byte("\x81\xc8\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x03"))
	far := secretly(f, srtp.AESCM128SHA1x80)
	far.talk(f, farEnd)
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := far.s.Stats()
		far.hand(raw, farEnd)
		far.talk(t, farEnd)
		if st := far.s.Stats(); far.s.fault.broken || st.PacketsReceived != before.PacketsReceived+1 || st.Reports != 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// A far end goes from one suite to another and back to the key it had: what is known
// of that key is known still, so that nothing can be said twice, and ours is another.
func TestSuiteThatComesBack(t *testing.T) {
	f := secretly(t, srtp.Suites()[0])
	var old []byte
	f.talk(t, farEnd)
	old = f.sealedNext(t)
	f.hand(bytes.Clone(old), farEnd)
	first, sender, theirs := f.ours, f.sender, f.theirs

	f.offer(t, srtp.New(1, srtp.Suites()[2]))
	f.talk(t, farEnd)
	f.offer(t, first)
	f.sender = sender

	before := f.s.Stats()
	f.hand(bytes.Clone(old), farEnd)
	if st := f.s.Stats(); st.PacketsReceived != before.PacketsReceived || f.s.count.refusals[WrongKey] == 0 {
		t.Error("a packet of the first time was taken again")
	}
	f.talk(t, farEnd)
	if st := f.s.Stats(); st.PacketsReceived != before.PacketsReceived+1 {
		t.Errorf("%d packets, want one more than %d", st.PacketsReceived, before.PacketsReceived)
	}
	if f.theirs.Same(theirs) {
		t.Error("our key of the first time is used again")
	}
}

// The same when it is we who offer: the set has another key for a suite that was left.
func TestOfferedKeyIsNotUsedAgain(t *testing.T) {
	set := srtp.NewSet()
	again := set.Renew(set[0].Suite)
	if again[0].Same(set[0]) || again[0].Tag != set[0].Tag || again[0].Suite != set[0].Suite || !again[1].Same(set[1]) {
		t.Errorf("%v became %v", set, again)
	}
}

// sealedNext is the next packet, encrypted and not handed over.
func (f *far) sealedNext(tb testing.TB) []byte {
	tb.Helper()
	f.seq++
	f.ts += frameSize
	f.now += frameTime
	putHeader(f.raw[:], 0, false, f.seq, f.ts, 1)
	sealed, err := f.sender.RTP(nil, f.raw[:])
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}
