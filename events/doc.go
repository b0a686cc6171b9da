// Package events says what happened: typed facts in the past tense, the record
// of a call, and a bus that carries the facts to whoever listens.
//
// It owns: the names and the JSON of every event, the call record, the bus and
// the making of ids.
//
// It does not own: delivery to webhook endpoints (webhook), the event stream
// over HTTP (api), keeping call records (store), or deciding when something
// happened (call).
//
// Goroutines: one per unbounded subscription that is listened to, which moves
// events from its list to its channel. It ends when the subscription is closed
// or has finished, and Close waits for it. Publish never blocks: a bounded subscription that is full
// drops the event and counts it.
package events
