package store

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"carrier": "carrier", "Carrier": "carrier", "My Carrier": "my_carrier", "my_carrier": "my_carrier", "my-carrier": "my_carrier",
	} {
		if got := slug(name); got != want {
			t.Errorf("%q: %q instead of %q", name, got, want)
		}
	}
	seen := map[string]string{}
	for _, name := range []string{"Börse 1", "B rse 1", "Bürse 1", "+1415555", "1415555", "", "日本", "中国", strings.Repeat("x", 100), strings.Repeat("x", 101)} {
		got := slug(name)
		if !idPattern.MatchString("trunk_"+got) || seen[got] != "" {
			t.Errorf("%q and %q: %q", name, seen[got], got)
		}
		seen[got] = name
	}
}
