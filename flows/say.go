package flows

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"b2bua/flows/saying"
)

// placeholder is what a say text has filled in when it is spoken.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func checkSay(text string) string {
	if strings.TrimSpace(text) == "" {
		return "the text to say is missing; write it, with {time} and {date} for the time and the date"
	}
	for _, found := range placeholder.FindAllString(text, -1) {
		if _, ok := fill(found, DefaultLanguage, time.Time{}); !ok {
			return fmt.Sprintf("%s is not known here; use {time} or {date} for now, {time:14:30}, {date:2026-12-24}, {digits:4711} or {money:12.50 EUR}", shorten(found))
		}
	}
	return checkSpeech(text)
}

// renderSay fills in the placeholders by the wall clock of at, in words of the
// language.
func renderSay(text, language string, at time.Time) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		if said, ok := fill(found, language, at); ok {
			return said
		}
		return found
	})
}

// fill is what is said for a placeholder; ok is false for one that is none.
func fill(found, language string, at time.Time) (said string, ok bool) {
	name, value, given := strings.Cut(strings.Trim(found, "{}"), ":")
	var err error
	switch name {
	case "time":
		if given {
			at, err = time.Parse("15:04", value)
		}
		return saying.Clock(language, at), err == nil
	case "date":
		if given {
			at, err = time.Parse(time.DateOnly, value)
		}
		return saying.Date(language, at), err == nil
	case "digits":
		said = saying.Digits(value)
		return said, said != ""
	case "money":
		amount, currency, _ := strings.Cut(value, " ")
		return saying.Money(language, amount, currency)
	}
	return "", false
}
