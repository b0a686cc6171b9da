package flows

import (
	"testing"
	"time"
)

// Whatever is given as hours is either refused with its place or is a range that
// decides: never both, never a panic, and whatever it decides it says in words.
func FuzzTimeRange(f *testing.F) {
	f.Add("09:00", "17:00", "America/New_York", "MON", int64(1768489440))
	f.Add("22:00", "06:00", "Australia/Lord_Howe", "", int64(1775314800))
	f.Add("00:00", "24:00", "Pacific/Apia", "sun", int64(1325239200))
	f.Add("9:00", "24:01", "EST", "FUNDAY", int64(-1))
	f.Add("00:00", "00:00", "../../etc/passwd", "MON,TUE", int64(1<<40))
	f.Add("24:00", "", "Etc/GMT+5", "\x00", int64(0))
	f.Fuzz(func(t *testing.T, start, end, zone, day string, at int64) {
		r := &TimeRange{Start: start, End: end, Timezone: zone}
		if day != "" {
			r.Days = []string{day}
		}
		var problems Problems
		s := compileTimeRange(r, &problems)
		for _, p := range problems {
			if p.Path == "" || p.Message == "" {
				t.Errorf("a problem without place or words: %+v", p)
			}
			if len(p.Message) > 1000 {
				t.Errorf("%d characters to say what is wrong", len(p.Message))
			}
		}
		if len(problems) > 0 {
			return
		}
		if start == end || len(start) != 5 || len(end) != 5 {
			t.Errorf("%+v is good", r)
		}
		now := time.Unix(at%(1<<36), 0)
		if v := s.check(Call{}, now); v.Holds != s.open(now) || v.Text == "" {
			t.Errorf("%+v at %s: %+v", r, now, v)
		}
	})
}

// FuzzZone tries names of zones, which become names of files where there are
// any: what is accepted is a zone whose name is what was written.
func FuzzZone(f *testing.F) {
	for _, name := range []string{"UTC", "America/New_York", "EST", "Etc/GMT+5", "../../etc/passwd", "Local", "posix/UTC", "America/../UTC", "America//New_York", "A/\x00", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		zone, err := loadZone(name)
		switch {
		case err != nil && (zone != nil || len(err.Error()) > 1000):
			t.Errorf("%q: %v and %v", name, zone, err)
		case err == nil && zone.String() != name:
			t.Errorf("%q is %s", name, zone)
		}
	})
}
