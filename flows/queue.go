package flows

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Queue is a line of callers and the members who answer them.
type Queue struct {
	ID             string         `json:"queue_id"`
	Name           string         `json:"name"`
	Strategy       string         `json:"strategy,omitempty"` // ring_all (default) | round_robin | longest_idle | fewest_calls | linear
	Members        []QueueMember  `json:"members"`
	RingTimeout    int            `json:"ring_timeout,omitempty"` // seconds, 15
	Retry          int            `json:"retry,omitempty"`        // seconds, 5
	WrapUp         int            `json:"wrap_up,omitempty"`      // seconds
	MaxSize        int            `json:"max_size,omitempty"`     // 0: no limit
	MaxWait        int            `json:"max_wait,omitempty"`     // seconds, 300
	ExitKey        string         `json:"exit_key,omitempty"`
	HoldMusic      string         `json:"hold_music,omitempty"`
	Greeting       string         `json:"greeting,omitempty"`
	Announce       *QueueAnnounce `json:"announce,omitempty"`
	JoinWhenEmpty  bool           `json:"join_when_empty,omitempty"`
	LeaveWhenEmpty bool           `json:"leave_when_empty,omitempty"`
	Priority       int            `json:"priority,omitempty"`
	KeepPlaceFor   *int           `json:"keep_place_for,omitempty"` // seconds, 60; 0: places are not kept
	Overflow       *Fallback      `json:"overflow,omitempty"`
	Record         bool           `json:"record,omitempty"`
	Callback       *QueueCallback `json:"callback,omitempty"`
	Accept         bool           `json:"accept,omitempty"`
	AcceptPrompt   string         `json:"accept_prompt,omitempty"`
	Whisper        string         `json:"whisper,omitempty"`
	ServiceLevel   int            `json:"service_level,omitempty"` // seconds, 20
	Language       string         `json:"language,omitempty"`
	Voice          string         `json:"voice,omitempty"`
	CreatedAt      time.Time      `json:"created_at,omitzero"`
	UpdatedAt      time.Time      `json:"updated_at,omitzero"`
	Revision       int            `json:"revision,omitempty"`
}

// QueueMember is somebody who answers callers. Within a queue the destination
// names the member.
type QueueMember struct {
	Destination     string          `json:"destination"`
	DestinationType DestinationType `json:"destination_type"`  // phone_number | device | sip
	Penalty         int             `json:"penalty,omitempty"` // who has more is rung when nobody with less is free
	Name            string          `json:"name,omitempty"`
	Accept          *bool           `json:"accept,omitempty"` // must press 1 to take a call; as the queue says when left out
}

// QueueAnnounce is what a waiting caller is told, and how often.
type QueueAnnounce struct {
	Position bool `json:"position,omitempty"`
	WaitTime bool `json:"wait_time,omitempty"`
	Every    int  `json:"every,omitempty"` // seconds, 60
}

// QueueCallback lets a caller hang up and be called when it is the caller's turn.
// Whoever calls in says which number that is, so the numbers that the switch may
// be made to call are listed.
type QueueCallback struct {
	Key     string   `json:"key"`
	Numbers []string `json:"numbers"`
	Prompt  string   `json:"prompt,omitempty"`
}

// How a queue chooses whom to ring.
const (
	RingAll     = "ring_all"
	RoundRobin  = "round_robin"
	LongestIdle = "longest_idle"
	FewestCalls = "fewest_calls"
	Linear      = "linear"
)

// Strategies are all of them.
var Strategies = []string{RingAll, RoundRobin, LongestIdle, FewestCalls, Linear}

// DefaultQueueID is the queue that exists from the first start, without members.
const DefaultQueueID = "queue_support"

const (
	maxMembers  = 500
	maxPriority = 1000
)

// DefaultQueue is the queue that exists from the first start.
func DefaultQueue() *Queue {
	q := &Queue{ID: DefaultQueueID, Name: "Support", Members: []QueueMember{}}
	q.ApplyDefaults()
	return q
}

// ApplyDefaults fills in what was left out.
func (q *Queue) ApplyDefaults() {
	orElse(&q.Strategy, RingAll)
	orElse(&q.RingTimeout, 15)
	orElse(&q.Retry, 5)
	orElse(&q.MaxWait, 300)
	orElse(&q.ServiceLevel, 20)
	if q.Members == nil {
		q.Members = []QueueMember{}
	}
	if q.KeepPlaceFor == nil {
		minute := 60
		q.KeepPlaceFor = &minute
	}
	if q.Announce != nil {
		orElse(&q.Announce.Every, 60)
	}
	if o := q.Overflow; o != nil && o.Action != ToQueue && o.Action != ToRingGroup { // those have a time of their own
		o.ApplyDefaults()
	}
}

