package flows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// keying is a kind of input to a menu: keys that lead to the same option and the
// same rules.
type keying struct {
	digits string // an example
	option int    // the first that matches; -1: none
	rules  []int  // those that match and hold
	waits  bool   // for the inter-digit timeout, as something longer begins the same
}

// prefixes of input that can still become the same patterns are one.
type inputs struct {
	digits  string
	options []int
	rules   []int
}

func split(left string) []string { return strings.Fields(left) }

// classes are all kinds of input that a menu takes in a flow, in the present
// world. The patterns are followed key by key.
func (x *explorer) classes(m *menuPlan, f *flowPlan) (list []keying) {
	options, rules := make([]pattern, len(m.menu.Options)), make([]pattern, len(f.rules))
	first := inputs{}
	for i, o := range m.menu.Options {
		options[i], _ = compileOption(o.Digit)
		first.options = append(first.options, i)
	}
	for i, r := range f.flow.Routing {
		if rules[i], _ = compileRule(r.Pattern); !rules[i].catchAll && x.held[f][i] {
			first.rules = append(first.rules, i)
		}
	}
	fit := fitted(m.menu, &keypad{options: m.patterns, rules: f.patterns.Only(func(i int) bool { return x.held[f][i] })})
	seen := map[string]bool{}
	front := []inputs{first}
	for n := 1; len(front) > 0 && n <= maxKeys; n++ {
		var next []inputs
		for _, in := range front {
			for s := range len(symbols) {
				key := symbols[s]
				if fit.ValidDigits != "" && strings.IndexByte(fit.ValidDigits, key) < 0 || *fit.FinishOnKey == string(key) {
					continue
				}
				if !x.may(1 + len(in.options) + len(in.rules)) {
					return list
				}
				alive := func(list []pattern) func(i int) bool {
					return func(i int) bool { return len(list[i].at) < n || list[i].at[n-1]&(1<<s) == 0 }
				}
				now := inputs{in.digits + string(key), slices.DeleteFunc(slices.Clone(in.options), alive(options)), slices.DeleteFunc(slices.Clone(in.rules), alive(rules))}
				name := fmt.Sprint(n, now.options, now.rules)
				if seen[name] || len(now.options)+len(now.rules) == 0 {
					continue
				}
				if seen[name] = true; len(seen) > mostClasses {
					x.cut = cmp.Or(x.cut, fmt.Sprintf("menu %s takes more than %d kinds of input", m.menu.ID, mostClasses))
					return list
				}
				if c, ok := now.full(options, rules, n); ok && n >= fit.MinDigits {
					list = append(list, c)
				}
				next = append(next, now)
			}
		}
		front = next
	}
	return list
}

// full is the keying of inputs that are complete, if they are.
func (in inputs) full(options, rules []pattern, n int) (c keying, ok bool) {
	c = keying{digits: in.digits, option: -1}
	for _, i := range in.options {
		if len(options[i].at) > n {
			c.waits = true
		} else if c.option < 0 {
			c.option = i
		}
	}
	for _, i := range in.rules {
		if len(rules[i].at) > n {
			c.waits = true
		} else {
			c.rules = append(c.rules, i)
		}
	}
	return c, c.option >= 0 || len(c.rules) > 0
}
