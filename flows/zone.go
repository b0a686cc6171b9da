package flows

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // hours must not depend on what the machine has installed
)

// An IANA zone that names a place; UTC is the one without.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z_]*(/[A-Za-z0-9_+-]+)+$`)

// zoneHints answers abbreviations, which say nothing of daylight saving or are
// used by several countries, with the zones that were probably meant.
var zoneHints = map[string]string{
	"EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York", "EST5EDT": "America/New_York",
	"CST": "America/Chicago", "CDT": "America/Chicago", "CT": "America/Chicago", "CST6CDT": "America/Chicago",
	"MST": "America/Denver (or America/Phoenix, without daylight saving)", "MDT": "America/Denver", "MT": "America/Denver", "MST7MDT": "America/Denver",
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles", "PST8PDT": "America/Los_Angeles",
	"AKST": "America/Anchorage", "HST": "Pacific/Honolulu", "AST": "America/Halifax",
	"GMT": "Europe/London, or UTC", "BST": "Europe/London", "WET": "Europe/Lisbon", "CET": "Europe/Berlin", "CEST": "Europe/Berlin",
	"MET": "Europe/Berlin", "EET": "Europe/Helsinki", "MSK": "Europe/Moscow", "IST": "Asia/Kolkata",
	"JST": "Asia/Tokyo", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "Z": "UTC", "ZULU": "UTC", "UCT": "UTC",
}

// zones keeps what was loaded. Only zones that exist enter, so it stays small.
var zones sync.Map

// loadZone finds an IANA zone; the error says what to write instead.
func loadZone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	if name == "UTC" {
		return time.UTC, nil
	}
	if name == "" {
		return nil, fmt.Errorf("the time zone is missing; name an IANA zone such as America/New_York")
	}
	if hint, ok := zoneHints[strings.ToUpper(name)]; ok {
		return nil, fmt.Errorf("%q is an abbreviation, not a time zone; write %s", name, hint)
	}
	unknown := fmt.Errorf("%q is not an IANA time zone; write one such as America/New_York, Europe/Berlin or UTC", shorten(name))
	if len(name) > 64 || !zoneName.MatchString(name) {
		return nil, unknown
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknown
	}
	zones.Store(name, loc)
	return loc, nil
}
