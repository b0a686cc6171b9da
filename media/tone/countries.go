package tone

import (
	"fmt"
	"slices"
	"strings"
)

// ByCountry finds the tones of a country by its code of ISO 3166-1, in any
// case; uk stands for gb.
func ByCountry(code string) (Set, error) {
	c := strings.ToLower(code)
	if c == "uk" {
		c = "gb"
	}
	for _, s := range countries {
		if s.Code == c {
			return s, nil
		}
	}
	return Set{}, fmt.Errorf("no call-progress tones are known for country %q, only for %s", code, strings.Join(Codes(), ", "))
}

// Codes are the countries of the table, in order.
func Codes() []string {
	codes := make([]string, 0, len(countries))
	for _, s := range countries {
		codes = append(codes, s.Code)
	}
	slices.Sort(codes)
	return codes
}

// Countries is the whole table.
func Countries() []Set { return slices.Clone(countries) }

var countries = slices.Concat(precise, european, french, british, others)

// nanp makes a country of the precise audible tone plan (Supplement 3 to
// E.300): its levels are given for each frequency.
func nanp(code, name string) Set {
	return Set{
		Code: code, Name: name,
		Dial: of(350, 440).at(-13).on(), Ringback: of(440, 480).at(-19).beat(2000, 4000),
		Busy: of(480, 620).at(-24).beat(500, 500), Congestion: of(480, 620).at(-24).beat(250, 250),
	}
}

var precise = []Set{
	nanp("us", "United States"), nanp("ca", "Canada"), nanp("pr", "Puerto Rico"),
	nanp("ag", "Antigua and Barbuda"), nanp("ai", "Anguilla"), nanp("bb", "Barbados"), nanp("bm", "Bermuda"),
	nanp("dm", "Dominica"), nanp("kn", "Saint Kitts and Nevis"), nanp("ms", "Montserrat"),
	nanp("tc", "Turks and Caicos Islands"), nanp("vg", "British Virgin Islands"),
}

// one makes a country with one frequency and a continuous dial tone. Busy and
// congestion are as long on as off; congestion 0: no tone of its own.
func one(code, name string, hertz float64, on, off, busy, congestion int) Set {
	f := of(hertz)
	s := Set{Code: code, Name: name, Dial: f.on(), Ringback: f.beat(on, off), Busy: f.beat(busy, busy)}
	if congestion > 0 {
		s.Congestion = f.beat(congestion, congestion)
	}
	return s
}

// dialling replaces the dial tone by one with a cadence.
func (s Set) dialling(ms ...int) Set {
	s.Dial = sound{hertz: s.Dial[0].Hertz, level: level}.beat(ms...)
	return s
}

// congested replaces the congestion tone.
func (s Set) congested(ms ...int) Set {
	s.Congestion = sound{hertz: s.Busy[0].Hertz, level: level}.beat(ms...)
	return s
}

// busily replaces the busy tone.
func (s Set) busily(ms ...int) Set {
	s.Busy = sound{hertz: s.Busy[0].Hertz, level: level}.beat(ms...)
	return s
}

// european are those with 425 Hz or a neighbour of it and a simple cadence, in
// Europe and elsewhere.
var european = []Set{
	one("ar", "Argentina", 425, 1000, 4000, 300, 0).busily(300, 200).congested(300, 400),
	one("at", "Austria", 420, 1000, 5000, 400, 200),
	one("aw", "Aruba", 425, 1000, 4000, 500, 250),
	one("be", "Belgium", 425, 1000, 3000, 500, 167),
	one("bg", "Bulgaria", 425, 1000, 4000, 500, 250),
	one("br", "Brazil", 425, 1000, 4000, 250, 0).congested(250, 250, 750, 250),
	one("by", "Belarus", 425, 800, 3200, 400, 0),
	one("ch", "Switzerland", 425, 1000, 4000, 500, 200),
	one("cl", "Chile", 400, 1000, 3000, 500, 200),
	one("cn", "China", 450, 1000, 4000, 350, 700),
	one("cz", "Czech Republic", 425, 1000, 4000, 330, 165).dialling(330, 330, 660, 660),
	one("de", "Germany", 425, 1000, 4000, 480, 240),
	one("dk", "Denmark", 425, 1000, 4000, 500, 200),
	one("ec", "Ecuador", 425, 1200, 4650, 333, 0),
	one("ee", "Estonia", 425, 1000, 4000, 300, 200),
	one("es", "Spain", 425, 1500, 3000, 200, 0).congested(200, 200, 200, 200, 200, 600),
	one("fi", "Finland", 425, 1000, 4000, 300, 200),
	one("fo", "Faroe Islands", 425, 1000, 4000, 250, 0),
	one("gm", "Gambia", 425, 1000, 4000, 500, 0),
	one("gr", "Greece", 425, 1000, 4000, 300, 150).dialling(200, 300, 700, 800),
	one("hr", "Croatia", 425, 1000, 4000, 500, 250).dialling(200, 300, 700, 800),
	one("hu", "Hungary", 425, 1250, 3750, 300, 0),
	one("id", "Indonesia", 425, 1000, 4000, 500, 250),
	one("il", "Israel", 400, 1000, 3000, 500, 250),
	one("ir", "Iran", 425, 1000, 4000, 500, 250),
	one("is", "Iceland", 425, 1200, 4700, 250, 0),
	one("it", "Italy", 425, 1000, 4000, 500, 200).dialling(200, 200, 600, 1000),
	one("kw", "Kuwait", 425, 1000, 4000, 500, 0),
	one("ky", "Cayman Islands", 425, 1000, 4000, 500, 250),
	one("lu", "Luxembourg", 425, 1000, 4000, 500, 250),
	one("ma", "Morocco", 425, 1670, 3330, 500, 0),
	one("mo", "Macao", 425, 1000, 4000, 500, 250),
	one("mu", "Mauritius", 425, 1000, 4000, 750, 0),
	one("mx", "Mexico", 425, 1000, 4000, 250, 0),
	one("nl", "Netherlands", 425, 1000, 4000, 500, 250),
	one("no", "Norway", 425, 1000, 4000, 500, 200),
	one("pl", "Poland", 425, 1000, 4000, 500, 0),
	one("pt", "Portugal", 425, 1000, 5000, 500, 200),
	one("ru", "Russia", 425, 1000, 4000, 350, 175),
	one("sa", "Saudi Arabia", 425, 1200, 4600, 500, 0),
	one("se", "Sweden", 425, 1000, 5000, 250, 0).congested(250, 750),
	one("si", "Slovenia", 425, 1000, 4000, 500, 200).dialling(200, 300, 700, 800),
	one("sk", "Slovakia", 425, 1000, 4000, 330, 165).dialling(330, 330, 660, 660),
	one("sv", "El Salvador", 425, 1200, 5000, 333, 0),
	one("th", "Thailand", 400, 1000, 4000, 500, 300).toned(of(400).by(50)),
	one("tr", "Türkiye", 450, 2000, 4000, 500, 0).congested(200, 200, 200, 200, 200, 200, 600, 200),
	one("uy", "Uruguay", 425, 1000, 4000, 500, 250),
	one("ve", "Venezuela", 425, 1000, 4000, 500, 250),
	one("zm", "Zambia", 425, 1000, 4000, 500, 250),
}

