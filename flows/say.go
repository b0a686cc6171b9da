package flows

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// placeholder is what a say text has filled in when it is spoken.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

const (
	sayTime = "{time}"
	sayDate = "{date}"
)

func checkSay(text string) string {
	if strings.TrimSpace(text) == "" {
		return "the text to say is missing; write it, with {time} and {date} for the time and the date"
	}
	for _, found := range placeholder.FindAllString(text, -1) {
		if found != sayTime && found != sayDate {
			return fmt.Sprintf("%s is not known here; use {time} or {date}", shorten(found))
		}
	}
	return checkSpeech(text)
}

// renderSay fills in the placeholders by the wall clock of at. English texts
// get the hour as it is spoken; others the form that every voice can read.
func renderSay(text, language string, at time.Time) string {
	clock, date := "15:04", "2006-01-02"
	if language == "" || strings.HasPrefix(strings.ToLower(language), "en") {
		clock, date = "3:04 PM", "Monday, January 2"
	}
	return strings.NewReplacer(sayTime, at.Format(clock), sayDate, at.Format(date)).Replace(text)
}
