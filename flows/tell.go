package flows

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// holding is whether the conditions of a rule held at a moment. Why is found out
// when somebody asks: neither the call nor the rule changes until then.
type holding struct {
	rule *rulePlan
	call *Call
	at   time.Time
	all  bool
}

// decide begins a decision at this moment.
func (w *walk) decide() { w.now.of(&w.env.Call, w.env.Now()) }

// holding looks at the conditions of rule i at the moment of the decision.
func (w *walk) holding(i int) holding {
	r := &w.at.rules[i]
	return holding{rule: r, call: w.now.call, at: w.now.at, all: r.holds(&w.now)}
}

// verdicts are all conditions, with why: the trace shows each one.
func (h holding) verdicts() []Verdict {
	if h.rule == nil || len(h.rule.conditions) == 0 {
		return nil
	}
	list := make([]Verdict, len(h.rule.conditions))
	for i, c := range h.rule.conditions {
		list[i] = c.check(*h.call, h.at)
	}
	return list
}

// words puts the verdicts behind what the pattern did: all of them when they
// hold, else those that do not.
func (h holding) words(pattern string) string { return h.wordsOf(pattern, h.verdicts()) }

func (h holding) wordsOf(pattern string, verdicts []Verdict) string {
	for _, v := range verdicts {
		switch {
		case h.all:
			pattern += "; " + v.Condition + " holds: " + v.Text
		case !v.Holds:
			pattern += "; " + v.Condition + " does not hold: " + v.Text
		}
	}
	return pattern
}

func (w *walk) note(kind string, rule *int, text string, detail map[string]any) {
	w.env.Caller.Note(Step{At: w.env.Now(), Kind: kind, Text: text, Rule: rule, Detail: detail})
}

// noteRule tells of a rule that was tried. The words are found when the trace is
// read: a call does not wait for those of a hundred rules.
func (w *walk) noteRule(i int, h holding, matched string) {
	pattern := w.at.flow.Routing[i].Pattern
	w.env.Caller.Note(Step{At: w.env.Now(), Kind: StepRule, Rule: &i, later: func() (string, map[string]any) {
		verdicts := h.verdicts()
		return "rule " + strconv.Itoa(i) + " (" + pattern + "): " + h.wordsOf(matched, verdicts), ruleDetail(pattern, h.all, verdicts)
	}})
}

// notePassed tells of a rule that did not take the call at arrival.
func (w *walk) notePassed(i int) {
	r := &w.at.flow.Routing[i]
	switch {
	case !w.at.rules[i].catchAll:
		w.noteRule(i, holding{}, "waits for digits, so it takes no part at arrival")
	case w.at.backTo(i, w.left):
		w.noteRule(i, holding{}, "leads to menu "+r.Destination+", which the caller has just left")
	default:
		h := holding{rule: &w.at.rules[i], call: w.now.call, at: w.now.at}
		w.noteRule(i, h, "matches any call")
	}
}

func ruleDetail(pattern string, chosen bool, verdicts []Verdict) map[string]any {
	detail := map[string]any{"pattern": pattern, "chosen": chosen}
	if len(verdicts) == 0 {
		return detail
	}
	list := make([]map[string]any, len(verdicts))
	for n, v := range verdicts {
		list[n] = v.Detail // made for this verdict alone
		list[n]["condition"], list[n]["holds"], list[n]["text"] = v.Condition, v.Holds, v.Text
	}
	detail["conditions"] = list
	return detail
}

func (w *walk) ruleRouting(i int, because string) Routing {
	return Routing{By: ByRule, RuleIndex: &i, Pattern: w.at.flow.Routing[i].Pattern, Because: because, Branch: Branch{flow: w.at.flow, index: i}}
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
