package ivr

import (
	"strings"
	"testing"

	"b2bua/flows"

	"pgregory.net/rapid"
)

// words is a matcher that knows some exact entries.
type words []string

func (w words) Match(digits string) (hit, longer bool) {
	for _, s := range w {
		hit = hit || s == digits
		longer = longer || (len(s) > len(digits) && strings.HasPrefix(s, digits))
	}
	return hit, longer
}

func TestCollector(t *testing.T) {
	for _, c := range []struct {
		name   string
		rules  Rules
		keys   string // '.' is the end of the timer
		digits string
		end    string
		reason string
	}{
		{"one digit", Rules{}, "5", "5", "", flows.MenuMaxDigits},
		{"nothing", Rules{}, ".", "", "", flows.MenuNoInput},
		{"four digits", Rules{MaxDigits: 4}, "1234", "1234", "", flows.MenuMaxDigits},
		{"finish key", Rules{MaxDigits: 4, FinishOnKey: "#"}, "12#", "12", "#", flows.MenuFinishKey},
		{"finish key alone", Rules{MaxDigits: 4, FinishOnKey: "#"}, "#", "", "#", flows.MenuInvalid},
		{"finish too early", Rules{MinDigits: 3, MaxDigits: 4, FinishOnKey: "#"}, "12#", "12", "#", flows.MenuInvalid},
		{"finish key disabled", Rules{MaxDigits: 3}, "1#2", "1#2", "", flows.MenuMaxDigits},
		{"star finishes", Rules{MaxDigits: 5, FinishOnKey: "*"}, "1#*", "1#", "*", flows.MenuFinishKey},
		{"time between digits", Rules{MaxDigits: 4}, "12.", "12", "", flows.MenuInterDigitTimeout},
		{"time between, too few", Rules{MinDigits: 3, MaxDigits: 4}, "12.", "12", "", flows.MenuInvalid},
		{"key not valid", Rules{MaxDigits: 4, ValidDigits: "123"}, "14", "14", "", flows.MenuInvalid},
		{"finish key need not be valid", Rules{MaxDigits: 4, ValidDigits: "123", FinishOnKey: "#"}, "12#", "12", "#", flows.MenuFinishKey},
		{"match at once", Rules{MaxDigits: 2, Match: words{"1", "2"}}, "1", "1", "", flows.MenuMatched},
		{"no match at once", Rules{MaxDigits: 2, Match: words{"1", "2"}}, "3", "3", "", flows.MenuInvalid},
		{"short waits for long", Rules{MaxDigits: 2, Match: words{"1", "10"}}, "1.", "1", "", flows.MenuInterDigitTimeout},
		{"long wins", Rules{MaxDigits: 2, Match: words{"1", "10"}}, "10", "10", "", flows.MenuMatched},
		{"short, then wrong", Rules{MaxDigits: 2, Match: words{"1", "10"}}, "15", "15", "", flows.MenuInvalid},
		{"short by finish key", Rules{MaxDigits: 2, FinishOnKey: "#", Match: words{"1", "10"}}, "1#", "1", "#", flows.MenuFinishKey},
		{"prefix by finish key", Rules{MaxDigits: 3, FinishOnKey: "#", Match: words{"100"}}, "10#", "10", "#", flows.MenuInvalid},
		{"prefix by time", Rules{MaxDigits: 3, Match: words{"100"}}, "10.", "10", "", flows.MenuInvalid},
		{"hit at the limit", Rules{MaxDigits: 1, Match: words{"1", "10"}}, "1", "1", "", flows.MenuMaxDigits},
		{"prefix at the limit", Rules{MaxDigits: 1, Match: words{"10"}}, "1", "1", "", flows.MenuInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			col := NewCollector(c.rules)
			for i, key := range []byte(c.keys) {
				if col.Reason() != "" {
					t.Fatalf("over before key %d", i)
				}
				if key == '.' {
					col.Expire()
				} else {
					col.Press(key)
				}
			}
			if col.Reason() != c.reason || col.Digits() != c.digits || col.Terminator() != c.end {
				t.Errorf("%q %q %q", col.Reason(), col.Digits(), col.Terminator())
			}
		})
	}
}

func TestCollectorProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entry := rapid.StringMatching(`[0-9*]{1,4}`)
		r := Rules{
			MinDigits: rapid.IntRange(0, 4).Draw(t, "min"), MaxDigits: rapid.IntRange(0, 6).Draw(t, "max"),
			FinishOnKey: rapid.SampledFrom([]string{"", "#"}).Draw(t, "finish"),
			ValidDigits: rapid.SampledFrom([]string{"", "0123456789"}).Draw(t, "valid"),
		}
		known := words(rapid.SliceOfN(entry, 0, 6).Draw(t, "words"))
		if len(known) > 0 {
			r.Match = known
		}
		c := NewCollector(r)
		pressed := ""
		for _, key := range []byte(rapid.StringMatching(`[0-9*#.]{0,9}`).Draw(t, "keys")) {
			before, over := *c, c.Reason() != ""
			if key == '.' {
				c.Expire()
			} else {
				c.Press(key)
			}
			if over {
				if c.Reason() != before.Reason() || c.Digits() != before.Digits() {
					t.Fatal("changed after the end")
				}
				continue
			}
			if key != '.' && c.Terminator() == "" {
				pressed += string(key)
			}
		}
		answered := c.Reason() != "" && c.Reason() != flows.MenuInvalid && c.Reason() != flows.MenuNoInput
		switch {
		case c.Digits() != pressed:
			t.Fatalf("digits %q of %q", c.Digits(), pressed)
		case len(pressed) > max(r.MaxDigits, r.MinDigits, 1):
			t.Fatalf("%d digits", len(pressed))
		case (c.Reason() == flows.MenuNoInput) && pressed != "":
			t.Fatal("no input with digits")
		case answered && len(pressed) < max(r.MinDigits, 1):
			t.Fatal("answer is too short")
		case answered && r.ValidDigits != "" && strings.Trim(pressed, r.ValidDigits) != "":
			t.Fatal("answer has keys that are not valid")
		}
		if answered && r.Match != nil {
			if hit, _ := r.Match.Match(pressed); !hit {
				t.Fatalf("%q is no answer", pressed)
			}
		}
		if c.Reason() == flows.MenuMatched {
			if _, longer := r.Match.Match(pressed); longer {
				t.Fatal("decided too early")
			}
		}
	})
}
