package dtmf

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// seen is a key told in a kind, at a time in milliseconds, held for a tenth of a
// second unless long says otherwise.
type seen struct {
	at     int
	symbol byte
	method string
	long   int
}

func countedOf(o *Once, told []seen) string {
	var b []byte
	for _, s := range told {
		long := 100 * time.Millisecond
		if s.long != 0 {
			long = time.Duration(s.long) * time.Millisecond
		}
		if o.Take(Digit{Symbol: s.symbol, Duration: long, Method: s.method}, time.Duration(s.at)*time.Millisecond) {
			b = append(b, s.symbol)
		}
	}
	return string(b)
}

const (
	event = MethodRFC4733
	info  = MethodInfo
	tones = MethodInband
)

func TestOnceInEveryOrder(t *testing.T) {
	orders := [][]string{
		{event}, {info}, {tones}, {event, info}, {info, event}, {event, tones}, {tones, event}, {info, tones}, {tones, info},
		{event, info, tones}, {event, tones, info}, {info, event, tones}, {info, tones, event}, {tones, event, info}, {tones, info, event},
	}
	for _, order := range orders {
		for _, apart := range []int{0, 40, 300} {
			var told []seen
			for i, key := range "1155#5500" {
				for j, kind := range order {
					told = append(told, seen{at: 1000 + 700*i + apart*j, symbol: byte(key), method: kind})
				}
			}
			slices.SortStableFunc(told, func(a, b seen) int { return a.at - b.at })
			if got := countedOf(new(Once), told); got != "1155#5500" {
				t.Errorf("%v, %d ms apart: counted %q", order, apart, got)
			}
		}
	}
}

func TestOnceCases(t *testing.T) {
	at := func(at int, symbol byte, method string) seen { return seen{at: at, symbol: symbol, method: method} }
	both := []seen{at(0, '1', event), at(50, '1', info)}
	for name, c := range map[string]struct {
		told []seen
		want string
	}{
		"fast, one kind behind":                {[]seen{at(0, '1', event), at(160, '1', event), at(200, '1', info), at(320, '1', event), at(360, '1', info), at(500, '1', info)}, "111"},
		"INFO at the press, event at the end":  {[]seen{at(0, '4', info), {900, '4', event, 900}, at(2000, '4', info), {2900, '4', event, 900}}, "44"},
		"INFO at the press, held for long":     {[]seen{at(0, '4', info), {9000, '4', event, 9000}}, "4"},
		"pressed again in another kind, later": {[]seen{at(0, '7', info), at(3000, '7', event)}, "77"},
		"pressed again, the tones not heard":   {[]seen{at(0, '7', tones), at(900, '7', info)}, "77"},
		"soon pressed again, tones not heard":  {[]seen{at(0, '7', tones), at(20, '7', info), at(600, '7', info)}, "77"},
		"an INFO that says it was held long":   {[]seen{at(0, '7', tones), {2000, '7', info, 60000}}, "77"},
		"other keys in two kinds":              {[]seen{at(0, '7', info), at(100, '8', event)}, "78"},
		"the better kind misses one":           {append(both, at(1050, '2', info), at(2000, '3', event), at(2050, '3', info)), "123"},
		"the better kind has gone":             {append(both, at(1000, '2', info), at(1400, '3', info), at(1700, '3', info), at(4000, '5', info)), "12335"},
		"the other one has gone":               {append(both, at(1000, '2', event), at(1400, '3', event), at(1700, '3', event)), "1233"},
		"the better kind comes later":          {[]seen{at(0, '1', tones), at(290, '1', info), at(1000, '2', tones), at(1400, '2', info), at(2000, '3', tones), at(2400, '3', info)}, "123"},
		"sent again after T1":                  {append(both, at(1000, '2', event), at(1600, '2', info), at(2000, '3', event), at(2050, '3', info)), "123"},
	} {
		if got := countedOf(new(Once), slices.Clone(c.told)); got != c.want {
			t.Errorf("%s: counted %q, want %q", name, got, c.want)
		}
	}
}

// After a transfer to who presses keys in one kind only nothing is lost, not the
// first of them either.
func TestOnceAfterATransfer(t *testing.T) {
	for _, kinds := range [][2]string{{event, info}, {tones, info}, {info, event}, {info, tones}, {event, tones}, {tones, event}} {
		for _, pace := range []int{160, 300, 600, 2000} {
			var told []seen
			for i, key := range "123" {
				told = append(told, seen{at: 1000 * i, symbol: byte(key), method: kinds[0]}, seen{at: 1000*i + 40, symbol: byte(key), method: kinds[1]})
			}
			var o Once
			got := countedOf(&o, told)
			o.Forget()
			told = told[:0]
			for i, key := range "23456788" {
				told = append(told, seen{at: 3000 + pace*i, symbol: byte(key), method: kinds[1]})
			}
			if got += countedOf(&o, told); got != "12323456788" {
				t.Errorf("%v, then %s every %d ms: counted %q", kinds, kinds[1], pace, got)
			}
		}
	}
}

// Whatever kinds a phone sends, in whatever order and however late within a
// quarter of a second, and half a second where kinds have come together before:
// each press counts once, none twice.
func TestOnceForEachPress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{event, info, tones}), 1, 3, rapid.ID[string]).Draw(t, "kinds")
		keys := rapid.SliceOfN(rapid.SampledFrom([]byte(symbols[:16])), 1, 20).Draw(t, "keys")
		known := rapid.Bool().Draw(t, "known")
		latest := 250
		var o Once
		if known {
			latest = 500
			for _, kind := range kinds {
				countedOf(&o, []seen{{at: 0, symbol: '1', method: kind}})
			}
		}
		late := make([]int, len(kinds))
		for i := range late {
			late[i] = rapid.IntRange(0, latest).Draw(t, "late")
		}
		var told []seen
		at := 2000
		for _, key := range keys {
			for i, kind := range kinds {
				told = append(told, seen{at: at + late[i], symbol: key, method: kind})
			}
			at += rapid.IntRange(160, 2000).Draw(t, "pause")
		}
		slices.SortStableFunc(told, func(a, b seen) int { return a.at - b.at })
		if got := countedOf(&o, told); got != string(keys) {
			t.Fatalf("pressed %q, counted %q", keys, got)
		}
	})
}

// A key that comes in one kind alone counts, whatever else has come.
func TestOnceLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var told []seen
		most := map[string][3]int{}
		at := 0
		for range rapid.IntRange(1, 30).Draw(t, "told") {
			at += rapid.IntRange(0, 3000).Draw(t, "pause")
			s := seen{at: at, symbol: rapid.SampledFrom([]byte("12")).Draw(t, "key"), method: rapid.SampledFrom([]string{event, info, tones}).Draw(t, "kind")}
			told = append(told, s)
			n := most[string(s.symbol)]
			n[kindOf(s.method)>>1]++
			most[string(s.symbol)] = n
		}
		got := countedOf(new(Once), told)
		for key, n := range most {
			if c := strings.Count(got, key); c < slices.Max(n[:]) || c > n[0]+n[1]+n[2] {
				t.Fatalf("%s came %v times in its kinds, counted %d times", key, n, c)
			}
		}
	})
}

func TestCounted(t *testing.T) {
	var o Once
	if o.Counted('1', event, 0) || !o.Take(Digit{Symbol: '1', Method: info}, 0) {
		t.Error("nothing had come")
	}
	if !o.Counted('1', event, time.Second/4) || o.Counted('1', info, 0) || o.Counted('2', event, 0) || o.Counted('1', event, time.Second) {
		t.Error("the INFO is the event's")
	}
}
