package sip

import "time"

// leastSE is the shortest session interval there is (RFC 4028 §4).
const leastSE = 90 * time.Second
