package flows_test

import (
	"testing"

	"b2bua/flows"
)

func TestWhatFollowsFromACode(t *testing.T) {
	for _, c := range []struct {
		codes    []int
		cause    flows.Result
		retry    flows.Retry
		fallback bool
		toCaller int
	}{
		{[]int{486, 600, 699}, flows.Busy, flows.RetryNever, true, 486},
		{[]int{603, 607, 608, 433}, flows.Rejected, flows.RetryNever, true, 486},
		{[]int{480, 487}, flows.NoAnswer, flows.RetryNever, true, 480},
		{[]int{404, 410, 604, 485}, flows.NotFound, flows.RetryNever, true, 404},
		{[]int{484}, flows.InvalidNumber, flows.RetryNever, true, 484},
		{[]int{401, 407}, flows.TrunkAuthFailed, flows.RetryOtherTrunk, true, 503},
		{[]int{403, 402}, flows.Forbidden, flows.RetryOtherTrunk, true, 503},
		{[]int{408, 430, 500, 502, 503, 504, 513, 580}, flows.Unavailable, flows.RetryOtherTrunk, true, 503},
		{[]int{488, 606, 415}, flows.CodecMismatch, flows.RetryOtherMedia, true, 488},
		{[]int{300, 301, 302, 380}, flows.Redirected, flows.RetryRedirect, true, 480},
		{[]int{400, 405, 416, 420, 482, 483, 491, 0, 999}, flows.Failed, flows.RetryNever, true, 480},
		{[]int{200, 202}, flows.Connected, flows.RetryNever, false, 480},
	} {
		for _, code := range c.codes {
			o := flows.OutcomeFromSIP(code, "as told")
			if o.Result != c.cause || o.SIPCode != code || o.SIPReason != "as told" {
				t.Errorf("%d: %+v, want %s", code, o, c.cause)
			}
		}
		code, reason := c.cause.ToCaller()
		if c.cause.Retry() != c.retry || c.cause.FallsBack() != c.fallback || code != c.toCaller || reason == "" {
			t.Errorf("%s: retry %v, fallback %v, to the caller %d %s", c.cause, c.cause.Retry(), c.cause.FallsBack(), code, reason)
		}
	}
	for _, cause := range []flows.Result{flows.Missing, flows.WebhookFailed, flows.NoInput, flows.InvalidInput} {
		if code, _ := cause.ToCaller(); !cause.FallsBack() || cause.Retry() != flows.RetryNever || code != 480 {
			t.Errorf("%s: %v %v %d", cause, cause.FallsBack(), cause.Retry(), code)
		}
	}
	for cause, want := range map[flows.Result]int{
		flows.Gone: 487, flows.CallerCancelled: 487, flows.ServerShutdown: 503, flows.MediaTimeout: 480, flows.TimeLimit: 480, flows.SessionExpired: 480,
	} {
		if code, _ := cause.ToCaller(); cause.FallsBack() || code != want {
			t.Errorf("%s: %v %d", cause, cause.FallsBack(), code)
		}
	}
}

func TestRejectCodes(t *testing.T) {
	for cause, want := range map[string]int{
		"busy": 486, "rejected": 486, "": 486, "not_found": 404, "unavailable": 480, "603": 603, "401": 480, "200": 480, "nonsense": 480,
	} {
		if code, reason := flows.RejectCode(cause); code != want || reason == "" {
			t.Errorf("%q: %d %q, want %d", cause, code, reason, want)
		}
	}
	for code := 400; code < 700; code++ {
		if _, reason := flows.RejectCode(string([]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)})); reason == "" {
			t.Fatalf("%d has no reason phrase", code)
		}
	}
}
