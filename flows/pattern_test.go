package flows

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// patternCases say what a pattern takes and what it does not; they also seed
// the fuzzing.
var patternCases = []struct {
	pattern string
	takes   []string
	not     []string
}{
	{"1", []string{"1"}, []string{"", "2", "11", "*", "#"}},
	{"0", []string{"0"}, []string{"1"}},
	{"[0-9]", []string{"0", "5", "9"}, []string{"", "*", "#", "10"}},
	{"1[0-9]", []string{"10", "19"}, []string{"1", "20", "1*", "100"}},
	{"X", []string{"0", "9"}, []string{"*", "#", "A"}},
	{"x5", []string{"05", "95"}, []string{"5", "50"}},
	{"[*]", []string{"*"}, []string{"1", "#"}},
	{`\*`, []string{"*"}, []string{"1", `\*`}},
	{`\#`, []string{"#"}, []string{"*"}},
	{"#", []string{"#"}, []string{"*", "1"}},
	{`\*7[2-4]#`, []string{"*72#", "*74#"}, []string{"*71#", "*72", "72#"}},
	{"[135]", []string{"1", "3", "5"}, []string{"2", "4"}},
	{"[0-24-6*#]", []string{"0", "2", "4", "6", "*", "#"}, []string{"3", "7"}},
	{"[5-5]", []string{"5"}, []string{"4"}},
	{strings.Repeat("X", 32), []string{strings.Repeat("7", 32)}, []string{strings.Repeat("7", 31), strings.Repeat("7", 33)}},
}

