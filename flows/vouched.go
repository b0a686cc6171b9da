package flows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is known of the caller's number (RFC 8224), in Call.Verstat.
const (
	VerstatPassed = "passed"
	VerstatFailed = "failed"
	VerstatNone   = "none"
)

// verstats are the values of Conditions.Verstat.
var verstats = []string{VerstatPassed, VerstatFailed, VerstatNone}

// vouched holds when what is known of the caller's number is in its list.
type vouched []string

func compileVouched(list []string, problems *Problems) vouched {
	for i, v := range list {
		if !slices.Contains(verstats, v) {
			problems.add(fmt.Sprintf("verstat[%d]", i), "%q is not one of %s", v, strings.Join(verstats, ", "))
		}
	}
	return list
}

func (o vouched) holds(d *decision) bool {
	return slices.Contains(o, cmp.Or(d.call.Verstat, VerstatNone))
}

func (o vouched) check(c Call, _ time.Time) Verdict {
	verstat := cmp.Or(c.Verstat, VerstatNone)
	v := Verdict{
		Condition: "verstat", Holds: slices.Contains(o, verstat),
		Detail: map[string]any{"wanted": []string(o), "verstat": verstat},
	}
	switch verstat {
	case VerstatPassed:
		v.Text = "the caller's number is vouched for"
		if c.Attestation != "" {
			v.Detail["attestation"] = c.Attestation
			v.Text += ", attestation " + c.Attestation
		}
	case VerstatFailed:
		v.Text = "the caller's number failed verification"
	default:
		v.Text = "nobody vouches for the caller's number"
	}
	return v
}
