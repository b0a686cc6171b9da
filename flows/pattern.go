package flows

import (
	"fmt"
	"strings"
)

// A keys value is a set of the symbols a caller can press.
type keys uint16

// symbols are the sixteen DTMF symbols (ITU-T Q.23), by their bit in a keys set.
const symbols = "0123456789*#ABCD"

const (
	anyDigit   keys = 1<<10 - 1
	maxKeys         = 32 // length of a pattern
	catchAllIs      = "*"
)

func keyOf(symbol byte) (keys, bool) {
	i := strings.IndexByte(symbols, symbol)
	if i < 0 {
		return 0, false
	}
	return 1 << i, true
}

// A pattern is the compiled form of a rule's pattern: either the catch-all, or
// for each position the keys that it accepts.
type pattern struct {
	catchAll bool
	at       []keys
}

// PatternError says what is wrong with a pattern and where; Position counts
// from 1.
type PatternError struct {
	Position int
	Problem  string
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("at position %d: %s", e.Position, e.Problem)
}

// compileRule compiles the pattern of a rule: * alone is the catch-all.
func compileRule(text string) (pattern, error) {
	if text == catchAllIs {
		return pattern{catchAll: true}, nil
	}
	return compile(text, false)
}

// compileOption compiles the digit of a menu option, where nothing is a
// catch-all and * is the star key.
func compileOption(text string) (pattern, error) { return compile(text, true) }

func compile(text string, starIsKey bool) (pattern, error) {
	if text == "" {
		return pattern{}, &PatternError{1, "the pattern is empty; write * for any call, or the digits to match"}
	}
	var p pattern
	for i := 0; i < len(text); {
		set, width, err := element(text, i, starIsKey)
		if err != nil {
			return pattern{}, err
		}
		if len(p.at) == maxKeys {
			return pattern{}, &PatternError{i + 1, fmt.Sprintf("a pattern has at most %d keys", maxKeys)}
		}
		p.at = append(p.at, set)
		i += width
	}
	return p, nil
}

// element reads one element of a pattern: a key, X, an escaped key or a class.
func element(text string, i int, starIsKey bool) (set keys, width int, err error) {
	switch c := text[i]; {
	case c >= '0' && c <= '9' || c == '#':
		set, _ = keyOf(c)
		return set, 1, nil
	case c == 'X' || c == 'x':
		return anyDigit, 1, nil
	case c == '*' && starIsKey:
		set, _ = keyOf(c)
		return set, 1, nil
	case c == '*':
		return 0, 0, &PatternError{i + 1, `* alone matches any call; inside a pattern write \* for the star key`}
	case c == '\\':
		return escaped(text, i)
	case c == '[':
		return class(text, i)
	case c == ']':
		return 0, 0, &PatternError{i + 1, "] without a [ before it"}
	default:
		return 0, 0, &PatternError{i + 1, fmt.Sprintf("%s is not a key; use 0-9, #, \\*, X for any digit, or a class such as [0-9]", shown(text, i))}
	}
}

func escaped(text string, i int) (keys, int, error) {
	if i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '#') {
		set, _ := keyOf(text[i+1])
		return set, 2, nil
	}
	return 0, 0, &PatternError{i + 1, `\ stands only before * (the star key) or #`}
}

// class reads a class such as [0-9], [135] or [*#].
func class(text string, start int) (keys, int, error) {
	var set keys
	for i := start + 1; i < len(text); i++ {
		c := text[i]
		if c == ']' {
			if set == 0 {
				return 0, 0, &PatternError{start + 1, "the class is empty; name the keys it accepts, such as [0-9]"}
			}
			return set, i + 1 - start, nil
		}
		key, ok := classKey(c)
		if !ok {
			return 0, 0, &PatternError{i + 1, fmt.Sprintf("%s cannot stand in a class; use digits, ranges such as 2-5, * and #", shown(text, i))}
		}
		set |= key
		if i+1 >= len(text) || text[i+1] != '-' {
			continue
		}
		span, err := classRange(text, i)
		if err != nil {
			return 0, 0, err
		}
		set |= span
		i += 2
	}
	return 0, 0, &PatternError{start + 1, "[ is never closed; add ]"}
}

func classKey(c byte) (keys, bool) {
	if c >= '0' && c <= '9' || c == '*' || c == '#' {
		return keyOf(c)
	}
	return 0, false
}

// classRange reads a range such as 2-5 whose first digit is at i.
func classRange(text string, i int) (keys, error) {
	if i+2 >= len(text) {
		return 0, &PatternError{i + 2, "the range has no end; write it as 2-5"}
	}
	low, high := text[i], text[i+2]
	if low < '0' || low > '9' || high < '0' || high > '9' {
		return 0, &PatternError{i + 1, "a range goes from digit to digit, such as 2-5"}
	}
	if low > high {
		return 0, &PatternError{i + 1, fmt.Sprintf("the range %c-%c runs backwards; write %c-%c", low, high, high, low)}
	}
	var set keys
	for d := low; d <= high; d++ {
		key, _ := keyOf(d)
		set |= key
	}
	return set, nil
}

// shown is the character at byte i of text, fit for a message.
func shown(text string, i int) string {
	for _, r := range text[i:] {
		return fmt.Sprintf("%q", r)
	}
	return "nothing"
}
