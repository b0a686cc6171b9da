package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
	"b2bua/flows"
)

// callRow is a call record in the file.
type callRow struct {
	events.CallRecord
	Updated  time.Time `json:"row_updated_at"`
	Revision int       `json:"row_revision"`
}

var callKind = recordKind[callRow]{
	bucket: "calls", name: "call", prefix: "call_",
	meta: func(x *callRow) meta {
		return meta{&x.CallID, &x.InitiatedAt, &x.Updated, &x.Revision}
	},
	owner: func(x *callRow) string { return x.CallFlowID },
}

// SaveCall keeps the record of a call and its trace; a nil trace leaves the one
// kept before. It may be called again when the call goes on.
func (s *Store) SaveCall(ctx context.Context, rec events.CallRecord, trace []flows.Step) error {
	row := &callRow{CallRecord: rec.Clone()}
	row.Round()
	raw, err := json.Marshal(trace)
	if err != nil {
		return fmt.Errorf("save trace of call %s: %w", rec.CallID, err)
	}
	err = s.calls.save(ctx, row, func(tx *bbolt.Tx) error {
		if trace == nil {
			return nil
		}
		return tx.Bucket([]byte(bucketTraces)).Put([]byte(row.CallID), raw)
	})
	if err != nil {
		return fmt.Errorf("save call %s: %w", rec.CallID, err)
	}
	return nil
}

// Call is the record of a call that was saved.
func (s *Store) Call(id string) (*events.CallRecord, error) {
	row, err := s.calls.Get(id)
	if err != nil {
		return nil, err
	}
	return &row.CallRecord, nil
}

// Trace is how a call was routed, step by step; empty when nothing was noted.
func (s *Store) Trace(id string) ([]flows.Step, error) {
	trace := []flows.Step{}
	err := s.view(func(tx *bbolt.Tx) error {
		raw := tx.Bucket([]byte(bucketTraces)).Get([]byte(id))
		if raw == nil {
			_, err := s.calls.read(tx, id)
			return err
		}
		return json.Unmarshal(raw, &trace)
	})
	return trace, err
}

// CallFilter selects calls; what is empty selects all.
type CallFilter struct {
	Status, From, To, CallFlowID string
	Tags                         map[string]string // an empty value: the tag is there
	Since, Until                 time.Time         // of initiated_at: from Since on, before Until
	Newest                       bool              // the newest first
}

// Match reports whether a call, live or ended, is selected.
func (f *CallFilter) Match(r *events.CallRecord) bool {
	for _, c := range [][2]string{{f.Status, r.Status}, {f.From, r.From}, {f.To, r.To}, {f.CallFlowID, r.CallFlowID}} {
		if c[0] != "" && c[0] != c[1] {
			return false
		}
	}
	for k, want := range f.Tags {
		if got, ok := r.Tags[k]; !ok || (want != "" && want != got) {
			return false
		}
	}
	return (f.Since.IsZero() || !r.InitiatedAt.Before(f.Since)) && (f.Until.IsZero() || r.InitiatedAt.Before(f.Until))
}

// Calls is one page of the kept calls by initiated_at and id, and the cursor of
// the next page. A page of a search may be shorter than limit and still have a
// successor.
func (s *Store) Calls(f CallFilter, cursor string, limit int) (page []*events.CallRecord, next string, err error) {
	rows, next, err := s.calls.List(Query[callRow]{
		Owner: f.CallFlowID, Newest: f.Newest, Since: f.Since, Until: f.Until,
		Where: func(row *callRow) bool { return f.Match(&row.CallRecord) },
	}, cursor, limit)
	page = make([]*events.CallRecord, len(rows))
	for i, row := range rows {
		page[i] = &row.CallRecord
	}
	return page, next, err
}

// CallCursor is the cursor of the page behind this call, for lists in which
// live calls stand among the kept ones.
func CallCursor(r *events.CallRecord) string {
	return position{at: r.InitiatedAt, id: r.CallID}.cursor()
}
