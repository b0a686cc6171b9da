package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Version is the version of the event body.
const Version = "v1"

// Event is a fact with its id and its moment: the body of a webhook delivery
// and one entry of the event stream.
type Event struct {
	ID        string    `json:"id"`
	Name      Name      `json:"event"`
	Timestamp time.Time `json:"timestamp"`
	Version   string    `json:"version"`
	Data      Fact      `json:"data"`
}

// New makes the event that tells f, which happened at this moment.
func New(f Fact, at time.Time) Event {
	e := Event{Timestamp: at, Data: f}
	e.complete()
	return e
}

// complete fills in what follows from the fact and brings every moment to
// whole milliseconds of UTC.
func (e *Event) complete() {
	if e.ID == "" {
		e.ID = NewID("evt_")
	}
	if e.Version == "" {
		e.Version = Version
	}
	e.Timestamp = Moment(e.Timestamp)
	if e.Data == nil {
		return
	}
	if e.Name == "" {
		e.Name = e.Data.Name()
	}
	if f, ok := e.Data.(*Failed); ok && f.Attempts == nil {
		f.Attempts = []Attempt{} // [] in JSON, not null
	}
	if f, ok := e.Data.(timed); ok {
		for _, t := range f.times() {
			if m := Moment(*t); m != *t { // an event told twice is already shared
				*t = m
			}
		}
	}
}

// Moment is t as events and records show it: UTC, whole milliseconds.
func Moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Seconds is d as events and records show it: whole milliseconds, and no more
// digits than those need.
func Seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// MarshalJSON puts a fact's own fields right behind call_id, in the order of
// the documented examples, and what all facts share behind them.
func (e Event) MarshalJSON() ([]byte, error) {
	data, err := factJSON(e.Data)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Name, err)
	}
	type plain Event
	return json.Marshal(struct {
		plain
		Data json.RawMessage `json:"data"`
	}{plain(e), data})
}

// factJSON encodes a fact. A fact embeds its Head first, so its JSON begins
// with the Head's JSON: all of that but call_id moves to the end.
func factJSON(f Fact) ([]byte, error) {
	if f == nil {
		return []byte("{}"), nil
	}
	whole, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(f.Header())
	if err != nil {
		return nil, err
	}
	first, err := json.Marshal(struct {
		CallID string `json:"call_id"`
	}{f.Header().CallID})
	if err != nil {
		return nil, err
	}
	head, first = head[:len(head)-1], first[:len(first)-1]
	own, ok := bytes.CutPrefix(whole, head)
	if !ok {
		return whole, nil
	}
	shared := bytes.TrimPrefix(head, first)
	out := make([]byte, 0, len(whole))
	out = append(out, first...)
	out = append(out, own[:len(own)-1]...)
	out = append(out, shared...)
	return append(out, '}'), nil
}

// UnmarshalJSON reads an event back, its fact into the type the name tells.
func (e *Event) UnmarshalJSON(b []byte) error {
	type plain Event
	in := struct {
		*plain
		Data json.RawMessage `json:"data"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("decode event: %w", err)
	}
	maker, ok := makers[e.Name]
	if !ok {
		return fmt.Errorf("decode event: no event is called %q", e.Name)
	}
	f := maker()
	if err := json.Unmarshal(in.Data, f); err != nil {
		return fmt.Errorf("decode event %s: %w", e.Name, err)
	}
	e.Data = f
	return nil
}
