package flows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// covered says whether everything that p matches is matched by one of the list,
// not all of it by the same: the list is followed key by key, keys that leave
// the same patterns over are one case.
func covered(p pattern, list []pattern) bool {
	list = slices.DeleteFunc(slices.Clone(list), func(q pattern) bool { return len(q.at) != len(p.at) })
	steps := 0
	return coveredFrom(p, list, 0, &steps)
}

const mostCovering = 100_000 // beyond it a pattern counts as not covered

func coveredFrom(p pattern, list []pattern, n int, steps *int) bool {
	if *steps++; len(list) == 0 || *steps > mostCovering {
		return false
	}
	if n == len(p.at) {
		return true
	}
	seen := map[string]bool{}
	for s := range len(symbols) {
		key := keys(1) << s
		if p.at[n]&key == 0 {
			continue
		}
		var left []pattern
		name := ""
		for i, q := range list {
			if q.at[n]&key != 0 {
				left = append(left, q)
				name += fmt.Sprint(i, " ")
			}
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		if !coveredFrom(p, left, n+1, steps) {
			return false
		}
	}
	return true
}

// meet says whether two patterns can match the same digits.
func meet(p, q pattern) bool {
	if len(p.at) != len(q.at) {
		return false
	}
	for n := range p.at {
		if p.at[n]&q.at[n] == 0 {
			return false
		}
	}
	return true
}

// begins says whether something that short matches is the beginning of
// something that long matches.
func begins(short, long pattern) bool {
	if short.catchAll || long.catchAll || len(short.at) >= len(long.at) {
		return false
	}
	for n := range short.at {
		if short.at[n]&long.at[n] == 0 {
			return false
		}
	}
	return true
}

const waitsFix = "give the short one another first key, or tell callers to end it with the finish key"

// waits looks for digits that cost an inter-digit wait.
func (l *lint) waits(f *flowPlan) {
	list := make([]pattern, len(f.flow.Routing))
	for i, r := range f.flow.Routing {
		list[i], _ = compileRule(r.Pattern)
	}
	menus := l.plan.presents(f)
	for i, short := range list {
		r := f.flow.Routing[i]
		if j := slices.IndexFunc(list, func(long pattern) bool { return begins(short, long) }); j >= 0 {
			l.add(at("routing", i, "pattern"), "waits", waitsFix,
				"a caller who presses %s waits for the inter-digit timeout, because %s of rule %d begins the same", r.Pattern, f.flow.Routing[j].Pattern, j)
			continue
		}
		for _, m := range menus {
			if k := slices.IndexFunc(m.menu.Options, func(o Option) bool { q, _ := compileOption(o.Digit); return begins(short, q) || begins(q, list[i]) }); k >= 0 {
				l.add(at("routing", i, "pattern"), "waits", waitsFix,
					"in menu %s %s and option %s begin the same, so the shorter of the two waits for the inter-digit timeout", m.menu.ID, r.Pattern, m.menu.Options[k].Digit)
				break
			}
		}
	}
}

// options looks at what the keys of a menu lead to.
func (l *lint) options(m *menuPlan) {
	list := make([]pattern, len(m.menu.Options))
	for i, o := range m.menu.Options {
		list[i], _ = compileOption(o.Digit)
	}
	for i, o := range m.menu.Options {
		path := at("options", i, "digit")
		switch j := slices.IndexFunc(list, func(long pattern) bool { return begins(list[i], long) }); {
		case covered(list[i], list[:i]):
			l.add(path, "shadowed", "move it before them, or take it away", "%s is never chosen: options before it match the same", o.Digit)
		case !typable(m.menu, list[i]):
			l.add(path, "never_reached", "change valid_digits or min_digits, or the option", "%s cannot be chosen: the menu takes only %q as valid_digits and at least %d digits", o.Digit, m.menu.ValidDigits, m.menu.MinDigits)
		case j >= 0:
			l.add(path, "waits", waitsFix, "a caller who presses %s waits for the inter-digit timeout, because option %s begins the same", o.Digit, m.menu.Options[j].Digit)
		}
	}
}

// spokenKeys are the words by which prompts name keys.
var spokenKeys = map[string]string{
	"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
	"star": "*", "asterisk": "*", "pound": "#", "hash": "#",
	"null": "0", "eins": "1", "zwei": "2", "drei": "3", "vier": "4", "fünf": "5", "sechs": "6", "sieben": "7", "acht": "8", "neun": "9", "stern": "*", "raute": "#",
	"uno": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "un": "1", "deux": "2", "trois": "3", "quatre": "4", "cinq": "5",
}

var announced = regexp.MustCompile(`(?i)\b(?:press|dial|push|hit|drücken sie|wählen sie|oprima|marque|pulse|appuyez sur|tapez)\s+` +
	`(?:(?:the|die|el|la|le|key|taste|tecla|touche|number|digit)\s+){0,2}([0-9]+|[*#]|[\p{L}]+)`)

// prompt looks for keys that the prompt announces and nothing takes. Digit rules
// of the flows that present the menu count.
func (l *lint) prompt(m *menuPlan) {
	if strings.Contains(m.menu.Prompt, "://") || strings.HasPrefix(m.menu.Prompt, "prompt_") {
		return
	}
	sets := []*Patterns{m.patterns}
	for _, f := range l.plan.presentedBy(m) {
		sets = append(sets, f.patterns)
	}
	if len(m.menu.Options) == 0 && len(sets) == 1 {
		return // its flow may still have to be made
	}
	told := map[string]bool{}
	for _, found := range announced.FindAllStringSubmatch(m.menu.Prompt, -1) {
		digits, named := spokenKeys[strings.ToLower(found[1])]
		if !named {
			digits = found[1]
		}
		if strings.Trim(digits, symbols) != "" || told[digits] || m.menu.FinishOnKey != nil && digits == *m.menu.FinishOnKey {
			continue
		}
		taken := slices.ContainsFunc(sets, func(p *Patterns) bool { hit, longer := p.Match(digits); return hit || longer })
		if told[digits] = true; !taken {
			l.add("prompt", "announced_key", "add the option, or change the prompt",
				"the prompt announces the key %s (%q), but no option and no rule takes it", digits, found[0])
		}
	}
}
