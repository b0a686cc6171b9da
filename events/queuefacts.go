package events

import "time"

// Queued says that the caller waits in a queue.
type Queued struct {
	Head
	QueueID       string    `json:"queue_id"`
	EntryID       string    `json:"entry_id"`
	Position      int       `json:"position"` // from 1
	Priority      int       `json:"priority"`
	EstimatedWait float64   `json:"estimated_wait,omitempty"` // seconds; left out when nothing is known yet
	Returned      bool      `json:"returned,omitempty"`       // the place was kept from an earlier call
	Callback      bool      `json:"callback,omitempty"`       // the caller was called back
	QueuedAt      time.Time `json:"queued_at"`
}

// Dequeued says that the caller has left a queue, and why.
type Dequeued struct {
	Head
	QueueID    string    `json:"queue_id"`
	EntryID    string    `json:"entry_id"`
	Result     string    `json:"result"`             // connected | timeout | full | empty | exit_key | abandoned | transferred | callback | error
	Position   int       `json:"position,omitempty"` // the caller had at the end
	Wait       float64   `json:"wait"`               // seconds in this call
	Member     string    `json:"member,omitempty"`   // who answered
	Offers     int       `json:"offers"`             // how often members were rung for the caller
	DequeuedAt time.Time `json:"dequeued_at"`
}

// QueueMember says that a member of a queue was paused, logged out, and so on. It
// belongs to no call.
type QueueMember struct {
	Head
	QueueID  string    `json:"queue_id"`
	Member   string    `json:"member"`
	LoggedIn bool      `json:"logged_in"`
	Paused   bool      `json:"paused"`
	Reason   string    `json:"reason,omitempty"` // of the pause
	By       string    `json:"by"`               // api | phone
	At       time.Time `json:"at"`
}

// QueueCallback tells of a caller who is to be called back. Event is one of the
// callback names.
type QueueCallback struct {
	Head
	Event   Name      `json:"-"`
	QueueID string    `json:"queue_id"`
	EntryID string    `json:"entry_id"`
	Number  string    `json:"number"`
	Tries   int       `json:"tries,omitempty"` // how often the caller was called
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
}
