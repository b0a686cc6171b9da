// Package store keeps what must survive a restart, in one bbolt file below the
// data directory, and publishes the plan.
//
// It owns: the plan's nouns with their revisions, event webhooks and their
// delivery log, API keys, call records and traces, the index of recordings and
// of voicemail messages, the replies kept for Idempotency-Key; ids, created_at,
// updated_at and revision are set here. It owns the file: its schema, its lock,
// the check after an unclean stop, and copies of it.
//
// It does not own: what makes a noun good (flows), audio files (recorder and
// ivr write them, the store only knows their paths), HTTP (api), or delivery
// (webhook).
//
// A write to a noun builds and validates the whole new plan, commits it to
// disk, and then swaps one pointer; readers of Plan never wait and never see
// half a change. Writers queue up behind one mutex. Nouns go in and come out as
// copies.
//
// Nouns from the config file are marked. Every start brings them to what the
// file says and removes those that it no longer lists; the API reads them but
// may not change them (ErrConfigOwned), so that a restart never undoes what
// somebody did through the API.
//
// Goroutines: none of its own, but for those bbolt uses to gather small writes
// of call records; they end with the write that waits for them.
package store
