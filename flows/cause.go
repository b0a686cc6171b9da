package flows

// Result is what came of a destination or why a call ended: the cause.
type Result string

// The results.
const (
	Connected       Result = "connected" // talked or spoken to the end: the flow is done
	NoAnswer        Result = "no_answer"
	Busy            Result = "busy"
	Rejected        Result = "rejected"
	NotFound        Result = "not_found"
	InvalidNumber   Result = "invalid_number"
	TrunkAuthFailed Result = "trunk_auth_failed"
	Forbidden       Result = "forbidden"
	Unavailable     Result = "trunk_unavailable"
	CodecMismatch   Result = "codec_mismatch"
	Redirected      Result = "redirected"
	Missing         Result = "destination_missing"
	WebhookFailed   Result = "webhook_failed"
	NoInput         Result = "no_input"      // a menu without an answer
	InvalidInput    Result = "invalid_input" // a menu without a valid answer
	QueueTimeout    Result = "timeout"       // a queue in which nobody answered in time
	QueueFull       Result = "full"          // a queue that takes no more callers
	QueueEmpty      Result = "empty"         // a queue with nobody there to answer
	QueueExit       Result = "exit_key"      // the caller left a queue by a key
	Failed          Result = "failed"        // anything else
	Gone            Result = "gone"          // the caller hung up, or the API took the call over

	// Of calls, not of destinations: why a call that had begun was ended.
	CallerCancelled Result = "caller_cancelled"
	MediaTimeout    Result = "media_timeout"
	TimeLimit       Result = "time_limit"
	SessionExpired  Result = "session_expired"
	KeysExpired     Result = "srtp_keys_expired" // those of SRTP are used up
	ServerShutdown  Result = "server_shutdown"
)

// Retry says whether another trunk may be tried for the same destination.
type Retry int

// The kinds of retry.
const (
	RetryNever      Retry = iota
	RetryOtherTrunk       // Retry-After honoured
	RetryOtherMedia       // once more, with the other media profile
	RetryRedirect         // follow, but only to allowed targets
)

// handling is one row of the table: what a result means for what happens next.
type handling struct {
	retry    Retry
	fallback bool
	code     int // to a caller not yet answered
	reason   string
}

var handlings = map[Result]handling{
	Busy:            {RetryNever, true, 486, "Busy Here"},
	Rejected:        {RetryNever, true, 486, "Busy Here"}, // 603 makes some carriers redial
	NoAnswer:        {RetryNever, true, 480, "Temporarily Unavailable"},
	NotFound:        {RetryNever, true, 404, "Not Found"},
	InvalidNumber:   {RetryNever, true, 484, "Address Incomplete"},
	TrunkAuthFailed: {RetryOtherTrunk, true, 503, "Service Unavailable"}, // 401 and 407 are never relayed
	Forbidden:       {RetryOtherTrunk, true, 503, "Service Unavailable"},
	Unavailable:     {RetryOtherTrunk, true, 503, "Service Unavailable"},
	CodecMismatch:   {RetryOtherMedia, true, 488, "Not Acceptable Here"},
	Redirected:      {RetryRedirect, true, 480, "Temporarily Unavailable"},
	Missing:         {RetryNever, true, 480, "Temporarily Unavailable"},
	WebhookFailed:   {RetryNever, true, 480, "Temporarily Unavailable"},
	NoInput:         {RetryNever, true, 480, "Temporarily Unavailable"},
	InvalidInput:    {RetryNever, true, 480, "Temporarily Unavailable"},
	QueueTimeout:    {RetryNever, true, 480, "Temporarily Unavailable"},
	QueueFull:       {RetryNever, true, 486, "Busy Here"},
	QueueEmpty:      {RetryNever, true, 480, "Temporarily Unavailable"},
	QueueExit:       {RetryNever, true, 480, "Temporarily Unavailable"},
	Failed:          {RetryNever, true, 480, "Temporarily Unavailable"},

	Gone:            {RetryNever, false, 487, "Request Terminated"},
	CallerCancelled: {RetryNever, false, 487, "Request Terminated"},
	MediaTimeout:    {RetryNever, false, 480, "Temporarily Unavailable"},
	TimeLimit:       {RetryNever, false, 480, "Temporarily Unavailable"},
	SessionExpired:  {RetryNever, false, 480, "Temporarily Unavailable"},
	KeysExpired:     {RetryNever, false, 480, "Temporarily Unavailable"},
	ServerShutdown:  {RetryNever, false, 503, "Service Unavailable"},
}

// FromSIP is the cause that a far end's final response code stands for. Codes
// without a row are read as the x00 of their class (RFC 3261 section 8.1.3.2).
func FromSIP(code int) Result {
	switch code {
	case 486, 600:
		return Busy
	case 603, 607, 608, 433: // RFC 8197, RFC 8688; 433 Anonymity Disallowed (RFC 5079)
		return Rejected
	case 480, 487: // 487 without our CANCEL: the far end gave up ringing
		return NoAnswer
	case 404, 410, 604, 485:
		return NotFound
	case 484:
		return InvalidNumber
	case 401, 407:
		return TrunkAuthFailed
	case 402, 403:
		return Forbidden
	case 408, 430:
		return Unavailable
	case 488, 606, 415:
		return CodecMismatch
	}
	switch {
	case code >= 200 && code < 300:
		return Connected
	case code >= 300 && code < 400:
		return Redirected
	case code >= 500 && code < 600:
		return Unavailable
	case code >= 600 && code < 700:
		return Busy
	}
	return Failed
}

// OutcomeFromSIP is FromSIP with the code and reason kept word for word.
func OutcomeFromSIP(code int, reason string) Outcome {
	return Outcome{Result: FromSIP(code), SIPCode: code, SIPReason: reason}
}

// Retry says whether the same destination may be tried by another trunk.
func (r Result) Retry() Retry { return handlings[r].retry }

// FallsBack says whether the fallback and the next rule are tried after r.
func (r Result) FallsBack() bool { return handlings[r].fallback }

// ToCaller is the final response that a caller not yet answered gets when the
// call ends because of r.
func (r Result) ToCaller() (code int, reason string) {
	h, ok := handlings[r]
	if !ok {
		return 480, "Temporarily Unavailable"
	}
	return h.code, h.reason
}