// french are France, its departments overseas, and networks built like hers.
var french = []Set{
	one("fr", "France", 440, 1500, 3500, 500, 250),
	one("gf", "French Guiana", 440, 1500, 3500, 500, 0),
	one("gp", "Guadeloupe", 440, 1500, 3500, 500, 0),
	one("mq", "Martinique", 440, 1500, 3500, 500, 0),
	one("re", "Réunion", 440, 1500, 3500, 500, 0),
	one("cm", "Cameroon", 440, 1700, 3300, 500, 0),
	one("ne", "Niger", 440, 1700, 3300, 500, 0),
	one("rw", "Rwanda", 440, 1700, 3300, 500, 0),
}

// double makes a country whose ringback comes in pairs, as in Britain.
func double(code, name string, dial, ring sound, engaged float64, busy, congestion int) Set {
	s := one(code, name, engaged, 0, 0, busy, congestion)
	s.Dial, s.Ringback = dial.on(), ring.beat(400, 200, 400, 2000)
	return s
}

// toned replaces what the dial tone sounds like.
func (s Set) toned(dial sound) Set {
	s.Dial = dial.on()
	return s
}

var british = []Set{
	double("gb", "United Kingdom", of(350, 440), of(400, 450), 400, 375, 0).congested(400, 350, 225, 525),
	double("ie", "Ireland", of(425), of(400, 450), 425, 500, 0),
	double("ae", "United Arab Emirates", of(350, 440), of(400, 450), 400, 375, 0).congested(400, 350, 225, 525),
	double("au", "Australia", of(413, 438), of(413, 438), 425, 375, 0).fading(375, 375),
	double("in", "India", of(400).by(25), of(400).by(25), 400, 750, 250),
	double("my", "Malaysia", of(425), of(425), 425, 500, 250),
	double("nz", "New Zealand", of(400), of(400, 450), 400, 500, 250),
	double("om", "Oman", of(425), of(425), 425, 500, 0),
	double("sg", "Singapore", of(425), of(425).by(24), 425, 750, 250),
	double("za", "South Africa", of(400).by(33), of(400).by(33), 400, 500, 250),
	double("zw", "Zimbabwe", of(400), of(400, 450), 400, 375, 0),
}

// fading is a congestion tone every other beat of which is 10 dB lower.
func (s Set) fading(on, off int) Set {
	f := sound{hertz: s.Busy[0].Hertz, level: level}
	low := f
	low.level -= 10
	s.Congestion = slices.Concat(f.beat(on, off), low.beat(on, off))
	return s
}

// others have two frequencies at cadences of their own.
var others = []Set{
	{
		Code: "hk", Name: "Hong Kong", Dial: of(350, 440).at(-13).on(),
		Ringback: of(440, 480).at(-13).beat(400, 200, 400, 3000),
		Busy:     of(480, 620).at(-13).beat(500, 500), Congestion: of(480, 620).at(-13).beat(250, 250),
	},
	{
		Code: "jp", Name: "Japan", Dial: of(400).on(), Ringback: of(400).by(16).beat(1000, 2000),
		Busy: of(400).beat(500, 500),
	},
	{
		Code: "kr", Name: "Korea (Republic of)", Dial: of(350, 440).on(), Ringback: of(440, 480).beat(1000, 2000),
		Busy: of(480, 620).beat(500, 500), Congestion: of(480, 620).beat(300, 200),
	},
	{
		Code: "ph", Name: "Philippines", Dial: of(425).on(), Ringback: of(425, 480).beat(1000, 4000),
		Busy: of(480, 620).beat(500, 500), Congestion: of(480, 620).beat(250, 250),
	},
	{
		Code: "tw", Name: "Taiwan", Dial: of(350, 440).on(), Ringback: of(440, 480).beat(1000, 2000),
		Busy: of(480, 620).beat(500, 500), Congestion: of(480, 620).beat(250, 250),
	},
}
