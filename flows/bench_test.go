package flows

import (
	"fmt"
	"testing"
)

// Matching digits is on the way of every key press; it must not allocate.
func TestMatchingDoesNotAllocate(t *testing.T) {
	p := manyPatterns(t, 200)
	if n := testing.AllocsPerRun(100, func() { p.Match("142"); p.Find("142") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRuleMatching(b *testing.B) {
	for _, rules := range []int{10, 100, 1000} {
		p := manyPatterns(b, rules)
		b.Run(fmt.Sprintf("%d rules", rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if i, ok := p.Find("142"); !ok || i != rules-1 {
					b.Fatal("not found in the last place")
				}
			}
		})
	}
}

// manyPatterns are n patterns of which only the last takes 142.
func manyPatterns(t testing.TB, n int) *Patterns {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%d[0-4]X", i%8+2)
	}
	texts[n-1] = "1[0-4]X"
	return mustPatterns(t, texts...)
}
