package loop

import "time"

// Timer is a function waiting to be posted.
type Timer struct {
	timer   *time.Timer
	stopped bool // only touched on the loop
}

// After posts f once d has passed.
func (l *Loop) After(d time.Duration, f func()) *Timer {
	return AfterFunc(l.Post, d, f)
}

// AfterFunc is After for those who were given only a loop's Post.
func AfterFunc(post func(func()) bool, d time.Duration, f func()) *Timer {
	t := &Timer{}
	t.timer = time.AfterFunc(d, func() {
		post(func() {
			if !t.stopped {
				f()
			}
		})
	})
	return t
}

// Stop keeps the function from running. It must be called on the loop; then the
// promise holds even when the time is up and the function already queued. A nil
// timer may be stopped.
func (t *Timer) Stop() {
	if t == nil {
		return
	}
	t.stopped = true
	t.timer.Stop()
}
