package picture

import (
	"fmt"
	"strings"
	"time"

	"b2bua/flows"
)

// legend gives each destination of a timeline its colour, in the order in which
// they appear.
type legend struct {
	names []string
	class map[string]string
}

func newLegend(t *flows.Timeline) *legend {
	l, used := &legend{class: map[string]string{}}, map[string]bool{}
	for _, s := range t.Stretches {
		name := label(s)
		if _, known := l.class[name]; known {
			continue
		}
		_, class := describe(row{kind: s.DestinationType, to: s.Destination})
		for n := 0; used[class] && n < 10; n++ { // two of one kind
			class = fmt.Sprintf("c%d", n)
		}
		if s.Rule == nil {
			class = "loss"
		}
		used[class] = true
		l.class[name] = class
		l.names = append(l.names, name)
	}
	return l
}

func label(s flows.Stretch) string {
	if s.Rule == nil {
		return "nowhere: no rule takes the call"
	}
	text, _ := describe(row{kind: s.DestinationType, to: s.Destination})
	return text
}

func (l *legend) draw(c *canvas, x, y, width float64) {
	at := x
	for _, name := range l.names {
		w := 34 + 7.2*float64(len([]rune(fit(name, 300, 7.2))))
		if at > x && at+w > x+width {
			at, y = x, y+26
		}
		c.box(at, y, 16, 16, 4, l.class[name], "")
		c.text(at+23, y+12.5, "", name, 300, 7.2)
		at += w + 10
	}
	c.height = max(c.height, y+20)
}

// part is a stretch within one day, by the wall clock.
type part struct {
	stretch  flows.Stretch
	from, to float64 // hours
}

// parts cuts the stretches at midnight. days begin at the local midnight of first.
func parts(t *flows.Timeline, zone *time.Location, first time.Time, days int) [][]part {
	list := make([][]part, days)
	day := 0
	for _, s := range t.Stretches {
		for ; day < days; day++ {
			begin := time.Date(first.Year(), first.Month(), first.Day()+day, 0, 0, 0, 0, zone)
			end := time.Date(first.Year(), first.Month(), first.Day()+day+1, 0, 0, 0, 0, zone)
			p := part{s, hours(later(s.From, begin).In(zone)), 24}
			if s.To.Before(end) {
				p.to = hours(s.To.In(zone))
			}
			if s.To.After(begin) && p.to > p.from {
				list[day] = append(list[day], p)
			}
			if s.To.Before(end) {
				break
			}
		}
	}
	return list
}

func hours(t time.Time) float64 {
	return float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// marks are those of each day.
func marks(t *flows.Timeline, zone *time.Location, first time.Time, days int) []string {
	list := make([]string, days)
	for _, m := range t.Marks {
		local := m.At.In(zone)
		day := int(time.Date(local.Year(), local.Month(), local.Day(), 12, 0, 0, 0, time.UTC).Sub(
			time.Date(first.Year(), first.Month(), first.Day(), 12, 0, 0, 0, time.UTC)).Hours() / 24)
		if day < 0 || day >= days {
			continue
		}
		if list[day] != "" {
			list[day] += "; "
		}
		list[day] += strings.TrimPrefix(m.Text, local.Format(time.DateOnly)+" is ")
	}
	return list
}

// Week draws seven days, one beside the other, hours from top to bottom.
func Week(name string, t *flows.Timeline, zone *time.Location) []byte {
	const left, top, width, hour = 84.0, 110.0, 148.0, 25.0
	first := t.From.In(zone)
	l, c := newLegend(t), canvas{}
	last := first.AddDate(0, 0, 6)
	c.text(edgeX, 42, "title", "Where calls go: "+name, 900, 8.6)
	c.text(edgeX, 62, "soft", first.Format("Mon Jan 2")+" – "+last.Format("Mon Jan 2 2006")+" · "+zone.String(), 900, 6.4)
	notes := marks(t, zone, first, 7)
	for day, list := range parts(t, zone, first, 7) {
		x := left + float64(day)*width
		date := first.AddDate(0, 0, day)
		c.text(x+6, top-20, "key", date.Format("Mon Jan 2"), width-10, 8.2)
		if notes[day] != "" {
			c.box(x+2, top-15, width-8, 13, 3, "c9", notes[day])
			c.text(x+6, top-5, "small on", notes[day], width-14, 5.9)
		}
		c.box(x, top, width-4, 24*hour, 4, "card", "")
		for _, p := range list {
			y, h := top+p.from*hour, (p.to-p.from)*hour
			class := l.class[label(p.stretch)]
			c.box(x+1, y+0.5, width-6, max(1, h-1), 3, class, p.stretch.Local+": "+label(p.stretch)+"; "+p.stretch.Because)
			if h >= 18 && class != "loss" {
				c.text(x+9, y+14.5, "on", label(p.stretch), width-22, 7.2)
			}
			if h >= 36 && class != "loss" {
				c.text(x+9, y+30, "small on", clockText(p.from)+"–"+clockText(p.to), width-22, 6)
			}
		}
	}
	for h := 0; h <= 24; h += 3 {
		c.text(edgeX+8, top+float64(h)*hour+4, "small", fmt.Sprintf("%02d:00", h), 60, 6)
		c.line(left-8, top+float64(h)*hour, left, top+float64(h)*hour, "rule")
	}
	l.draw(&c, left, top+24*hour+24, 7*width)
	return c.document("Where calls go: " + name)
}

func clockText(h float64) string {
	minutes := int(h*60 + 0.5)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// Year draws twelve months, one below the other: a column for each day, hours from
// top to bottom.
func Year(name string, t *flows.Timeline, zone *time.Location) []byte {
	const left, top, width, height, pitch = 78.0, 104.0, 33.0, 48.0, 74.0
	first := t.From.In(zone)
	days := int(t.To.Sub(t.From)/(24*time.Hour)) + 1
	l, c := newLegend(t), canvas{}
	c.text(edgeX, 42, "title", "Where calls go: "+name, 900, 8.6)
	c.text(edgeX, 62, "soft", first.Format("Jan 2006")+" – "+first.AddDate(0, 11, 0).Format("Jan 2006")+" · "+zone.String()+" · each column is a day, midnight at the top", 900, 6.4)
	notes := marks(t, zone, first, days)
	for day, list := range parts(t, zone, first, days) {
		date := first.AddDate(0, 0, day)
		month := (date.Year()-first.Year())*12 + int(date.Month()-first.Month())
		if month > 11 {
			break
		}
		x, y := left+float64(date.Day()-1)*width, top+float64(month)*pitch
		if date.Day() == 1 {
			c.text(edgeX, y+height/2+5, "key", date.Format("Jan"), 60, 8.2)
		}
		c.box(x, y, width-3, height, 2, "card", "")
		for _, p := range list {
			c.box(x, y+p.from*height/24, width-3, max(0.5, (p.to-p.from)*height/24), 1, l.class[label(p.stretch)], date.Format("Mon Jan 2")+", "+p.stretch.Local+": "+label(p.stretch))
		}
		class := "small"
		if notes[day] != "" {
			c.box(x-1, y-15, width-1, 14, 3, "c9", notes[day])
			class = "small on"
		}
		c.text(x+4, y-4, class, date.Format("Mon")[:1]+" "+date.Format("2"), width, 4)
	}
	l.draw(&c, left, top+12*pitch+4, 31*width)
	return c.document("Where calls go: " + name)
}
