package call

import (
	"strconv"
	"strings"

	"b2bua/sip"
)

// parseReason reads the first value of a Reason header (RFC 3326): what one
// party says on leaving is told to the others. A phone that rang, for one, shows
// no missed call when the caller was answered elsewhere.
func parseReason(header string) sip.Reason {
	value, rest, _ := strings.Cut(header, ";")
	r := sip.Reason{Protocol: strings.TrimSpace(value)}
	if r.Protocol == "" {
		return sip.Reason{}
	}
	for rest != "" {
		var param string
		param, rest = cutParam(rest)
		name, value, _ := strings.Cut(param, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "cause":
			if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 1000 {
				r.Cause = n
			}
		case "text":
			value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
			r.Text = strings.ReplaceAll(value, `\`, "")
		}
	}
	return r
}

// cutParam takes the first parameter off; a quoted text may hold semicolons,
// and a comma outside of one begins another value.
func cutParam(s string) (param, rest string) {
	quoted := false
	for i := range len(s) {
		switch {
		case quoted && s[i] == '\\':
		case s[i] == '"' && (i == 0 || s[i-1] != '\\'):
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		case s[i] == ',' && !quoted:
			return s[:i], ""
		}
	}
	return s, ""
}
