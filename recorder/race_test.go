//go:build race

package recorder

import "time"

const lasts = 70 * time.Second
