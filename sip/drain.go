package sip

import "strconv"

// drained gives what refuses new calls while draining.
func (e *Endpoint) drained() (code int, headers []Header) {
	after := e.retryAfter.Load()
	if after == 0 {
		return 0, nil
	}
	return 503, []Header{{"Retry-After", strconv.FormatInt(after, 10)}}
}
