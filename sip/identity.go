package sip

import (
	"regexp"
	"strconv"
	"strings"
)

// Diversion is one station from which a call was sent on.
type Diversion struct {
	Number string // or name: the user part of its address
	Reason string // in the words of RFC 5806: unconditional, user-busy, no-answer…
}

// Identity is what an INVITE of ours tells about the caller beyond its From.
type Identity struct {
	Asserted  Party       // P-Asserted-Identity (RFC 3325 §9.1); none without a user
	Withheld  bool        // Privacy: id (RFC 3325 §9.3)
	Diversion []Diversion // the stations in order, as Diversion (RFC 5806)
	History   []Diversion // the same, as History-Info (RFC 7044)
}

// Anonymous is the From of a caller who withholds the number (RFC 3323 §4.1.1.3).
var Anonymous = Party{User: "anonymous", Display: "Anonymous", Host: "anonymous.invalid"}

// headers are the header fields of an identity that we tell at host, to a callee
// at target.
func (i Identity) headers(host, callee, target string) []Header {
	var list []Header
	address := func(user string) string { return "sip:" + escapeUser(user) + "@" + hostText(host) }
	if i.Asserted.User != "" {
		v := "<" + address(i.Asserted.User) + ">"
		if i.Asserted.Display != "" {
			v = quoted(i.Asserted.Display) + " " + v
		}
		list = append(list, Header{"P-Asserted-Identity", v})
	}
	if i.Withheld {
		list = append(list, Header{"Privacy", "id"})
	}
	for n := len(i.Diversion) - 1; n >= 0; n-- { // the latest first (RFC 5806 §4.1)
		d := i.Diversion[n]
		reason := d.Reason
		if !isToken(reason) {
			reason = unknownReason
		}
		list = append(list, Header{"Diversion", "<" + address(d.Number) + ">;reason=" + reason})
	}
	if len(i.History) == 0 {
		return list
	}
	// Each entry but the first says in its URI why the call came there (RFC 4458),
	// and from which entry it was mapped (RFC 7044 §5).
	index, cause, mapped := "1", "", ""
	for _, d := range i.History {
		list = append(list, Header{"History-Info", "<" + address(d.Number) + cause + ">;index=" + index + mapped})
		cause, mapped = ";cause="+strconv.Itoa(causeOf(d.Reason)), ";mp="+index
		index += ".1"
	}
	at := "sip:" + hostText(target)
	if callee != "" {
		at = "sip:" + escapeUser(callee) + "@" + hostText(target)
	}
	return append(list, Header{"History-Info", "<" + at + cause + ">;index=" + index + mapped})
}

const unknownReason = "unknown"

// causes are the reasons of RFC 5806 and what RFC 4458 has for them.
var causes = []struct {
	reason string
	cause  int
}{
	{"unconditional", 302}, {"user-busy", 486}, {"no-answer", 408}, {"deflection", 480}, {"deflection", 487},
	{"unavailable", 503}, {unknownReason, 404},
}

func causeOf(reason string) int {
	for _, c := range causes {
		if c.reason == reason {
			return c.cause
		}
	}
	return 404
}

func reasonFor(cause string) string {
	n, _ := strconv.Atoi(cause)
	for _, c := range causes {
		if c.cause == n {
			return c.reason
		}
	}
	return unknownReason
}

// userForm is what a number or name told by others must look like to be passed
// on as somebody's identity.
var userForm = regexp.MustCompile(`^[+*#0-9A-Za-z][*#0-9A-Za-z._+-]{0,63}$`)

// Asserted is the caller as the trunk asserts it (RFC 3325): of several
// identities the first that can be one. Only what a trunk says counts.
func (in *Invitation) Asserted() (Party, bool) {
	p, _, ok := in.asserted()
	return p, ok
}

// asserted is the identity chosen, as read and as written.
func (in *Invitation) asserted() (p Party, written string, ok bool) {
	if in.Trunk == nil {
		return Party{}, "", false
	}
	for _, value := range elements(in.Header("p-asserted-identity")) {
		a, ok := readParty(value)
		if !ok || anonymous(a.Party, "") || !userForm.MatchString(a.User) {
			continue
		}
		return a.Party, value, true
	}
	return Party{}, "", false
}

// Diversions are the stations that sent the call on before it came here, the
// first of them first, as Diversion or History-Info has them, whichever knows
// more. count is how many there were, which a header may say without naming them
// all. Only what a trunk says counts.
func (in *Invitation) Diversions() (list []Diversion, count int) {
	if in.Trunk == nil {
		return nil, 0
	}
	list, count = diversions(in.Header("diversion"))
	if history := historyOf(in.Header("history-info")); len(history) > len(list) {
		return history, max(count, len(history))
	}
	return list, count
}

func diversions(header string) (list []Diversion, count int) {
	for _, value := range elements(header) {
		a, ok := readParty(value)
		if !ok || !userForm.MatchString(a.User) {
			continue
		}
		reason := strings.ToLower(strings.Trim(a.param("reason"), `"`))
		if !isToken(reason) || len(reason) > 32 {
			reason = unknownReason
		}
		list = append([]Diversion{{a.User, reason}}, list...)
		n, err := strconv.ParseUint(a.param("counter"), 10, 8)
		if err != nil || n == 0 {
			n = 1
		}
		count += int(n)
	}
	return list, count
}

// historyOf reads History-Info: a station is an entry that is followed by one
// with another user; why is in the later one, as a parameter (RFC 4458) or as an
// embedded Reason (RFC 7044 §5).
func historyOf(header string) (list []Diversion) {
	last := ""
	for _, value := range elements(header) {
		a, ok := readParty(value)
		if !ok || !userForm.MatchString(a.User) {
			continue
		}
		if last != "" && last != a.User {
			list = append(list, Diversion{last, reasonFor(a.cause)})
		}
		last = a.User
	}
	return list
}

// party is who a header field names. cause is that of the URI (RFC 4458), or of the
// Reason among its headers (RFC 7044 §5).
type party struct {
	nameAddr
	Party
	cause string
}

var embeddedCause = regexp.MustCompile(`(?i)cause(?:=|%3d)([0-9]{3})`)

func readParty(value string) (p party, ok bool) {
	if p.nameAddr, ok = readNameAddr(value); !ok {
		return party{}, false
	}
	text, embedded := p.uri, ""
	if i := headersOf(text); i >= 0 {
		text, embedded = text[:i], text[i+1:]
	}
	if len(text) > maxText {
		return party{}, false
	}
	u, ok := readURI(text)
	if !ok {
		return party{}, false
	}
	p.Party = Party{User: userOf(u), Display: p.display, Host: u.Host}
	p.cause, _ = param(u.UriParams, "cause")
	if found := embeddedCause.FindStringSubmatch(embedded); p.cause == "" && found != nil {
		p.cause = found[1]
	}
	return p, true
}

// Contact is a target that a 3xx names.
type Contact struct {
	User      string
	Host      string // empty for a tel URI
	Port      int    // 0: the default
	Transport string // as the URI has it, or empty
}

// ParseContact reads one of Rejected.Contacts; ok is false when it is nothing
// that could be called.
func ParseContact(uri string) (c Contact, ok bool) {
	if i := headersOf(uri); i >= 0 {
		uri = uri[:i]
	}
	u, ok := readURI(uri)
	if !ok || u.Scheme == "sips" {
		return Contact{}, false
	}
	transport, _ := param(u.UriParams, "transport")
	return Contact{User: userOf(u), Host: u.Host, Port: u.Port, Transport: strings.ToLower(transport)}, true
}
