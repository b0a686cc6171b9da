package flows

import (
	"fmt"
	"strings"
)

// holding is what the conditions of a rule came to.
type holding struct {
	all      bool
	verdicts []Verdict
}

// conditions evaluates the conditions of rule i, all of them: the trace shows
// each one.
func (w *walk) conditions(i int) holding {
	h := holding{all: true}
	if len(w.at.rules[i].conditions) == 0 {
		return h
	}
	now := w.env.Now()
	for _, c := range w.at.rules[i].conditions {
		v := c.check(w.env.Call, now)
		h.all = h.all && v.Holds
		h.verdicts = append(h.verdicts, v)
	}
	return h
}

// words puts the verdicts behind what the pattern did: all of them when they
// hold, else those that do not.
func (h holding) words(pattern string) string {
	parts := []string{pattern}
	for _, v := range h.verdicts {
		switch {
		case h.all:
			parts = append(parts, v.Condition+" holds: "+v.Text)
		case !v.Holds:
			parts = append(parts, v.Condition+" does not hold: "+v.Text)
		}
	}
	return strings.Join(parts, "; ")
}

func (w *walk) note(kind string, rule *int, text string, detail map[string]any) {
	w.env.Caller.Note(Step{At: w.env.Now(), Kind: kind, Text: text, Rule: rule, Detail: detail})
}

// noteRule tells of a rule that was tried.
func (w *walk) noteRule(i int, text string, chosen bool, verdicts []Verdict) {
	pattern := w.at.flow.Routing[i].Pattern
	w.note(StepRule, &i, fmt.Sprintf("rule %d (%s): %s", i, pattern, text), ruleDetail(pattern, chosen, verdicts))
}

func ruleDetail(pattern string, chosen bool, verdicts []Verdict) map[string]any {
	detail := map[string]any{"pattern": pattern, "chosen": chosen}
	if len(verdicts) == 0 {
		return detail
	}
	list := make([]map[string]any, len(verdicts))
	for n, v := range verdicts {
		list[n] = map[string]any{"condition": v.Condition, "holds": v.Holds, "text": v.Text}
		for key, value := range v.Detail {
			list[n][key] = value
		}
	}
	detail["conditions"] = list
	return detail
}

func (w *walk) ruleRouting(i int, because string) Routing {
	return Routing{By: ByRule, RuleIndex: &i, Pattern: w.at.flow.Routing[i].Pattern, Because: because}
}

// destinationWords is a destination in words.
func destinationWords(kind DestinationType, to string) string {
	switch {
	case to == "":
		return nameOf(kind)
	case kind == ToSay:
		return fmt.Sprintf("say %q", shorten(to))
	}
	return nameOf(kind) + " " + to
}

// outcomeWords is an outcome in words, with what the far end said.
func outcomeWords(o Outcome) string {
	words := strings.ReplaceAll(string(o.Result), "_", " ")
	if o.SIPCode != 0 {
		words += strings.TrimRight(fmt.Sprintf(" (%d %s", o.SIPCode, o.SIPReason), " ") + ")"
	}
	if o.Detail != "" {
		words += ", " + o.Detail
	}
	return words
}
