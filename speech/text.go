package speech

import (
	"strings"
	"unicode"
)

// normal is a language as it is compared: lower case, with hyphens.
func normal(language string) string {
	return strings.ReplaceAll(strings.ToLower(language), "_", "-")
}

// defaultLanguage is spoken when a text names none.
const defaultLanguage = "en-US"

// clean makes a text safe and the same for the cache whatever its white space:
// no control characters (terminals and programs act on them), no invisible
// formatting, single spaces, at most most characters, cut between words.
func clean(text string, most int) (cleaned string, cut bool) {
	text = strings.ToValidUTF8(text, " ")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= most {
		return text, false
	}
	short := string(runes[:most])
	if at := strings.LastIndexByte(short, ' '); at > 0 {
		short = short[:at]
	}
	return short, true
}

// speakable tells whether a text has a letter or a digit: programs make an
// empty file of punctuation.
func speakable(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
	})
}

// base is the language without region: en of en-US.
func base(language string) string {
	lang, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(language), "_", "-"), "-")
	return lang
}
