//go:build !race

package recorder

import "time"

const lasts = 610 * time.Second
