package queue

import (
	"time"

	"b2bua/events"
)

// Entry is a caller in line as others see it.
type Entry struct {
	ID            string    `json:"entry_id"`
	CallID        string    `json:"call_id,omitempty"`
	From          string    `json:"from"`
	Status        string    `json:"status"` // waiting | ringing | leaving | callback | calling
	Position      int       `json:"position"`
	Priority      int       `json:"priority"`
	JoinedAt      time.Time `json:"joined_at"`
	Wait          float64   `json:"wait"` // seconds since then
	EstimatedWait float64   `json:"estimated_wait,omitempty"`
	Returned      bool      `json:"returned,omitempty"`
	Offers        int       `json:"offers"`
	Ringing       []string  `json:"ringing,omitempty"` // members
	Tries         int       `json:"tries,omitempty"`   // of calling back
}

// Member is a member as others see it.
type Member struct {
	Destination     string     `json:"destination"`
	DestinationType string     `json:"destination_type"`
	Name            string     `json:"name,omitempty"`
	Penalty         int        `json:"penalty"`
	LoggedIn        bool       `json:"logged_in"`
	Paused          bool       `json:"paused"`
	Reason          string     `json:"reason,omitempty"`
	Status          string     `json:"status"` // idle | reserved | ringing | answered | talking | wrap_up | busy | absent
	Since           time.Time  `json:"since"`
	EntryID         string     `json:"entry_id,omitempty"`
	CallID          string     `json:"call_id,omitempty"`
	Answered        int        `json:"answered"`
	Refused         int        `json:"refused"`
	TalkTime        float64    `json:"talk_time"` // seconds in all
	WrapUpUntil     *time.Time `json:"wrap_up_until,omitempty"`
}

// Figures are the statistics as others see them.
type Figures struct {
	Stats
	Waiting     int     `json:"waiting"`             // at the moment
	LongestNow  float64 `json:"longest_waiting"`     // seconds, of those
	Mean        float64 `json:"mean_wait"`           // seconds
	Level       float64 `json:"service_level"`       // part answered in time, 0 to 1
	LevelWithin int     `json:"service_level_after"` // seconds that count as in time
	Ready       int     `json:"members_ready"`       // logged in and not paused
	Talking     int     `json:"members_talking"`
}

func (l *line) viewEntries(now time.Time) []Entry {
	list := make([]Entry, 0, len(l.entries))
	for i, e := range l.entries {
		v := Entry{
			ID: e.id, CallID: e.callID, From: e.from, Status: e.state, Position: i + 1, Priority: e.priority, JoinedAt: events.Moment(e.joined),
			Wait: events.Seconds(now.Sub(e.joined)), EstimatedWait: events.Seconds(l.estimate(i + 1)), Returned: e.returned,
			Offers: e.offers, Tries: e.tries,
		}
		for _, m := range e.offered {
			v.Ringing = append(v.Ringing, m.Destination)
		}
		list = append(list, v)
	}
	return list
}

func (l *line) viewMembers() []Member {
	list := make([]Member, 0, len(l.members))
	for _, m := range l.members {
		if !m.gone {
			list = append(list, l.viewMember(m))
		}
	}
	return list
}

func (l *line) viewMember(m *member) Member {
	v := Member{
		Destination: m.Destination, DestinationType: string(m.DestinationType), Name: m.Name, Penalty: m.Penalty,
		LoggedIn: !m.loggedOut, Paused: m.paused, Reason: m.reason, Status: m.state, Since: events.Moment(m.since),
		Answered: m.answered, Refused: m.refused, TalkTime: events.Seconds(time.Duration(float64(m.talked) * float64(time.Second))),
	}
	if m.entry != nil {
		v.EntryID, v.CallID = m.entry.id, m.entry.callID
	}
	switch {
	case m.state == memberWrapUp:
		until := events.Moment(m.until)
		v.WrapUpUntil = &until
	case m.state == memberIdle && !m.held:
		switch l.roster.look(m.key) {
		case Absent:
			v.Status = "absent"
		case Busy:
			v.Status = "busy"
		}
	}
	return v
}

func (l *line) figures(now time.Time) Figures {
	f := Figures{Stats: l.stats, Waiting: len(l.entries), Mean: events.Seconds(time.Duration(l.stats.MeanWait() * float64(time.Second))),
		Level: l.stats.ServiceLevel(), LevelWithin: l.cfg.ServiceLevel}
	for _, e := range l.entries {
		f.LongestNow = max(f.LongestNow, events.Seconds(now.Sub(e.joined)))
	}
	for _, m := range l.members {
		if m.ready() {
			f.Ready++
		}
		if m.state == memberTalking {
			f.Talking++
		}
	}
	return f
}
