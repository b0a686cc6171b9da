package flows

import (
	"fmt"
	"strings"
	"time"
)

const minutesOfDay = 24 * 60

// dayNames are the days of time ranges, in the order of time.Weekday.
var dayNames = [7]string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// schedule is a compiled time range. It is read by the wall clock of its zone:
// nothing is ever converted to UTC, so hours mean the same all the year.
type schedule struct {
	start, end int // minutes since midnight; end up to 24:00
	days       [7]bool
	zone       *time.Location
	words      string // MON-FRI 09:00-17:00
	as         *TimeRange
}

func (s *schedule) open(at time.Time) bool { return s.shown(clockOf(at, s.zone)) }

func (s *schedule) holds(d *decision) bool { return s.shown(d.clock(s.zone)) }

// shown says whether it is open when the clock shows this.
func (s *schedule) shown(now clock) bool {
	yesterday := (now.week + 6) % 7
	if s.start < s.end {
		return s.days[now.week] && now.minute >= s.start && now.minute < s.end
	}
	// Overnight: the day named is the one on which it began.
	return s.days[now.week] && now.minute >= s.start || s.days[yesterday] && now.minute < s.end
}

func (s *schedule) check(_ Call, at time.Time) Verdict {
	local := at.In(s.zone)
	open := s.open(at)
	word := "outside"
	if open {
		word = "inside"
	}
	return Verdict{
		Condition: "time_range", Holds: open,
		Text: "local time " + dayNames[local.Weekday()] + local.Format(" 2006-01-02 15:04:05") + " in " + s.as.Timezone + " is " + word + " " + s.words,
		Detail: map[string]any{
			"local": local.Format(time.RFC3339), "weekday": dayNames[local.Weekday()],
			"start": s.as.Start, "end": s.as.End, "timezone": s.as.Timezone, "days": dayList(s.days),
		},
	}
}

// compileTimeRange compiles a time range and adds what is wrong with it.
func compileTimeRange(t *TimeRange, problems *Problems) *schedule {
	var err error
	hours := readSpan(t.Start, t.End, problems)
	s := &schedule{as: t, start: hours.start, end: hours.end}
	if s.zone, err = loadZone(t.Timezone); err != nil {
		problems.add("timezone", "%s", err)
	}
	s.days = readDays(t.Days, problems)
	s.words = dayWords(s.days) + " " + hours.words
	return s
}

// readClock reads HH:MM, 24:00 included, as minutes since midnight.
func readClock(text string) (int, bool) {
	if len(text) != 5 || text[2] != ':' {
		return 0, false
	}
	var n [4]int
	for i, at := range [4]int{0, 1, 3, 4} {
		if text[at] < '0' || text[at] > '9' {
			return 0, false
		}
		n[i] = int(text[at] - '0')
	}
	hour, minute := n[0]*10+n[1], n[2]*10+n[3]
	if minute > 59 || hour*60+minute > minutesOfDay {
		return 0, false
	}
	return hour*60 + minute, true
}

// readDays reads the names of days in any case; no list at all is every day.
func readDays(names []string, problems *Problems) [7]bool {
	var days [7]bool
	if names == nil {
		return [7]bool{true, true, true, true, true, true, true}
	}
	if len(names) == 0 {
		problems.add("days", "the list of days is empty, so the rule could never match; name days, or leave it out for every day")
	}
	for i, name := range names {
		found := false
		for d, known := range dayNames {
			if strings.EqualFold(name, known) {
				days[d], found = true, true
			}
		}
		if !found {
			problems.add(fmt.Sprintf("days[%d]", i), "%q is not a day; use MON, TUE, WED, THU, FRI, SAT or SUN", name)
		}
	}
	return days
}

// week is the order in which people list days.
var week = [7]time.Weekday{1, 2, 3, 4, 5, 6, 0}

func dayList(days [7]bool) []string {
	var list []string
	for _, d := range week {
		if days[d] {
			list = append(list, dayNames[d])
		}
	}
	return list
}

// dayWords writes days as people do: MON-FRI, or MON,WED,FRI.
func dayWords(days [7]bool) string {
	if days == [7]bool{true, true, true, true, true, true, true} {
		return "every day"
	}
	var parts []string
	for i := 0; i < len(week); i++ {
		if !days[week[i]] {
			continue
		}
		last := i
		for last+1 < len(week) && days[week[last+1]] {
			last++
		}
		switch {
		case last-i >= 2:
			parts = append(parts, dayNames[week[i]]+"-"+dayNames[week[last]])
		case last > i:
			parts = append(parts, dayNames[week[i]], dayNames[week[last]])
		default:
			parts = append(parts, dayNames[week[i]])
		}
		i = last
	}
	return strings.Join(parts, ",")
}
