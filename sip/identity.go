package sip

import (
	"regexp"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
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
	if in.Trunk == nil {
		return Party{}, false
	}
	for _, value := range elements(in.Header("p-asserted-identity")) {
		a, ok := readAddress(value)
		if !ok || anonymous(a.Party, "") || !userForm.MatchString(a.User) {
			continue
		}
		return a.Party, true
	}
	return Party{}, false
}

// maxStations is how many diversions are read of an INVITE.
const maxStations = 20

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
		a, ok := readAddress(value)
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
		a, ok := readAddress(value)
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

// address is a name-addr or addr-spec of a header.
type address struct {
	Party
	cause  string // of the URI (RFC 4458), or of the Reason in its headers
	params string // of the header field
}

func (a address) param(name string) string {
	for p := range strings.SplitSeq(a.params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

var embeddedCause = regexp.MustCompile(`(?i)cause(?:=|%3d)([0-9]{3})`)

func readAddress(value string) (a address, ok bool) {
	text := addressIn(value)
	display, params := "", ""
	if i := strings.LastIndexByte(value, '>'); i >= 0 {
		params = value[i+1:]
		display = value[:max(strings.LastIndexByte(value[:i], '<'), 0)]
	} else if i := strings.IndexByte(value, ';'); i >= 0 {
		params = value[i:]
	}
	embedded := ""
	if i := headersOf(text); i >= 0 {
		text, embedded = text[:i], text[i+1:]
	}
	if text == "" || len(text) > maxText {
		return address{}, false
	}
	u, ok := readURI(text)
	if !ok {
		return address{}, false
	}
	a = address{Party: Party{User: userOf(u), Display: displayOf(display), Host: u.Host}, params: params}
	a.cause, _ = param(u.UriParams, "cause")
	if found := embeddedCause.FindStringSubmatch(embedded); a.cause == "" && found != nil {
		a.cause = found[1]
	}
	return a, true
}

// readURI reads a sip, sips or tel URI without headers.
func readURI(text string) (u sipmsg.Uri, ok bool) {
	if strings.ContainsFunc(text, func(r rune) bool { return isControl(r) || r == ' ' || r == '<' || r == '>' || r == '"' }) {
		return u, false
	}
	if err := sipmsg.ParseUri(text, &u); err != nil {
		return u, false
	}
	switch u.Scheme {
	case "tel":
		u.Host = ""
		return u, true
	case "sip", "sips":
		return u, isHost(u.Host) && u.Port >= 0 && u.Port < 1<<16
	}
	return u, false
}

// elements splits a header value at the commas between its elements.
func elements(v string) (list []string) {
	begin, quote, angle := 0, false, false
	for i := 0; i < len(v) && len(list) < maxStations; i++ {
		switch c := v[i]; {
		case quote && c == '\\':
			i++
		case c == '"' && !angle:
			quote = !quote
		case quote:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			list = append(list, strings.TrimSpace(v[begin:i]))
			begin = i + 1
		}
	}
	if rest := strings.TrimSpace(v[begin:]); rest != "" && len(list) < maxStations {
		list = append(list, rest)
	}
	return list
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
