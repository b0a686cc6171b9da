package flows

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Given is a call to be simulated: who calls when, what the caller presses, and
// what comes of the destinations.
type Given struct {
	From        string              `json:"from,omitempty" doc:"Number of the caller; none means that it is withheld"`
	To          string              `json:"to,omitempty" doc:"Number that was dialled; the flow's own when left out"`
	At          time.Time           `json:"at,omitzero" doc:"When the call comes in; now when left out"`
	Anonymous   bool                `json:"anonymous,omitempty" doc:"Whether the caller withholds the number"`
	Verstat     string              `json:"verstat,omitempty" doc:"What is known of the caller's number (STIR/SHAKEN)" enum:"passed,failed,none"`
	Attestation string              `json:"attestation,omitempty" doc:"Of a number that passed" enum:"A,B,C"`
	Digits      string              `json:"digits,omitempty" doc:"Keys that the caller presses. They are typed ahead; a comma waits until the caller is asked again, and two commas are a time of silence"`
	Script      []string            `json:"script,omitempty" doc:"What the caller presses each time he is asked, instead of digits: keys, an empty text for silence, or hangup"`
	Outcomes    map[string]Results  `json:"outcomes,omitempty" doc:"What comes of a destination each time it is tried, by its id, number or URL; * is any other. A result as traces name them (busy, no_answer, connected …; of queues timeout, full, empty, exit_key, abandoned, transferred, error), a SIP code, or hangup for a caller who gives up meanwhile. Connected when left out"`
	Webhook     string              `json:"webhook,omitempty" doc:"mock takes the replies of webhooks; live asks the webhook" enum:"mock,live" default:"mock"`
	Webhooks    map[string]Decision `json:"webhooks,omitempty" doc:"Replies of webhooks, by URL; one without fails"`
}

// Results are the results of one destination, one for each time it is tried; the
// last goes on. In JSON one alone may stand without its list.
type Results []string

// UnmarshalJSON takes a list or a single text.
func (r *Results) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*r = Results{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return errors.New("must be a text such as busy, or a list of them")
	}
	*r = list
	return nil
}

// GivenHangup is how a script or an outcome says that the caller hangs up.
const GivenHangup = "hangup"

// Modes of Given.Webhook.
const (
	WebhookMock = "mock"
	WebhookLive = "live"
)

const (
	maxScript  = 1000
	maxScripts = 100_000 // keys in all
)

// givenResults are those that an outcome may name besides SIP codes and hangup.
var givenResults = []Result{
	Connected, NoAnswer, Busy, Rejected, NotFound, InvalidNumber, TrunkAuthFailed,
	Forbidden, Unavailable, CodecMismatch, Redirected, Missing, WebhookFailed,
	QueueTimeout, QueueFull, QueueEmpty, QueueExit, Failed,
}

// givenExits are exit results of queues that are something else to a flow.
var givenExits = map[string]Result{"abandoned": Gone, "transferred": Connected, "error": Failed}

// Validate tells everything that is wrong with the call.
func (g *Given) Validate() Problems {
	var problems Problems
	if g.Digits != "" && g.Script != nil {
		problems.add("script", "digits and script both say what the caller presses; give one of them")
	}
	if len(g.Script) > maxScript || len(g.Digits) > maxScripts {
		problems.add("script", "the caller presses keys at most %d times", maxScript)
	}
	for i, entry := range g.Entries() {
		if entry != GivenHangup && strings.Trim(entry, symbols) != "" {
			problems.add("script["+strconv.Itoa(i)+"]", "%q is neither keys (0-9 * #) nor hangup", entry)
		}
	}
	if !slices.Contains([]string{"", VerstatPassed, VerstatFailed, VerstatNone}, g.Verstat) {
		problems.add("verstat", "%q is not known here; use passed, failed or none", g.Verstat)
	}
	if !slices.Contains([]string{"", WebhookMock, WebhookLive}, g.Webhook) {
		problems.add("webhook", "%q is not known here; use mock or live", g.Webhook)
	}
	for _, to := range slices.Sorted(maps.Keys(g.Outcomes)) {
		for i, result := range g.Outcomes[to] {
			if _, err := ReadResult(result); err != nil {
				problems.add("outcomes."+to+"["+strconv.Itoa(i)+"]", "%s", err)
			}
		}
	}
	return problems
}

// Entries is the script, also when it was given as digits.
func (g *Given) Entries() []string {
	switch {
	case g.Script != nil:
		return g.Script
	case g.Digits == "":
		return nil
	}
	return strings.Split(g.Digits, ",")
}

// givenCodes are the codes by which far ends mostly say these results.
var givenCodes = map[Result]int{Busy: 486, Rejected: 603, NotFound: 404, Unavailable: 503, Forbidden: 403, CodecMismatch: 488}

// ReadResult reads one result of Given.Outcomes.
func ReadResult(text string) (Outcome, error) {
	text = cmp.Or(text, string(Connected))
	if text == GivenHangup {
		return Outcome{Result: Gone}, nil
	}
	if r, ok := givenExits[text]; ok {
		return Outcome{Result: r}, nil
	}
	if code, err := strconv.Atoi(text); err == nil && code >= 200 && code <= 699 {
		reason := ""
		if code >= 400 {
			_, reason = RejectCode(text)
		}
		return OutcomeFromSIP(code, reason), nil
	}
	if slices.Contains(givenResults, Result(text)) {
		code := givenCodes[Result(text)]
		return Outcome{Result: Result(text), SIPCode: code, SIPReason: sipReasons[code]}, nil
	}
	names := make([]string, len(givenResults))
	for i, r := range givenResults {
		names[i] = string(r)
	}
	return Outcome{}, fmt.Errorf("%q is not a result; use %s, hangup or a SIP code", text, strings.Join(names, ", "))
}
