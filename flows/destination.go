package flows

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// destinationTypes are all types, in the order in which messages list them.
var destinationTypes = []DestinationType{
	ToMenu, ToNumber, ToVoicemail, ToQueue, ToWebhook, ToDevice, ToSIP,
	ToRingGroup, ToFlow, ToHangup, ToReject, ToApplication, ToSay, ToAccess,
}

// RejectCauses are the causes that a reject destination may name.
var RejectCauses = []string{"busy", "rejected", "not_found", "unavailable"}

// RejectCode is the SIP response for a cause of RejectCauses, or for a SIP code
// from 400 to 699 written as text; none means rejected, an unknown one 480.
func RejectCode(cause string) (code int, reason string) {
	switch cause {
	case "busy":
		return Busy.ToCaller()
	case "", "rejected":
		return Rejected.ToCaller()
	case "not_found":
		return NotFound.ToCaller()
	}
	n, ok := rejectNumber(cause)
	if !ok {
		return NoAnswer.ToCaller()
	}
	if reason = sipReasons[n]; reason == "" {
		reason = [...]string{"Request Failure", "Server Failure", "Global Failure"}[n/100-4] // RFC 3261 section 21
	}
	return n, reason
}

// sipReasons are the reason phrases of the codes a flow is likely to name.
var sipReasons = map[int]string{
	403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 410: "Gone", 480: "Temporarily Unavailable",
	484: "Address Incomplete", 486: "Busy Here", 488: "Not Acceptable Here", 500: "Server Internal Error",
	503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
	606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}

func rejectNumber(cause string) (int, bool) {
	n, err := strconv.Atoi(cause)
	return n, err == nil && len(cause) == 3 && n >= 400 && n <= 699 && n != 401 && n != 407
}

var (
	idForm       = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	usernameForm = regexp.MustCompile(`^[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,64}$`) // the user part of RFC 3261 section 25.1
	hostForm     = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)
)

// ValidID says whether id may be the id of a resource: 1 to 64 letters, digits,
// _ and -.
func ValidID(id string) bool { return idForm.MatchString(id) }

// checkDestination tells what is wrong with a destination. where and whereType
// are the names of the two fields.
func checkDestination(kind DestinationType, to, where, whereType string) Problems {
	var problems Problems
	if kind == "" {
		problems.add(whereType, "the destination type is missing; use one of %s", typeList())
		return problems
	}
	if !slices.Contains(destinationTypes, kind) {
		problems.add(whereType, "%q is not a destination type; use one of %s", shorten(string(kind)), typeList())
		return problems
	}
	switch kind {
	case ToNumber:
		if _, err := ParseNumber(to); err != nil {
			problems.addNumber(where, "%s", err)
		}
	case ToWebhook:
		problems.addIf(where, checkWebhook(to))
	case ToSIP:
		problems.addIf(where, checkSIP(to))
	case ToSay:
		problems.addIf(where, checkSay(to))
	case ToHangup:
		problems.addIf(where, checkText(to, 100))
	case ToReject:
		problems.addIf(where, checkCause(to))
	case ToDevice:
		if !usernameForm.MatchString(to) {
			problems.add(where, "%s; give the id of a device, or the username it registers with", missingOr(to, "is not a device id"))
		}
	case ToApplication:
		problems.addIf(where, checkText(to, 100))
	case ToAccess:
		if named(to) && !ValidID(to) {
			problems.add(where, "%q is not the id of a voicemail box; give one, or * to ask the caller for the number of a box", shorten(to))
		}
	default:
		if !ValidID(to) {
			problems.add(where, "%s; give the id of the %s: 1 to 64 letters, digits, _ and -", missingOr(to, "is not an id"), nameOf(kind))
		}
	}
	return problems
}

func (p *Problems) addIf(path, message string) {
	if message != "" {
		p.add(path, "%s", message)
	}
}

func missingOr(to, what string) string {
	if to == "" {
		return "the destination is missing"
	}
	return fmt.Sprintf("%q %s", shorten(to), what)
}

