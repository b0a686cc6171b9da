package saying

import (
	"testing"
	"time"
)

func TestDatesAndTimes(t *testing.T) {
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		language    string
		at          time.Time
		date, clock string
	}{
		{"en-US", at(time.January, 15, 10, 4), "Thursday, January 15", "10:04 AM"},
		{"", at(time.December, 31, 0, 0), "Thursday, December 31", "12:00 AM"},
		{"EN", at(time.June, 1, 12, 30), "Monday, June 1", "12:30 PM"},
		{"de-DE", at(time.January, 15, 10, 4), "Donnerstag, der fünfzehnte Januar", "10 Uhr 4"},
		{"de", at(time.March, 31, 1, 0), "Dienstag, der einunddreißigste März", "ein Uhr"},
		{"de-AT", at(time.May, 1, 0, 1), "Freitag, der erste Mai", "0 Uhr 1"},
		{"fr-FR", at(time.August, 1, 1, 15), "samedi premier août", "une heure 15"},
		{"fr", at(time.February, 28, 23, 0), "samedi 28 février", "23 heures"},
		{"fr-CA", at(time.February, 2, 1, 0), "lundi 2 février", "une heure"},
		{"es-MX", at(time.September, 16, 1, 5), "miércoles, 16 de septiembre", "una y 5"},
		{"es", at(time.October, 12, 15, 0), "lunes, 12 de octubre", "15 en punto"},
		{"pl-PL", at(time.January, 15, 13, 4), "Thursday, January 15", "1:04 PM"},
	} {
		if got := Date(c.language, c.at); got != c.date {
			t.Errorf("%s: date %q, want %q", c.language, got, c.date)
		}
		if got := Clock(c.language, c.at); got != c.clock {
			t.Errorf("%s: time %q, want %q", c.language, got, c.clock)
		}
	}
	for language := range tongues {
		for day := range 365 {
			if Date(language, at(time.January, 1, 0, 0).AddDate(0, 0, day)) == "" {
				t.Errorf("%s: day %d has no words", language, day)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	for _, c := range []struct{ language, amount, currency, text string }{
		{"en", "1.00", "USD", "one dollar"},
		{"en", "12.50", "EUR", "12 euros and 50 cents"},
		{"en", "0.01", "GBP", "one penny"},
		{"en", "-3", "usd", "minus 3 dollars"},
		{"de", "1.01", "EUR", "ein Euro und ein Cent"},
		{"de", "1200", "CHF", "1200 Franken"},
		{"fr", "0.00", "EUR", "0 euros"},
		{"fr", "2.99", "EUR", "2 euros et 99 centimes"},
		{"es", "1.25", "GBP", "una libra con 25 peniques"},
		{"en", "1.5", "EUR", ""}, {"en", "1,50", "EUR", ""}, {"en", "", "EUR", ""}, {"en", "1.00", "XXX", ""},
		{"en", "--1", "EUR", ""}, {"en", "1.-1", "EUR", ""}, {"en", "99999999999999999999", "EUR", ""},
	} {
		if got, ok := Money(c.language, c.amount, c.currency); got != c.text || ok != (c.text != "") {
			t.Errorf("%s %s %s: %q, %v; want %q", c.language, c.amount, c.currency, got, ok, c.text)
		}
	}
}

func TestDigits(t *testing.T) {
	for text, want := range map[string]string{
		"4711": "4 7 1 1", "+1 415-555": "1, 4 1 5, 5 5 5", "": "", "abc": "", "  12": "1 2",
	} {
		if got := Digits(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