// Validate tells everything that is wrong with the queue.
func (q *Queue) Validate() Problems {
	var problems Problems
	problems.checkID("queue_id", q.ID)
	problems.checkName(q.Name)
	problems.checkOneOf("strategy", q.Strategy, append([]string{""}, Strategies...)...)
	problems = append(problems, q.validateMembers()...)
	problems.checkMost("ring_timeout", q.RingTimeout, 600)
	problems.checkMost("retry", q.Retry, 600)
	problems.checkMost("wrap_up", q.WrapUp, 3600)
	problems.checkMost("max_size", q.MaxSize, 10000)
	problems.checkMost("max_wait", q.MaxWait, 86400)
	problems.checkMost("service_level", q.ServiceLevel, 3600)
	if q.KeepPlaceFor != nil {
		problems.checkMost("keep_place_for", *q.KeepPlaceFor, 3600)
	}
	if q.Priority < -maxPriority || q.Priority > maxPriority {
		problems.add("priority", "%d is out of range; use %d to %d", q.Priority, -maxPriority, maxPriority)
	}
	problems.checkKey("exit_key", q.ExitKey)
	problems.addIf("hold_music", checkText(q.HoldMusic, maxURL))
	for _, text := range []struct{ path, value string }{
		{"greeting", q.Greeting}, {"accept_prompt", q.AcceptPrompt}, {"whisper", q.Whisper},
	} {
		problems.addIf(text.path, checkSpeech(text.value))
	}
	if q.Announce != nil && (q.Announce.Every < 0 || q.Announce.Every > 0 && q.Announce.Every < 5 || q.Announce.Every > 3600) {
		problems.add("announce.every", "%d is out of range; give the seconds between two announcements, 5 to 3600", q.Announce.Every)
	}
	if q.Callback != nil {
		problems = append(problems, q.Callback.validate(q.ExitKey).Under("callback")...)
	}
	if q.Overflow != nil {
		problems = append(problems, q.Overflow.Validate().Under("overflow")...)
	}
	problems.checkVoice(q.Language, q.Voice)
	return problems
}

func (q *Queue) validateMembers() Problems {
	var problems Problems
	if len(q.Members) > maxMembers {
		problems.add("members", "a queue has at most %d members; this one has %d", maxMembers, len(q.Members))
	}
	seen := make(map[string]bool, len(q.Members))
	for i, m := range q.Members {
		found := checkDestination(m.DestinationType, m.Destination, "destination", "destination_type")
		if len(found) == 0 && !slices.Contains([]DestinationType{ToNumber, ToDevice, ToSIP}, m.DestinationType) {
			found.add("destination_type", "a member is somebody who can be rung: use phone_number, device or sip")
		}
		if seen[m.Destination] {
			found.add("destination", "%q is a member already; list each once", shorten(m.Destination))
		}
		seen[m.Destination] = true
		found.checkMost("penalty", m.Penalty, 1000)
		found.addIf("name", checkText(m.Name, maxName))
		problems = append(problems, found.Under(fmt.Sprintf("members[%d]", i))...)
	}
	return problems
}

func (c *QueueCallback) validate(exit string) Problems {
	var problems Problems
	if c.Key == "" {
		problems.add("key", "the key is missing; give the one that asks for a call back, such as 1")
	}
	problems.checkKey("key", c.Key)
	if c.Key != "" && c.Key == exit {
		problems.add("key", "%s is the exit_key already; use another", c.Key)
	}
	if len(c.Numbers) == 0 {
		problems.add("numbers", "say which numbers may be called back: +14155552671, +1415* for all that begin so, or * for all. Who calls in chooses the number, and the call is yours to pay")
	}
	for i, entry := range c.Numbers {
		if !validPermission(entry) {
			problems.addNumber(fmt.Sprintf("numbers[%d]", i),
				"%q is neither a number nor the beginning of one; write +14155552671, +1415* or * for all", shorten(entry))
		}
	}
	problems.addIf("prompt", checkSpeech(c.Prompt))
	return problems
}

// May says whether a number may be called back.
func (c *QueueCallback) May(number string) bool {
	return c != nil && permitted(c.Numbers, number)
}

// Accepts says whether a member must press a key to take a call: a mobile's
// mailbox answers, too, and presses none.
func (q *Queue) Accepts(m QueueMember) bool {
	if m.Accept != nil {
		return *m.Accept
	}
	return q.Accept && m.DestinationType == ToNumber
}

// Keeps is how long the place of a caller is kept who has hung up.
func (q *Queue) Keeps() time.Duration {
	if q.KeepPlaceFor == nil {
		return time.Minute
	}
	return time.Duration(*q.KeepPlaceFor) * time.Second
}

// checkKey lets an empty key pass: it stands for none.
func (p *Problems) checkKey(path, key string) {
	if key != "" && (len(key) != 1 || !strings.Contains(symbols, key)) {
		p.add(path, "%q is not a key; use one of 0-9 * #", shorten(key))
	}
}
