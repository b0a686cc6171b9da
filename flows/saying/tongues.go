package saying

import (
	"fmt"
	"strconv"
)

var tongues = map[string]*tongue{"en": english, "de": german, "fr": french, "es": spanish}

var english = &tongue{
	months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	days:   [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	date:   func(day, month string, n int) string { return fmt.Sprintf("%s, %s %d", day, month, n) },
	hour: func(h, m int) string {
		half := "AM"
		if h >= 12 {
			half = "PM"
		}
		return fmt.Sprintf("%d:%02d %s", (h+11)%12+1, m, half)
	},
	and: " and ", minus: "minus ",
	money: map[string][4]string{
		"EUR": {"one euro", "euros", "one cent", "cents"},
		"USD": {"one dollar", "dollars", "one cent", "cents"},
		"GBP": {"one pound", "pounds", "one penny", "pence"},
		"CHF": {"one franc", "francs", "one centime", "centimes"},
	},
}

var german = &tongue{
	months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	days:   [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
	date:   func(day, month string, n int) string { return fmt.Sprintf("%s, der %s %s", day, ordinal(n), month) },
	hour: func(h, m int) string {
		hour := strconv.Itoa(h)
		if h == 1 {
			hour = "ein"
		}
		if m == 0 {
			return hour + " Uhr"
		}
		return fmt.Sprintf("%s Uhr %d", hour, m)
	},
	and: " und ", minus: "minus ",
	money: map[string][4]string{
		"EUR": {"ein Euro", "Euro", "ein Cent", "Cent"},
		"USD": {"ein Dollar", "Dollar", "ein Cent", "Cent"},
		"GBP": {"ein Pfund", "Pfund", "ein Penny", "Pence"},
		"CHF": {"ein Franken", "Franken", "ein Rappen", "Rappen"},
	},
}

// ordinal is a day of the month in German: speech programs read "1." as the end
// of a sentence.
func ordinal(day int) string {
	return [...]string{"erste", "zweite", "dritte", "vierte", "fünfte", "sechste", "siebte", "achte", "neunte", "zehnte",
		"elfte", "zwölfte", "dreizehnte", "vierzehnte", "fünfzehnte", "sechzehnte", "siebzehnte", "achtzehnte", "neunzehnte", "zwanzigste",
		"einundzwanzigste", "zweiundzwanzigste", "dreiundzwanzigste", "vierundzwanzigste", "fünfundzwanzigste", "sechsundzwanzigste",
		"siebenundzwanzigste", "achtundzwanzigste", "neunundzwanzigste", "dreißigste", "einunddreißigste"}[day-1]
}

var french = &tongue{
	months: [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	days:   [7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	date: func(day, month string, n int) string {
		if n == 1 {
			return fmt.Sprintf("%s premier %s", day, month)
		}
		return fmt.Sprintf("%s %d %s", day, n, month)
	},
	hour: func(h, m int) string {
		switch {
		case m > 0 && h == 1:
			return fmt.Sprintf("une heure %d", m)
		case m > 0:
			return fmt.Sprintf("%d heures %d", h, m)
		case h == 1:
			return "une heure"
		}
		return fmt.Sprintf("%d heures", h)
	},
	and: " et ", minus: "moins ",
	money: map[string][4]string{
		"EUR": {"un euro", "euros", "un centime", "centimes"},
		"USD": {"un dollar", "dollars", "un cent", "cents"},
		"GBP": {"une livre", "livres", "un penny", "pence"},
		"CHF": {"un franc", "francs", "un centime", "centimes"},
	},
}

var spanish = &tongue{
	months: [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	days:   [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
	date:   func(day, month string, n int) string { return fmt.Sprintf("%s, %d de %s", day, n, month) },
	hour: func(h, m int) string {
		hour := strconv.Itoa(h)
		if h == 1 {
			hour = "una"
		}
		if m == 0 {
			return hour + " en punto"
		}
		return fmt.Sprintf("%s y %d", hour, m)
	},
	and: " con ", minus: "menos ",
	money: map[string][4]string{
		"EUR": {"un euro", "euros", "un céntimo", "céntimos"},
		"USD": {"un dólar", "dólares", "un centavo", "centavos"},
		"GBP": {"una libra", "libras", "un penique", "peniques"},
		"CHF": {"un franco", "francos", "un céntimo", "céntimos"},
	},
}
