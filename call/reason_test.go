package call

import (
	"testing"

	"b2bua/sip"
)

func TestAReasonIsRead(t *testing.T) {
	for header, want := range map[string]sip.Reason{
		"":                   {},
		"SIP":                {Protocol: "SIP"},
		"Q.850;cause=16":     {Protocol: "Q.850", Cause: 16},
		"SIP ; cause = 200 ": {Protocol: "SIP", Cause: 200},
		`SIP;cause=200;text="Call completed elsewhere"`: {Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"},
		`SIP;text="a;b,c";cause=486, Q.850;cause=17`:    {Protocol: "SIP", Cause: 486, Text: "a;b,c"},
		`SIP;cause=99999;text="x`:                       {Protocol: "SIP", Text: "x"},
		`SIP;text="say \"no\""`:                         {Protocol: "SIP", Text: `say "no"`},
		";cause=1":                                      {},
	} {
		if got := parseReason(header); got != want {
			t.Errorf("%s: %+v, want %+v", header, got, want)
		}
	}
}

func FuzzReason(f *testing.F) {
	f.Add(`SIP;cause=200;text="Call completed elsewhere"`)
	f.Fuzz(func(t *testing.T, header string) {
		if r := parseReason(header); r.Cause < 0 || r.Cause > 999 {
			t.Errorf("cause %d", r.Cause)
		}
	})
}
