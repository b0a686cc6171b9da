package sip

// Party is one side of a call as From, To or P-Asserted-Identity name it.
type Party struct {
	User    string
	Display string
	Host    string
}

// Header is one header field. Control characters in a value are dropped and a
// name that is no token makes the field be left out, so that nothing an owner
// passes on can begin a new header.
type Header struct {
	Name  string
	Value string
}

// Reason says why a dialog ends (RFC 3326); the zero value says nothing.
type Reason struct {
	Protocol string // "SIP" or "Q.850"
	Cause    int
	Text     string
}
