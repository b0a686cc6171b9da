package events_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2bua/events"
)

var moment = time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)

var head = events.Head{CallID: "call_xyz789", Sequence: 1}

func encode(t *testing.T, e events.Event) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentedEvents holds the events against the documented examples: their
// fields, their order, their way of writing times.
func TestDocumentedEvents(t *testing.T) {
	for _, c := range []struct {
		fact events.Fact
		want string
	}{
		{
			&events.Initiated{Head: head, CallType: "inbound", From: "+14155552672", To: "+14155552671", InitiatedAt: moment},
			`"event":"call.initiated","timestamp":"2024-01-15T10:30:00Z","version":"v1","data":{"call_id":"call_xyz789","call_type":"inbound","from":"+14155552672","to":"+14155552671","initiated_at":"2024-01-15T10:30:00Z","sequence":1}}`,
		},
		{
			&events.Ringing{Head: head, RingingAt: moment.Add(2 * time.Second)},
			`"event":"call.ringing","timestamp":"2024-01-15T10:30:00Z","version":"v1","data":{"call_id":"call_xyz789","ringing_at":"2024-01-15T10:30:02Z","sequence":1}}`,
		},
		{
			&events.Answered{Head: head, AnsweredBy: "+14155552673", AnsweredAt: moment.Add(5 * time.Second)},
			`"event":"call.answered","timestamp":"2024-01-15T10:30:00Z","version":"v1","data":{"call_id":"call_xyz789","answered_by":"+14155552673","answered_at":"2024-01-15T10:30:05Z","sequence":1}}`,
		},
	} {
		got := encode(t, events.New(c.fact, moment))
		id := regexp.MustCompile(`^\{"id":"evt_[a-z2-7]{26}",`).FindString(got)
		if id == "" {
			t.Errorf("%s begins without an id: %s", c.fact.Name(), got)
		}
		if rest := strings.TrimPrefix(got, id); rest != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.fact.Name(), rest, c.want)
		}
	}
}

// TestHeadComesLast has every shared field set, so that all of them move.
func TestHeadComesLast(t *testing.T) {
	f := &events.Held{
		Head: events.Head{CallID: "call_<1>", Sequence: 7, CallFlowID: "cf_a", FlowRevision: 3, Tags: map[string]string{"b": "2", "a": "1"}},
		By:   "caller", HeldAt: moment,
	}
	got := encode(t, events.New(f, moment))
	want := `"data":{"call_id":"call_\u003c1\u003e","by":"caller","held_at":"2024-01-15T10:30:00Z","sequence":7,"call_flow_id":"cf_a","flow_revision":3,"tags":{"a":"1","b":"2"}}}`
	if !strings.HasSuffix(got, want) {
		t.Errorf("got %s\nwant …%s", got, want)
	}
}

// TestEveryNameRoundTrips fills every event's fact, writes it and reads it back.
func TestEveryNameRoundTrips(t *testing.T) {
	if n := len(events.Names()); n != 29 {
		t.Errorf("there are %d names", n)
	}
	for _, name := range events.Names() {
		var empty events.Event
		if err := json.Unmarshal([]byte(`{"event":"`+string(name)+`","data":{}}`), &empty); err != nil {
			t.Fatal(err)
		}
		if empty.Data.Name() != name {
			t.Errorf("the fact of %s calls itself %s", name, empty.Data.Name())
		}
		fill(reflect.ValueOf(empty.Data).Elem())
		e := events.New(empty.Data, moment)
		first := encode(t, e)
		var back events.Event
		if err := json.Unmarshal([]byte(first), &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(e, back) {
			t.Errorf("%s changed:\n%+v\n%+v", name, e, back)
		}
		if second := encode(t, back); second != first {
			t.Errorf("%s:\n%s\n%s", name, first, second)
		}
		var keys map[string]any
		if err := json.Unmarshal([]byte(first), &keys); err != nil {
			t.Fatal(err)
		}
		if data := keys["data"].(map[string]any); data["call_id"] != "text" || data["sequence"] != 5.0 {
			t.Errorf("%s lacks what every event has: %v", name, data)
		}
	}
}

// fill gives every field a value that is not zero, but for names, which the
// fact was made with.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch x := f.Addr().Interface().(type) {
		case *events.Name:
		case *time.Time:
			*x = moment.Add(1500 * time.Millisecond)
		case **time.Time:
			at := moment
			*x = &at
		case **int:
			n := 2
			*x = &n
		case *map[string]string:
			*x = map[string]string{"k": "v"}
		case *[]events.Attempt:
			*x = make([]events.Attempt, 1)
			fill(reflect.ValueOf(&(*x)[0]).Elem())
		case *[]events.Quality:
			*x = make([]events.Quality, 1)
			fill(reflect.ValueOf(&(*x)[0]).Elem())
		default:
			switch f.Kind() {
			case reflect.Struct:
				fill(f)
			case reflect.String:
				f.SetString("text")
			case reflect.Int, reflect.Int64:
				f.SetInt(5)
			case reflect.Uint64:
				f.SetUint(6)
			case reflect.Float64:
				f.SetFloat(1.5)
			case reflect.Bool:
				f.SetBool(true)
			default:
				panic("no value for a " + f.Type().String())
			}
		}
	}
}