func TestPatternTakesWhatItSays(t *testing.T) {
	for _, c := range patternCases {
		compiled, err := compileRule(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		p := newPatterns([]pattern{compiled})
		for _, digits := range c.takes {
			if hit, _ := p.Match(digits); !hit {
				t.Errorf("%s does not take %q", c.pattern, digits)
			}
		}
		for _, digits := range c.not {
			if hit, _ := p.Match(digits); hit {
				t.Errorf("%s takes %q", c.pattern, digits)
			}
		}
	}
}

func TestBadPatternShowsWhere(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		position int
		says     string
	}{
		{"", 1, "empty"},
		{"1*", 2, `\*`},
		{"**", 1, `\*`},
		{"12a", 3, "not a key"},
		{"1é", 2, `'é'`},
		{"[0-9", 1, "never closed"},
		{"1[", 2, "never closed"},
		{"[]", 1, "empty"},
		{"1]", 2, "without a ["},
		{"[9-0]", 2, "backwards"},
		{"[1-]", 2, "digit to digit"},
		{"[1-", 3, "no end"},
		{"[*-#]", 2, "digit to digit"},
		{"[a]", 2, "cannot stand in a class"},
		{"[^1]", 2, "cannot stand in a class"},
		{"[-1]", 2, "cannot stand in a class"},
		{`1\`, 2, "stands only before"},
		{`\1`, 1, "stands only before"},
		{"+1415", 1, "not a key"},
		{"1.", 2, "not a key"},
		{strings.Repeat("1", 33), 33, "at most 32"},
	} {
		_, err := compileRule(c.pattern)
		var bad *PatternError
		if !errors.As(err, &bad) {
			t.Errorf("%q: got %v, want a PatternError", c.pattern, err)
			continue
		}
		if bad.Position != c.position || !strings.Contains(bad.Problem, c.says) {
			t.Errorf("%q: got %v, want position %d and %q", c.pattern, err, c.position, c.says)
		}
	}
}

func TestStarIsCatchAllInRulesAndAKeyInMenus(t *testing.T) {
	rule, err := compileRule("*")
	if err != nil || !rule.catchAll {
		t.Fatalf("rule *: %+v, %v", rule, err)
	}
	if hit, longer := newPatterns([]pattern{rule}).Match("*"); hit || longer {
		t.Error("a catch-all took part in matching digits")
	}
	option, err := compileOption("*")
	if err != nil || option.catchAll {
		t.Fatalf("option *: %+v, %v", option, err)
	}
	if hit, _ := newPatterns([]pattern{option}).Match("*"); !hit {
		t.Error("the option * does not take the star key")
	}
}

func TestLongestMatchKnowsWhetherMoreCanFollow(t *testing.T) {
	p := mustPatterns(t, "1", "1[0-9]", "2", "30#")
	for _, c := range []struct {
		digits      string
		hit, longer bool
	}{
		{"", false, true},
		{"1", true, true},   // fires when the inter-digit timer ends
		{"15", true, false}, // at once
		{"2", true, false},
		{"3", false, true},
		{"30", false, true},
		{"30#", true, false},
		{"4", false, false},
		{"1#", false, false},
		{"300", false, false},
	} {
		if hit, longer := p.Match(c.digits); hit != c.hit || longer != c.longer {
			t.Errorf("%q: hit %v longer %v, want %v %v", c.digits, hit, longer, c.hit, c.longer)
		}
	}
	fewer := p.Only(func(i int) bool { return i != 1 })
	if hit, longer := fewer.Match("1"); !hit || longer {
		t.Errorf("without 1[0-9]: hit %v longer %v", hit, longer)
	}
	if n := fewer.Only(func(i int) bool { return i != 3 }).Longest(); n != 1 {
		t.Errorf("longest is %d", n)
	}
	if p.Wants('*') || !p.Wants('#') || p.Wants('!') {
		t.Error("Wants is wrong about * or #")
	}
}

func TestEarlierPatternWins(t *testing.T) {
	p := mustPatterns(t, "2", "[0-9]", "1")
	if i, ok := p.Find("1"); !ok || i != 1 {
		t.Errorf("got %d %v", i, ok)
	}
	if _, ok := p.Find("12"); ok {
		t.Error("found what does not match")
	}
}

func mustPatterns(t testing.TB, texts ...string) *Patterns {
	t.Helper()
	list := make([]pattern, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = compileRule(text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	return newPatterns(list)
}

// drawnPattern is a pattern together with what a naive reader makes of it: one
// string of accepted keys for each position.
type drawnPattern struct {
	text string
	at   []string
}

func drawPattern(t *rapid.T) drawnPattern {
	var p drawnPattern
	for range rapid.IntRange(1, 4).Draw(t, "length") {
		low := rapid.IntRange(0, 9).Draw(t, "low")
		high := rapid.IntRange(low, 9).Draw(t, "high")
		digits := "0123456789"
		switch rapid.IntRange(0, 5).Draw(t, "element") {
		case 0:
			p.text, p.at = p.text+digits[low:low+1], append(p.at, digits[low:low+1])
		case 1:
			p.text, p.at = p.text+"X", append(p.at, digits)
		case 2:
			p.text, p.at = p.text+`\*`, append(p.at, "*")
		case 3:
			p.text, p.at = p.text+"#", append(p.at, "#")
		case 4:
			p.text, p.at = p.text+"["+digits[low:low+1]+"-"+digits[high:high+1]+"]", append(p.at, digits[low:high+1])
		case 5:
			p.text, p.at = p.text+"["+digits[low:low+1]+"*]", append(p.at, digits[low:low+1]+"*")
		}
	}
	return p
}

// takes is the naive matcher: key by key, position by position.
func (p drawnPattern) takes(digits string) (full, begun bool) {
	if len(digits) > len(p.at) {
		return false, false
	}
	for i := range digits {
		if !strings.Contains(p.at[i], digits[i:i+1]) {
			return false, false
		}
	}
	return len(digits) == len(p.at), len(digits) < len(p.at)
}

func TestAutomatonAgreesWithNaiveMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(rapid.Custom(drawPattern), 0, 150).Draw(t, "patterns")
		off := rapid.SliceOfN(rapid.Bool(), len(drawn), len(drawn)).Draw(t, "off")
		list := make([]pattern, len(drawn))
		for i, d := range drawn {
			var err error
			if list[i], err = compileRule(d.text); err != nil {
				t.Fatalf("%q: %v", d.text, err)
			}
		}
		all := newPatterns(list)
		p := all.Only(func(i int) bool { return !off[i] })
		for _, digits := range rapid.SliceOfN(rapid.StringMatching(`[0-9*#]{0,5}`), 1, 20).Draw(t, "digits") {
			wantHit, wantLonger, first := false, false, -1
			for i, d := range drawn {
				full, begun := d.takes(digits)
				if all.matches(i, digits) != full {
					t.Fatalf("pattern %q, digits %q: matches is %v", d.text, digits, !full)
				}
				if off[i] {
					continue
				}
				if full && first < 0 {
					first = i
				}
				wantHit, wantLonger = wantHit || full, wantLonger || begun
			}
			if hit, longer := p.Match(digits); hit != wantHit || longer != wantLonger {
				t.Fatalf("digits %q: hit %v longer %v, want %v %v", digits, hit, longer, wantHit, wantLonger)
			}
			if i, ok := p.Find(digits); ok != wantHit || ok && i != first {
				t.Fatalf("digits %q: found %d %v, want %d %v", digits, i, ok, first, wantHit)
			}
		}
	})
}

func FuzzPattern(f *testing.F) {
	for _, c := range patternCases {
		f.Add(c.pattern, "1")
	}
	f.Add("[9-", "*")
	f.Fuzz(func(t *testing.T, text, digits string) {
		for _, compile := range []func(string) (pattern, error){compileRule, compileOption} {
			compiled, err := compile(text)
			var bad *PatternError
			switch {
			case err == nil && !compiled.catchAll && (len(compiled.at) == 0 || len(compiled.at) > maxKeys):
				t.Fatalf("%q compiled to %d positions", text, len(compiled.at))
			case err != nil && (!errors.As(err, &bad) || bad.Position < 1 || bad.Position > len(text)+1):
				t.Fatalf("%q: the error has no good position: %v", text, err)
			}
			p := newPatterns([]pattern{compiled})
			hit, longer := p.Match(digits)
			if hit && len(digits) != len(compiled.at) || longer && len(digits) >= len(compiled.at) {
				t.Fatalf("%q, digits %q: hit %v longer %v", text, digits, hit, longer)
			}
		}
	})
}
