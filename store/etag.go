package store

import (
	"strconv"
	"strings"
	"time"
)

// etag is a strong entity tag. created_at is in it so that a resource deleted
// and made again with the same id never has the tag of its predecessor.
func etag(revision int, created time.Time) string {
	return `"` + strconv.Itoa(revision) + "-" + strconv.FormatInt(created.UnixMilli(), 36) + `"`
}

// matches evaluates If-Match (RFC 9110 §13.1.1) against a resource that exists.
// No header always matches; weak tags never do.
func matches(ifMatch, tag string) bool {
	if strings.TrimSpace(ifMatch) == "" {
		return true
	}
	for one := range strings.SplitSeq(ifMatch, ",") {
		if one = strings.TrimSpace(one); one == "*" || one == tag {
			return true
		}
	}
	return false
}
