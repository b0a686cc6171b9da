package guard

import "errors"

// Text repairs the messages of connections as a Conn does those of datagrams. It
// may be used again, by one goroutine at a time.
type Text struct{ repair repairer }

// Message gives the repaired message, valid until the next call. After an error
// Refusal has the answer.
func (t *Text) Message(data []byte) ([]byte, error) {
	message, _, err := t.repair.message(data)
	return message, err
}

// Refusal is the answer to the request that Message has just refused, or nil when
// it wants none.
func (t *Text) Refusal() []byte { return t.repair.badRequest() }

// Broken is the answer to a request of which only a part of the header section
// is there, or whose size makes no sense; nil when it wants none.
func (t *Text) Broken(head []byte, code int, reason string) []byte {
	refused := &refusal{code, reason}
	if _, _, err := t.repair.message(head); err == nil || errors.Is(err, errNoEnd) || code != errNoEnd.code {
		t.repair.err = refused
	}
	return t.repair.badRequest()
}
