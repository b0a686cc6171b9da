package sdp

import (
	"fmt"
	"strconv"
	"strings"
)

// keys are the telephone-events this side knows: the 16 keys of DTMF, one bit
// each (RFC 4733 §3.2).
const keys events = 1<<16 - 1

// events is a set of telephone-events of 0 to 15; others are of no use here.
type events uint32

// eventSet reads the list of a format parameter, "0-15,66,70". None, or none
// that can be read, stands for the keys (RFC 4733 §2.4.1).
func eventSet(list string) events {
	var set events
	for _, part := range strings.Split(list, ",") {
		from, to, many := strings.Cut(strings.TrimSpace(part), "-")
		if !many {
			to = from
		}
		lo, err := number(from, 0, 255)
		if err != nil {
			return keys
		}
		hi, err := number(to, lo, 255)
		if err != nil {
			return keys
		}
		for e := lo; e <= min(hi, 15); e++ {
			set |= 1 << e
		}
	}
	return set
}

// String writes the list of a format parameter.
func (e events) String() string {
	var parts []string
	for i := 0; i < 16; i++ {
		if e>>i&1 == 0 {
			continue
		}
		from := i
		for i < 15 && e>>(i+1)&1 == 1 {
			i++
		}
		if from == i {
			parts = append(parts, strconv.Itoa(i))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", from, i))
		}
	}
	return strings.Join(parts, ",")
}

// event is the telephone-event format that ticks like the codec (RFC 4733 §2.1)
// and has keys among its events; pt is NoPT without one.
func event(formats []Format, rate int) (pt int, set events) {
	for _, f := range formats {
		if strings.EqualFold(f.Name, TelephoneEvent) && f.Rate == rate {
			if set := eventSet(f.FMTP) & keys; set != 0 {
				return int(f.PT), set
			}
		}
	}
	return NoPT, 0
}

func eventFormat(pt uint8, rate int, set events) Format {
	return Format{PT: pt, Name: TelephoneEvent, Rate: rate, Channels: 1, FMTP: set.String()}
}
