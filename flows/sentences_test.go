package flows_test

import (
	"strings"
	"testing"

	"b2bua/flows"
)

// "fallback: runs on no answer within timeout, busy, reject, unreachable,
// destination missing, webhook failure. Never when the caller hangs up. Without
// fallback the next matching rule is tried."
func TestFallbackAfterEveryFailure(t *testing.T) {
	const hook = "https://example.com/a"
	dialled := "phone_number " + office
	for what, c := range map[string]struct {
		to      string
		outcome flows.Outcome
		taken   bool
	}{
		"no answer":                  {dialled, noAnswer, true},
		"busy":                       {dialled, busy, true},
		"busy everywhere":            {dialled, flows.OutcomeFromSIP(600, "Busy Everywhere"), true},
		"rejected":                   {dialled, flows.OutcomeFromSIP(603, "Decline"), true},
		"no such number":             {dialled, flows.OutcomeFromSIP(404, "Not Found"), true},
		"no such user":               {dialled, flows.OutcomeFromSIP(410, "Gone"), true},
		"unavailable":                {dialled, flows.OutcomeFromSIP(480, "Temporarily Unavailable"), true},
		"request timed out":          {dialled, flows.OutcomeFromSIP(408, "Request Timeout"), true},
		"forbidden":                  {dialled, flows.OutcomeFromSIP(403, "Forbidden"), true},
		"no codec":                   {dialled, flows.OutcomeFromSIP(488, "Not Acceptable Here"), true},
		"the carrier is down":        {dialled, flows.OutcomeFromSIP(503, "Service Unavailable"), true},
		"the carrier fails":          {dialled, flows.OutcomeFromSIP(500, "Server Internal Error"), true},
		"there is no trunk":          {dialled, flows.Outcome{Result: flows.Unavailable}, true},
		"the box is missing":         {"voicemail nobox", flows.Outcome{}, true},
		"the menu is missing":        {"ivr_menu nomenu", flows.Outcome{}, true},
		"the webhook fails":          {"webhook " + hook, flows.Outcome{}, true},
		"the caller hangs up":        {dialled, flows.Outcome{Result: flows.Gone}, false},
		"somebody answers and talks": {dialled, flows.Outcome{Result: flows.Connected}, false},
	} {
		for _, given := range []string{" ! voicemail voicemail_default 30", ""} {
			s := tell(t, "* "+c.to+given, "* hangup next")
			if c.outcome.Result != "" {
				s.dials = map[string][]flows.Outcome{office: {c.outcome}}
			}
			flows.Run(s.ctx, s.env())
			last, want := s.asked[len(s.asked)-1], "dial phone_number "+office
			switch {
			case c.taken && given != "":
				want = "voicemail voicemail_default"
			case c.taken:
				want = "hangup next"
			}
			if !strings.HasPrefix(last, want) {
				t.Errorf("%s, fallback %q: ended with %s, want %s", what, given, last, want)
			}
		}
	}
}
