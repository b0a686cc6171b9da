package dtmf

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// seen is a key told in a kind, at a time in milliseconds.
type seen struct {
	at     int
	symbol byte
	method string
}

func countedOf(o *Once, told []seen) string {
	var b []byte
	for _, s := range told {
		if o.Take(Digit{Symbol: s.symbol, Duration: 100 * time.Millisecond, Method: s.method}, time.Duration(s.at)*time.Millisecond) {
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
					told = append(told, seen{1000 + 700*i + apart*j, byte(key), kind})
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
	for name, c := range map[string]struct {
		told []seen
		want string
	}{
		"fast, one kind behind":                    {[]seen{{0, '1', event}, {160, '1', event}, {200, '1', info}, {320, '1', event}, {360, '1', info}, {500, '1', info}}, "111"},
		"INFO at the press, events at the release": {[]seen{{0, '4', info}, {900, '4', event}, {2000, '4', info}, {2900, '4', event}}, "44"},
		"pressed again in another kind, later":     {[]seen{{0, '7', info}, {3000, '7', event}}, "77"},
		"other keys in two kinds":                  {[]seen{{0, '7', info}, {100, '8', event}}, "78"},
		"the better kind misses one":               {[]seen{{0, '1', event}, {50, '1', info}, {1050, '2', info}, {2000, '3', event}, {2050, '3', info}}, "13"},
		"the better kind has gone":                 {[]seen{{0, '1', event}, {50, '1', info}, {1000, '2', info}, {2000, '3', info}, {3000, '4', info}, {4000, '5', info}}, "145"},
		"the better kind comes later":              {[]seen{{0, '1', tones}, {400, '1', info}, {1000, '2', tones}, {1400, '2', info}, {2000, '3', tones}, {2400, '3', info}}, "123"},
	} {
		if got := countedOf(new(Once), c.told); got != c.want {
			t.Errorf("%s: counted %q, want %q", name, got, c.want)
		}
	}
}

// Whatever kinds a phone sends, in whatever order and however late within half a
// second: each press counts once, none twice.
func TestOnceForEachPress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{event, info, tones}), 1, 3, rapid.ID[string]).Draw(t, "kinds")
		keys := rapid.SliceOfN(rapid.SampledFrom([]byte(symbols[:16])), 1, 20).Draw(t, "keys")
		late := make([]int, len(kinds))
		for i := range late {
			late[i] = rapid.IntRange(0, 500).Draw(t, "late")
		}
		var told []seen
		at := 1000
		for _, key := range keys {
			for i, kind := range kinds {
				told = append(told, seen{at + late[i], key, kind})
			}
			at += rapid.IntRange(160, 2000).Draw(t, "pause")
		}
		slices.SortStableFunc(told, func(a, b seen) int { return a.at - b.at })
		if got := countedOf(new(Once), told); got != string(keys) {
			t.Fatalf("pressed %q, counted %q", keys, got)
		}
	})
}

func TestCounted(t *testing.T) {
	var o Once
	if o.Counted('1', event, 0) || !o.Take(Digit{Symbol: '1', Method: info}, 0) {
		t.Error("nothing had come")
	}
	if !o.Counted('1', event, time.Second/2) || o.Counted('1', info, 0) || o.Counted('2', event, 0) || o.Counted('1', event, 3*time.Second) {
		t.Error("the INFO is the event's")
	}
}
