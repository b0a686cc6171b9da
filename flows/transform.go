package flows

import (
	"fmt"
	"regexp"
	"strconv"
)

// Transforms rewrite the numbers of a trunk, which may be written as its carrier
// likes, from and to E.164.
type Transforms struct {
	InboundFrom  []Transform `json:"inbound_from,omitempty"`  // the caller's number of calls in
	InboundTo    []Transform `json:"inbound_to,omitempty"`    // the number they are for
	OutboundFrom []Transform `json:"outbound_from,omitempty"` // the caller's number of calls out
	OutboundTo   []Transform `json:"outbound_to,omitempty"`   // the number they are for
}

// Transform rewrites a number that match describes as a whole: an expression of
// RE2, whose groups the replacement may take over as $1 or ${1}.
type Transform struct {
	Match   string `json:"match"`
	Replace string `json:"replace"`
}

// Way is which number of a trunk is meant.
type Way int

// The numbers that transforms rewrite.
const (
	InboundFrom Way = iota
	InboundTo
	OutboundFrom
	OutboundTo
	ways
)

const (
	maxTransforms = 50  // of one list
	maxExpression = 200 // characters of a match or replacement
	maxUser       = 64  // characters of a number before or after
)

// userForm is what a transform may make: what a number, or the name of an
// extension, can look like in a SIP URI without escaping.
var userForm = regexp.MustCompile(`^[+*#0-9A-Za-z][*#0-9A-Za-z._-]{0,63}$`)

// rewriter is a Transform that was compiled.
type rewriter struct {
	match   *regexp.Regexp
	replace string
}

// compile reads a transform; without a misfit it is good.
func (t Transform) compile() (rewriter, *misfit) {
	switch {
	case t.Match == "":
		return rewriter{}, &misfit{"match", "the expression is missing; write one that describes the whole number, such as 00(\\d+)"}
	case len(t.Match) > maxExpression:
		return rewriter{}, &misfit{"match", fmt.Sprintf("the expression has %d characters; at most %d are allowed", len(t.Match), maxExpression)}
	case len(t.Replace) > maxExpression:
		return rewriter{}, &misfit{"replace", fmt.Sprintf("the replacement has %d characters; at most %d are allowed", len(t.Replace), maxExpression)}
	}
	if _, err := regexp.Compile(t.Match); err != nil { // alone: "a)(b" must not borrow the brackets below
		return rewriter{}, &misfit{"match", fmt.Sprintf("%q is no regular expression (RE2): %s", shorten(t.Match), err)}
	}
	match, err := regexp.Compile(`^(?:` + t.Match + `)$`)
	if err != nil {
		return rewriter{}, &misfit{"match", fmt.Sprintf("%q is no regular expression (RE2): %s", shorten(t.Match), err)}
	}
	if bad := checkReplacement(match, t.Replace); bad != nil {
		return rewriter{}, bad
	}
	return rewriter{match: match, replace: t.Replace}, nil
}

// reference is a group in a replacement, as regexp.Expand reads it, or a $ that
// is none.
var reference = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))?`)

// checkReplacement sees that every reference names a group of the expression,
// because one that does not is replaced by nothing without a word, and that what
// remains can be part of a number.
func checkReplacement(match *regexp.Regexp, replace string) *misfit {
	for _, found := range reference.FindAllStringSubmatch(replace, -1) {
		name := found[1] + found[2]
		n, err := strconv.Atoi(name)
		switch {
		case name == "":
			return &misfit{"replace", fmt.Sprintf("%q has a $ that refers to nothing; write $1 for the first group", shorten(replace))}
		case err == nil && n <= match.NumSubexp(), err != nil && match.SubexpIndex(name) >= 0:
		default:
			return &misfit{"replace", fmt.Sprintf("%q refers to the group %q, which the expression does not have; write ${1} when letters or digits follow", shorten(replace), name)}
		}
	}
	if rest := reference.ReplaceAllString(replace, "0"); !userForm.MatchString(rest) {
		return &misfit{"replace", fmt.Sprintf("%q makes no number; use digits, letters and + * # . _ -", shorten(replace))}
	}
	return nil
}

// misfit is what is wrong with a transform, and in which field.
type misfit struct{ field, message string }

// Validate tells everything that is wrong with the transforms.
func (t *Transforms) Validate() Problems {
	var problems Problems
	for way, list := range t.lists() {
		name := wayNames[way]
		if len(list) > maxTransforms {
			problems.add(name, "a list has at most %d transforms; this one has %d", maxTransforms, len(list))
			continue
		}
		for i, one := range list {
			if _, bad := one.compile(); bad != nil {
				problems.add(fmt.Sprintf("%s[%d].%s", name, i, bad.field), "%s", bad.message)
			}
		}
	}
	return problems
}

var wayNames = [ways]string{"inbound_from", "inbound_to", "outbound_from", "outbound_to"}

func (t *Transforms) lists() [ways][]Transform {
	return [ways][]Transform{t.InboundFrom, t.InboundTo, t.OutboundFrom, t.OutboundTo}
}

// rewriters are the transforms of a trunk, compiled.
type rewriters [ways][]rewriter

// compileTransforms leaves out what Validate refused.
func compileTransforms(t *Transforms) *rewriters {
	if t == nil {
		return nil
	}
	var all rewriters
	for way, list := range t.lists() {
		for _, one := range list {
			if r, bad := one.compile(); bad == nil {
				all[way] = append(all[way], r)
			}
		}
	}
	return &all
}

// Rewrite is a number of a trunk's call as the trunk's transforms have it: the
// first that describes the whole number makes the new one. Without any, or when
// what comes out could be no number, it stays as it is.
func (p *Plan) Rewrite(trunkID string, way Way, number string) string {
	all := p.rewriters[trunkID]
	if all == nil || len(number) > maxUser {
		return number
	}
	for _, r := range all[way] {
		at := r.match.FindStringSubmatchIndex(number)
		if at == nil {
			continue
		}
		if made := string(r.match.ExpandString(nil, r.replace, number, at)); userForm.MatchString(made) {
			return made
		}
		return number
	}
	return number
}
