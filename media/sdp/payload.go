package sdp

import (
	"slices"
	"strings"
	"time"
)

const (
	firstDynamic = 96 // RFC 3551 §6
	lastDynamic  = 127
	// comfortNoise is the static payload type of RFC 3389 §4, for clocks of 8 kHz.
	comfortNoise     = 13
	comfortNoiseName = "CN"
)

// bind finds the payload types under which we offer: those that formats have had
// in this dialog already, which they keep for good (RFC 3264 §8.3.2), then static
// ones, then dynamic ones that are free.
func (l Local) bind() []Format {
	b := binder{before: l.Bound}
	for _, f := range l.preferred() {
		b.add(f)
	}
	if l.EventPT >= 0 {
		for _, rate := range clocks(b.formats) {
			f := eventFormat(uint8(l.EventPT), rate, keys)
			if rate != eventClock {
				f.PT = lastDynamic + 1
			}
			b.add(f)
		}
	}
	if l.ComfortNoise && slices.Contains(clocks(b.formats), eventClock) {
		b.formats = append(b.formats, Format{PT: comfortNoise, Name: comfortNoiseName, Rate: eventClock, Channels: 1})
	}
	return b.formats
}

// eventClock is the clock rate that Local.EventPT is meant for.
const eventClock = 8000

// binder gives formats their payload types.
type binder struct {
	before, formats []Format
}

func (b *binder) add(f Format) {
	for _, was := range b.before {
		if was.same(f) && !b.taken(was.PT) {
			f.PT = was.PT
			b.formats = append(b.formats, f)
			return
		}
	}
	if f.PT >= firstDynamic && (f.PT > lastDynamic || b.taken(f.PT) || b.meant(f)) {
		f.PT = b.free()
	}
	if f.PT <= lastDynamic {
		b.formats = append(b.formats, f)
	}
}

func (b *binder) taken(pt uint8) bool {
	return slices.ContainsFunc(b.formats, func(f Format) bool { return f.PT == pt })
}

// meant: the payload type has stood for something else.
func (b *binder) meant(f Format) bool {
	return slices.ContainsFunc(b.before, func(was Format) bool { return was.PT == f.PT && !was.same(f) })
}

// free is a dynamic payload type that has stood for nothing yet; 101, which
// everybody uses for telephone-events, comes last.
func (b *binder) free() uint8 {
	for pt := uint8(firstDynamic); pt <= lastDynamic; pt++ {
		if pt != 101 && !b.taken(pt) && !b.meant(Format{PT: pt}) {
			return pt
		}
	}
	return lastDynamic + 1
}

// clocks lists the clock rates of formats, each once.
func clocks(formats []Format) []int {
	var rates []int
	for _, f := range formats {
		if !slices.Contains(rates, f.Rate) {
			rates = append(rates, f.Rate)
		}
	}
	return rates
}

// bound adds what a description has bound, whoever wrote it, to what was bound
// before.
func bound(before, now []Format) []Format {
	out := slices.Clone(now)
	for _, f := range before {
		if !slices.ContainsFunc(now, func(g Format) bool { return g.PT == f.PT || g.same(f) }) {
			out = append(out, f)
		}
	}
	return out
}

// noise is the payload type of comfort noise for a clock rate (RFC 3389 §5), or
// NoPT.
func noise(formats []Format, rate int) int {
	for _, f := range formats {
		if strings.EqualFold(f.Name, comfortNoiseName) && f.Rate == rate {
			return int(f.PT)
		}
	}
	return NoPT
}

const (
	frame        = 10 * time.Millisecond
	usualPTime   = 20 * time.Millisecond
	longestPTime = 60 * time.Millisecond
)

// packetTime is how much sound the far end wants in a packet, as far as we can
// do that: 10 to 60 ms in steps of 10, 20 ms when it does not say, and not more
// than it can take (RFC 8866 §6.4, §6.5).
func (m *Media) packetTime() time.Duration {
	want := m.PTime
	if want == 0 {
		want = usualPTime
	}
	if m.MaxPTime > 0 {
		want = min(want, m.MaxPTime)
	}
	return min(max(want.Truncate(frame), frame), longestPTime)
}