func TestTimesAreMillisecondsOfUTC(t *testing.T) {
	ringing := time.Date(2024, 1, 15, 11, 30, 2, 123_456_789, time.FixedZone("CET", 3600))
	failed := &events.Failed{Head: head, EndedAt: ringing, Attempts: []events.Attempt{{StartedAt: ringing, RingingAt: &ringing}}}
	got := encode(t, events.New(failed, ringing))
	if n := strings.Count(got, `"2024-01-15T10:30:02.123Z"`); n != 4 {
		t.Errorf("%d of 4 times are right: %s", n, got)
	}
}

func TestFailedWithoutAttemptsIsAList(t *testing.T) {
	if got := encode(t, events.New(&events.Failed{}, moment)); !strings.Contains(got, `"attempts":[]`) {
		t.Error(got)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, in := range []string{`[]`, `{"event":"call.exploded","data":{}}`, `{"event":"call.dtmf","data":{"digit":1}}`, `{"event":"call.dtmf"}`} {
		var e events.Event
		if err := json.Unmarshal([]byte(in), &e); err == nil {
			t.Errorf("%s was read", in)
		}
	}
}

func FuzzEventJSON(f *testing.F) {
	for _, name := range events.Names() {
		f.Add([]byte(`{"event":"` + string(name) + `","timestamp":"2024-01-15T10:30:00Z","data":{"call_id":"c","tags":{"a":"b"}}}`))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var e events.Event
		if json.Unmarshal(in, &e) != nil {
			return
		}
		first, err := json.Marshal(e)
		if err != nil {
			return // a year beyond 9999 can be read and not written
		}
		var back events.Event
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatalf("%s cannot be read back: %v", first, err)
		}
		if second, err := json.Marshal(back); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s became %s, %v", first, second, err)
		}
	})
}

func TestRecordClone(t *testing.T) {
	var r events.CallRecord
	ended := moment.Add(1234567 * time.Nanosecond)
	r.Tags = map[string]string{"a": "b"}
	r.Attempts = []events.Attempt{{StartedAt: ended, EndedAt: &ended}}
	r.EndedAt = &ended
	r.Error = &events.Problem{Error: "routing_failed", Message: "All routing attempts failed", Code: 503}
	c := r.Clone()
	if !reflect.DeepEqual(r, c) {
		t.Fatalf("the copy differs: %+v %+v", r, c)
	}
	c.Round()
	c.Tags["a"], c.Error.Code = "c", 1
	if !r.EndedAt.Equal(ended) || !r.Attempts[0].StartedAt.Equal(ended) || r.Tags["a"] != "b" || r.Error.Code != 503 {
		t.Errorf("the copy shares with its source: %+v", r)
	}
	if want := moment.Add(time.Millisecond); !c.Ended() || !c.EndedAt.Equal(want) || !c.Attempts[0].EndedAt.Equal(want) {
		t.Errorf("not rounded: %+v", c)
	}
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := events.NewID("cf_")
		if !regexp.MustCompile(`^cf_[a-z2-7]{26}$`).MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}
