package queue

import (
	"time"

	"b2bua/flows"
)

// Stats are the figures of a queue since some day.
type Stats struct {
	Since           time.Time `json:"since"`
	Offered         int       `json:"offered"`
	Answered        int       `json:"answered"`
	Within          int       `json:"answered_in_time"`
	Abandoned       int       `json:"abandoned"`
	TimedOut        int       `json:"timeout"`
	Full            int       `json:"full"`
	Empty           int       `json:"empty"`
	Exited          int       `json:"exit_key"`
	Transferred     int       `json:"transferred"`
	Errors          int       `json:"error"`
	Callbacks       int       `json:"callbacks"`
	CallbacksFailed int       `json:"callbacks_failed"`

	LongestWait float64 `json:"longest_wait"` // seconds, of all who have left the line
	WaitSum     float64 `json:"wait_sum"`     // of those who were answered
	Handle      float64 `json:"handle"`       // seconds that a member has with a caller, the last ones counting most
}

// recent is how much the last conversation counts in Handle.
const recent = 0.2

func (s *Stats) answered(wait time.Duration, q *flows.Queue) {
	s.Answered++
	s.WaitSum += wait.Seconds()
	s.LongestWait = max(s.LongestWait, wait.Seconds())
	if wait <= time.Duration(q.ServiceLevel)*time.Second {
		s.Within++
	}
}

func (s *Stats) talked(d time.Duration) {
	if s.Handle == 0 {
		s.Handle = d.Seconds()
		return
	}
	s.Handle += recent * (d.Seconds() - s.Handle)
}

// left counts a caller who has left without a member.
func (s *Stats) left(result string, wait time.Duration) {
	s.LongestWait = max(s.LongestWait, wait.Seconds())
	switch result {
	case Abandoned:
		s.Abandoned++
	case Timeout:
		s.TimedOut++
	case Empty:
		s.Empty++
	case ExitKey:
		s.Exited++
	case Transferred:
		s.Transferred++
	default:
		s.Errors++
	}
}

// MeanWait is how long those who were answered have waited, in seconds.
func (s *Stats) MeanWait() float64 {
	if s.Answered == 0 {
		return 0
	}
	return s.WaitSum / float64(s.Answered)
}

// ServiceLevel is the part of the callers who had their turn, or gave it up, that
// was answered in time; 1 as long as there were none.
func (s *Stats) ServiceLevel() float64 {
	all := s.Answered + s.Abandoned + s.TimedOut + s.Exited
	if all == 0 {
		return 1
	}
	return float64(s.Within) / float64(all)
}

// estimate is how long a caller at a position is likely to wait: until that many
// conversations are over, of all members who are there. 0 when nothing is known.
func (l *line) estimate(position int) time.Duration {
	hands := 0
	for _, m := range l.members {
		if m.ready() && l.there(m) {
			hands++
		}
	}
	if hands == 0 || position <= 0 {
		return 0
	}
	return time.Duration(l.stats.Handle * float64(position) / float64(hands) * float64(time.Second))
}
