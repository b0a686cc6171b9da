package dtmf

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ev is one event packet of the tables: key, timestamp, duration in
// milliseconds, end bit, and when it comes, in milliseconds.
type ev struct {
	key byte
	ts  uint32
	ms  int
	end bool
	at  int
}

func (e ev) packet() Packet {
	code, _ := Code(e.key)
	b := []byte{code, 10, 0, 0}
	if e.end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], uint16(min(e.ms*8, 0xffff)))
	return Packet{SSRC: 7, Timestamp: e.ts, Payload: b}
}

func told(r *Receiver, events []ev) (digits string, durations []time.Duration) {
	note := func(ps []Press) {
		for _, p := range ps {
			digits += string(p.Symbol)
			durations = append(durations, p.Duration)
		}
	}
	for _, e := range events {
		note(r.Push(nil, e.packet(), time.Duration(e.at)*time.Millisecond))
	}
	note(r.Flush(nil, time.Hour))
	return digits, durations
}

func TestReceiver(t *testing.T) {
	for name, c := range map[string]struct {
		events []ev
		want   string
	}{
		"whole":                 {[]ev{{'1', 0, 20, false, 0}, {'1', 0, 40, false, 20}, {'1', 0, 60, true, 40}}, "1"},
		"three ends":            {[]ev{{'1', 0, 60, true, 0}, {'1', 0, 60, true, 0}, {'1', 0, 60, true, 0}}, "1"},
		"no end":                {[]ev{{'1', 0, 20, false, 0}, {'1', 0, 40, false, 20}}, "1"},
		"no start":              {[]ev{{'1', 0, 100, true, 0}}, "1"},
		"no end, then another":  {[]ev{{'1', 0, 20, false, 0}, {'2', 800, 20, false, 100}, {'2', 800, 40, true, 120}}, "12"},
		"no end, then the same": {[]ev{{'1', 0, 20, false, 0}, {'1', 800, 20, false, 100}, {'1', 800, 40, true, 120}}, "11"},
		"back to back":          {[]ev{{'5', 0, 60, true, 0}, {'5', 480, 60, true, 60}, {'5', 960, 60, true, 120}}, "555"},
		"late end":              {[]ev{{'1', 0, 60, true, 0}, {'2', 480, 20, false, 60}, {'1', 0, 60, true, 61}, {'2', 480, 60, true, 100}}, "12"},
		"overtaken":             {[]ev{{'1', 0, 60, true, 0}, {'1', 0, 40, false, 10}, {'1', 0, 20, false, 20}}, "1"},
		"only straggler":        {[]ev{{'2', 800, 20, false, 0}, {'1', 0, 60, true, 1}, {'2', 800, 60, true, 2}}, "12"},
		"held for 20 s": {[]ev{{'9', 0, 4000, false, 0}, {'9', 0, 8191, false, 150}, {'9', 0xffff, 4000, false, 300},
			{'9', 2 * 0xffff, 3616, true, 450}}, "9"},
		"clock wraps":   {[]ev{{'1', math.MaxUint32 - 100, 60, true, 0}, {'2', 700, 60, true, 100}}, "12"},
		"resumes late":  {[]ev{{'1', 0, 20, false, 0}, {'2', 8000, 20, false, 900}, {'1', 0, 60, true, 950}, {'2', 8000, 60, true, 960}}, "12"},
		"zero duration": {[]ev{{'1', 0, 0, false, 0}, {'1', 0, 20, false, 20}, {'1', 0, 40, true, 40}}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			var r Receiver
			if got, _ := told(&r, c.events); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}

// A long press whose packets pause is told when they do, and not again when it
// goes on in its next segments; the key pressed anew is.
func TestReceiverPausesInALongPress(t *testing.T) {
	full := ev{'9', 0, 8191, false, 8190}
	for name, c := range map[string]struct {
		events []ev
		want   string
	}{
		"at the end of a segment":     {[]ev{full, {'9', 0xffff, 300, false, 8500}, {'9', 0xffff, 500, true, 8700}}, "9"},
		"in the middle of a segment":  {[]ev{{'9', 0, 4000, false, 4000}, {'9', 0, 4300, false, 4300}, full, {'9', 0xffff, 20, false, 8210}, {'9', 0xffff, 500, true, 8230}}, "9"},
		"twice":                       {[]ev{full, {'9', 0xffff, 300, false, 8500}, {'9', 0xffff, 8191, false, 8800}, {'9', 2 * 0xffff, 300, true, 16800}}, "9"},
		"and another key comes":       {[]ev{full, {'9', 0xffff, 300, false, 8500}, {'8', 80000, 100, true, 10000}}, "98"},
		"and it is pressed again":     {[]ev{{'9', 0, 4000, false, 4000}, {'9', 0x10200, 100, true, 8300}}, "99"},
		"after its end a new one":     {[]ev{{'9', 0, 100, false, 100}, {'9', 0, 8100, true, 8100}, {'9', 0xffff + 100, 100, true, 8300}}, "99"},
		"another key of the same age": {[]ev{full, {'8', 0xffff, 300, true, 8500}}, "98"},
	} {
		var r Receiver
		got := ""
		for _, e := range c.events {
			now := time.Duration(e.at) * time.Millisecond
			for _, p := range r.Push(r.Flush(nil, now), e.packet(), now) {
				got += string(p.Symbol)
			}
		}
		for _, p := range r.Flush(nil, time.Hour) {
			got += string(p.Symbol)
		}
		if got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}

func TestReceiverDuration(t *testing.T) {
	var r Receiver
	_, d := told(&r, []ev{{'9', 0, 8191, false, 0}, {'9', 0xffff, 8191, false, 1}, {'9', 2 * 0xffff, 1000, true, 2}})
	if len(d) != 1 || d[0].Round(10*time.Millisecond) != 17380*time.Millisecond {
		t.Errorf("durations %v", d)
	}
}

func TestReceiverIgnoresWhatIsNoKey(t *testing.T) {
	var r Receiver
	for _, payload := range [][]byte{nil, {1, 2, 3}, {17, 0x80, 1, 0}, {255, 0x80, 1, 0}} {
		if got := r.Push(nil, Packet{Payload: payload}, 0); len(got) != 0 || r.Open() {
			t.Errorf("%v told %v", payload, got)
		}
	}
}

func TestReceiverAllocatesNothing(t *testing.T) {
	var r Receiver
	dst := make([]Press, 0, 2)
	p := ev{'1', 0, 20, true, 0}.packet()
	if n := testing.AllocsPerRun(100, func() { p.Timestamp += 800; r.Push(dst, p, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// wired is a packet of the network in the property below.
type wired struct {
	Packet
	at time.Duration
}

// onWire plays keys by a Sender into packets, with the timestamps of its clock.
func onWire(t *rapid.T, keys []byte, rate int, most int) []wired {
	s := NewSender(20 * time.Millisecond)
	s.Rate = rate
	var packets []wired
	now := time.Duration(0)
	ts := rapid.Uint32().Draw(t, "ts")
	began := ts
	for _, k := range keys {
		d := time.Duration(rapid.IntRange(2, most).Draw(t, "frames")) * 20 * time.Millisecond
		if err := s.Queue(string(k), d, 0); err != nil {
			t.Fatal(err)
		}
	}
	for {
		step, busy := s.Next()
		if !busy {
			return packets
		}
		if step.First {
			began = ts
		}
		if step.Send {
			packets = append(packets, wired{Packet{
				SSRC: 1, Timestamp: began + step.Later, Marker: step.First, Rate: uint32(rate), Payload: step.Payload[:],
			}, now})
		}
		now += 20 * time.Millisecond
		ts += uint32(rate / 50)
	}
}

// Whatever is lost of presses in runs of at most three packets, and whatever
// comes twice or up to 60 ms late: each key pressed is told once, in order, at
// any clock, segments of long presses being one.
func TestReceiverTellsEachPressOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.SampledFrom([]byte(symbols)), 1, 30).Draw(t, "keys")
		rate := rapid.SampledFrom([]int{8000, 16000, 48000}).Draw(t, "rate")
		lossy := rapid.IntRange(0, 3).Draw(t, "loss")
		late := rapid.Bool().Draw(t, "late")
		most := rapid.SampledFrom([]int{5, 50, 200}).Draw(t, "longest")
		var arrived []wired
		run, end := 0, time.Duration(0)
		for _, p := range onWire(t, keys, rate, most) {
			end = p.at
			if run < 3 && (run > 0 && rapid.Bool().Draw(t, "burst") || rapid.IntRange(0, 99).Draw(t, "lost") < lossy) {
				run++
				continue
			}
			run = 0
			for range rapid.IntRange(1, 2).Draw(t, "copies") {
				if late && rapid.IntRange(0, 9).Draw(t, "delay") == 0 {
					p.at += time.Duration(rapid.IntRange(1, 3).Draw(t, "by")) * 20 * time.Millisecond
				}
				arrived = append(arrived, p)
			}
		}
		slices.SortStableFunc(arrived, func(a, b wired) int { return int(a.at - b.at) })
		var r Receiver
		var got []byte
		note := func(ps []Press) {
			for _, p := range ps {
				got = append(got, p.Symbol)
			}
		}
		for _, p := range arrived {
			note(r.Flush(nil, p.at))
			note(r.Push(nil, p.Packet, p.at))
		}
		note(r.Flush(nil, end+time.Second))
		if string(got) != string(keys) {
			t.Fatalf("pressed %q, told %q", keys, got)
		}
	})
}

func FuzzReceiver(f *testing.F) {
	f.Add([]byte{1, 0x8a, 1, 0, 2, 10, 0, 160})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Receiver
		events := 0
		for i := 0; i+4 <= len(b); i += 4 {
			events++
			for _, p := range r.Push(nil, Packet{Timestamp: uint32(b[i+3]), Payload: b[i : i+4]}, time.Duration(i)) {
				if _, ok := Code(p.Symbol); !ok || p.Duration < 0 {
					t.Fatalf("told %+v", p)
				}
			}
		}
		if got := r.Flush(nil, time.Hour); len(got) > 1 || r.Open() {
			t.Fatalf("flushed %d", len(got))
		}
	})
}