func typeList() string {
	names := make([]string, len(destinationTypes))
	for i, t := range destinationTypes {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

// nameOf is a destination type in words.
func nameOf(kind DestinationType) string {
	switch kind {
	case ToMenu:
		return "IVR menu"
	case ToVoicemail:
		return "voicemail box"
	case ToNumber:
		return "phone number"
	case ToSIP:
		return "SIP address"
	}
	return strings.ReplaceAll(string(kind), "_", " ")
}

// checkWebhook looks only at the form of a URL: where it leads is checked when
// it is called.
func checkWebhook(to string) string {
	if to == "" {
		return "the webhook URL is missing; write it as https://example.com/calls"
	}
	u, err := url.Parse(to)
	switch {
	case err != nil || len(to) > 2000 || hasControls(to):
		return fmt.Sprintf("%q is not a URL; write it as https://example.com/calls", shorten(to))
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("%q is not an https URL; write it as https://example.com/calls", shorten(to))
	case u.Hostname() == "":
		return fmt.Sprintf("%q names no host; write it as https://example.com/calls", shorten(to))
	case u.User != nil:
		return "a webhook URL cannot carry a user name or password; calls are signed instead"
	case u.Fragment != "":
		return "a webhook URL cannot have a # part; leave it out"
	}
	return ""
}

// checkSIP looks at the form of a SIP URI (RFC 3261 section 19.1).
func checkSIP(to string) string {
	form := fmt.Sprintf("%q is not a SIP address; write it as sip:user@example.com", shorten(to))
	scheme, rest, ok := strings.Cut(to, ":")
	if !ok || !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return form
	}
	if len(to) > 512 || strings.ContainsAny(to, " <>\"\\^`{|}") || hasControls(to) {
		return form
	}
	rest, _, headers := strings.Cut(rest, "?")
	if headers {
		return "a SIP address cannot carry headers; leave out the part from ? on"
	}
	rest, _, _ = strings.Cut(rest, ";")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if user := rest[:at]; user == "" || strings.Contains(user, ":") || strings.Contains(user, "@") {
			return form
		}
		rest = rest[at+1:]
	}
	if !validHostPort(rest) {
		return form
	}
	return ""
}

func validHostPort(s string) bool {
	host := s
	if end := strings.LastIndexByte(s, ']'); strings.HasPrefix(s, "[") && end > 0 {
		addr, err := netip.ParseAddr(s[1:end])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		if s[end+1:] == "" {
			return true
		}
		return s[end+1] == ':' && validPort(s[end+2:])
	}
	if at := strings.IndexByte(s, ':'); at >= 0 {
		if !validPort(s[at+1:]) {
			return false
		}
		host = s[:at]
	}
	return len(host) <= 253 && hostForm.MatchString(host)
}

func validPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && onlyDigits(s) && n >= 1 && n <= 65535
}

func checkCause(cause string) string {
	if cause == "" || slices.Contains(RejectCauses, cause) {
		return ""
	}
	if _, ok := rejectNumber(cause); ok {
		return ""
	}
	return fmt.Sprintf("%q is not a cause to reject a call with; use one of %s, or a SIP code such as 603 (not 401 or 407)",
		shorten(cause), strings.Join(RejectCauses, ", "))
}

// checkText looks at a line of text: valid, printable, not too long.
func checkText(s string, most int) string {
	switch {
	case !utf8.ValidString(s):
		return "the text is not valid UTF-8"
	case utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("the text is longer than %d characters; shorten it", most)
	case hasControls(s):
		return "the text has control characters such as line breaks; take them out"
	}
	return ""
}

// checkSpeech looks at text to be spoken, where line breaks are fine.
func checkSpeech(s string) string {
	return checkText(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s), maxSpeech)
}

func hasControls(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

func isPlain(to string) bool {
	return len(to) >= 7 && strings.EqualFold(to[:7], "http://")
}
