package ivr

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"b2bua/flows/saying"
)

// Phrase is something that the switch itself says to callers and owners.
type Phrase int

// What is said.
const (
	SayBoxFull Phrase = iota
	SayNotTaken
	sayWhichBox
	sayPIN
	sayWrong
	sayGoodbye
	sayNothing
	sayCount   // new, old
	sayNumber  // number, of how many
	sayNew     //
	sayOld     //
	sayFrom    // who
	sayUnknown //
	sayWhen    // date, time
	sayLength  // words of it
	sayKeys
	sayHelpless
	saySaved
	sayDeleted
	sayGone
	sayUnplayable
	sayNoMore
	sayFirst
	sayNoCallBack
	sayCalling
	sayBackAgain
	sayGreetingKeys
	sayRecordGreeting
	sayGreetingDone
	sayGreetingKept
	sayGreetingDeleted
	sayNoGreeting
	sayGreetingFailed
	sayUnavailable
	phraseCount
)

// Words are a phrase in a language, in English when we do not speak it.
func Words(language string, p Phrase, args ...any) string {
	return tongueOf(language).words(p, args...)
}

func (t *tongue) words(p Phrase, args ...any) string {
	if len(args) == 0 {
		return t.phrases[p]
	}
	return fmt.Sprintf(t.phrases[p], args...)
}

// tongue is one language.
type tongue struct {
	phrases [phraseCount]string
	code    string // of the language
	one     [4]string
	many    [4]string // messages: new, old; then minutes, seconds
	and     string
}

func tongueOf(language string) *tongue {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if t, ok := tongues[base]; ok {
		return t
	}
	return tongues["en"]
}

// counted is a number with its noun.
func (t *tongue) counted(n, noun int) string {
	if n == 1 {
		return t.one[noun]
	}
	return fmt.Sprintf(t.many[noun], n)
}

// length is a duration in words.
func (t *tongue) length(d time.Duration) string {
	s := max(1, int(d.Round(time.Second)/time.Second))
	switch {
	case s < 60:
		return t.counted(s, 3)
	case s%60 == 0:
		return t.counted(s/60, 2)
	}
	return t.counted(s/60, 2) + t.and + t.counted(s%60, 3)
}

// envelope is when a message came, from whom, and how long it is.
func (t *tongue) envelope(l Letter, zone *time.Location) string {
	at := l.At.In(zone)
	parts := []string{
		fmt.Sprintf(t.phrases[sayFrom], t.who(l)),
		fmt.Sprintf(t.phrases[sayWhen], saying.Date(t.code, at), saying.Clock(t.code, at)),
		fmt.Sprintf(t.phrases[sayLength], t.length(l.Length)),
	}
	return strings.Join(parts, " ")
}

// who is the caller, a number digit by digit.
func (t *tongue) who(l Letter) string {
	digits := strings.TrimPrefix(l.From, "+")
	if digits == "" || strings.IndexFunc(digits, func(r rune) bool { return !unicode.IsDigit(r) }) >= 0 {
		switch name := spoken(l.Name); {
		case name != "":
			return name
		case l.From == "" || l.From == "anonymous":
			return t.phrases[sayUnknown]
		}
		return spoken(l.From)
	}
	return saying.Digits(digits)
}

// spoken is what a caller is called, bounded: a speech program gets it.
func spoken(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-'
	}), " ")
	if r := []rune(name); len(r) > 60 {
		return string(r[:60])
	}
	return name
}
