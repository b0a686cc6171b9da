package saying

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// tongue is how one language writes what is spoken.
type tongue struct {
	months [12]string
	days   [7]string // from Sunday on
	date   func(day, month string, n int) string
	hour   func(hour, minute int) string
	and    string
	money  map[string][4]string // by ISO 4217: one, many, one hundredth, many
	minus  string
}

func of(language string) *tongue {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if t, ok := tongues[base]; ok {
		return t
	}
	return tongues["en"]
}

// Date is a day with its weekday, without the year.
func Date(language string, at time.Time) string {
	t := of(language)
	return t.date(t.days[at.Weekday()], t.months[at.Month()-1], at.Day())
}

// Clock is the time of day.
func Clock(language string, at time.Time) string { return of(language).hour(at.Hour(), at.Minute()) }

// Digits are read one by one: a number that is dialled, a code. What is no digit
// is left out, but for what separates groups, which is a pause.
func Digits(text string) string {
	var b strings.Builder
	pause := false
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			if b.Len() > 0 && pause {
				b.WriteByte(',')
			}
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
			pause = false
		case r == ' ' || r == '-' || r == '/' || r == '.':
			pause = true
		}
	}
	return b.String()
}

// Money is an amount such as 12.50 of a currency such as EUR; ok is false when
// the amount is none or the currency is not known.
func Money(language, amount, currency string) (text string, ok bool) {
	t := of(language)
	names, known := t.money[strings.ToUpper(currency)]
	rest, negative := strings.CutPrefix(amount, "-")
	whole, part, split := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(whole, 10, 40)
	if !known || err != nil || split && len(part) != 2 {
		return "", false
	}
	var cents uint64
	if split {
		if cents, err = strconv.ParseUint(part, 10, 8); err != nil {
			return "", false
		}
	}
	switch {
	case cents == 0:
		text = count(n, names[0], names[1])
	case n == 0:
		text = count(cents, names[2], names[3])
	default:
		text = count(n, names[0], names[1]) + t.and + count(cents, names[2], names[3])
	}
	if negative {
		text = t.minus + text
	}
	return text, true
}

func count(n uint64, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, many)
}
