// Package loop gives an actor its goroutine: functions posted to a Loop run one
// after the other, in the order in which they were posted, and timers fire on it
// like any other posted function. State that only these functions touch needs no
// mutex.
//
// It owns the queue and the goroutine's life, and nothing of what is posted. Run
// uses the goroutine of its caller and starts no other.
package loop
