package flows

import "fmt"

// FlowTest is an example kept with a flow: a call, and what is to become of it.
type FlowTest struct {
	Name   string `json:"name" doc:"What is tested"`
	Given  Given  `json:"given,omitzero" doc:"The call"`
	Expect Expect `json:"expect" doc:"What is to become of it; only what is given is looked at"`
}

// Expect is what is to become of a call.
type Expect struct {
	Destination     string          `json:"destination,omitempty" doc:"Where the call is sent last"`
	DestinationType DestinationType `json:"destination_type,omitempty" doc:"What that is"`
	Rule            *int            `json:"rule,omitempty" doc:"Index in routing of the rule that sent it there, or whose fallback did"`
	By              string          `json:"by,omitempty" doc:"What sent it there" enum:"rule,option,fallback,webhook"`
	Result          string          `json:"result,omitempty" doc:"What comes of it there, such as connected, busy or routing_failed"`
	Reason          string          `json:"reason,omitempty" doc:"completion_reason or failure_reason of the call"`
	Status          string          `json:"status,omitempty" doc:"Of the call's record" enum:"completed,failed"`
	Visits          []string        `json:"visits,omitempty" doc:"Destinations that the call passes through in this order, perhaps with others between them"`
	Avoids          []string        `json:"avoids,omitempty" doc:"Destinations that the call must not come to"`
}

const maxTests = 200

// validateTests tells everything that is wrong with the tests of a flow.
func (f *CallFlow) validateTests() Problems {
	var problems Problems
	if len(f.Tests) > maxTests {
		problems.add("tests", "a call flow has at most %d tests; this one has %d", maxTests, len(f.Tests))
	}
	seen := make(map[string]int, len(f.Tests))
	for i := range f.Tests {
		at, t := fmt.Sprintf("tests[%d]", i), &f.Tests[i]
		var found Problems
		found.checkName(t.Name)
		if first, twice := seen[t.Name]; twice {
			found.add("name", "test %d has this name already; give each test its own", first)
		}
		seen[t.Name] = i
		found = append(found, t.Given.Validate().Under("given")...)
		if t.Given.Webhook == WebhookLive {
			found.add("given.webhook", "a test must come to the same end every time; use mock")
		}
		found = append(found, t.Expect.validate().Under("expect")...)
		problems = append(problems, found.Under(at)...)
	}
	if f.TestsRequired && len(f.Tests) == 0 {
		problems.add("tests_required", "there are no tests that could be required; add tests")
	}
	return problems
}

func (e *Expect) validate() Problems {
	var problems Problems
	if e.Destination == "" && e.DestinationType == "" && e.Rule == nil && e.By == "" && e.Result == "" && e.Reason == "" &&
		e.Status == "" && len(e.Visits) == 0 && len(e.Avoids) == 0 {
		problems.add("", "the test expects nothing; name a destination, for example")
	}
	problems.checkOneOf("by", e.By, "", ByRule, ByOption, ByFallback, ByWebhook)
	problems.checkOneOf("status", e.Status, "", "completed", "failed")
	return problems
}
