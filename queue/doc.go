// Package queue decides who answers next: lines of callers, and the members who
// take them.
//
// It owns the order of each line, the choice of members by strategy and penalty,
// their states (logged in, paused, ringing, talking, wrapping up), places kept
// for callers who come back, call backs, and the statistics. The rules are a pure
// machine, line: the time is passed in, and what is to be done comes out as
// orders.
//
// It does not own: calls, SIP or sound (call rings members and plays music, and
// is asked to through the interface Caller), nor what is kept on disk (store,
// through Keeper). Whether a caller is still there is the call's to say; a queue
// asks and is told.
//
// Goroutines: one loop for each queue, which owns its line, and that of Hall.Run,
// which keeps what must not be forgotten. Queues share no state; members who
// belong to several meet in the Roster, which has the one lock.
package queue
