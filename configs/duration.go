package configs

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Duration is written "90s", "5m" or "4h", or as a number of seconds.
type Duration time.Duration

func seconds(n int) Duration { return Duration(time.Duration(n) * time.Second) }

// Std is the duration as the standard library knows it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is the form that the sample uses.
func (d Duration) String() string {
	switch t := time.Duration(d); {
	case t != 0 && t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	case t%time.Second == 0:
		return fmt.Sprintf("%ds", t/time.Second)
	default:
		return t.String()
	}
}

// MarshalJSON writes the duration as a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

var errDuration = errors.New(`must be a duration such as "60s" or "4h", or a number of seconds`)

// UnmarshalJSON reads a string or a number of seconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return errDuration
	}
	switch v := v.(type) {
	case float64:
		if v > 1e9 || v < -1e9 {
			return errDuration
		}
		*d = Duration(v * float64(time.Second))
	case string:
		t, err := time.ParseDuration(v)
		if err != nil {
			return errDuration
		}
		*d = Duration(t)
	default:
		return errDuration
	}
	return nil
}
