package queue

import (
	"testing"
	"time"
)

// asks lets a caller of a number wait in line and ask for a call back.
func asks(t *testing.T, l *line, now time.Time, n string) *entry {
	t.Helper()
	e, refused := l.join(now, joining{caller: &still{}, number: n})
	if refused != "" || !l.wantsCallback(now, e) {
		t.Fatalf("no call back: %q", refused)
	}
	return e
}

// Whom members are rung for may ask for a call back while the phone is in use:
// nobody is called before the call is over.
func TestCallBackWaitsForTheEndOfTheCall(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLine(queueOf("anna"), personOf, NewRoster(nil), func(string) {}, now)
	var dialled []Back
	l.dialBack = func(b Back) { dialled = append(dialled, b) }
	e := asks(t, l, now, number(1))
	now = now.Add(5 * time.Second)
	l.settle(now)
	l.hungUp(now, e)
	if carry(l); len(dialled) != 0 {
		t.Fatal("called while on the line")
	}
	if wake := l.wake(now); wake.After(now.Add(callbackRests)) {
		t.Errorf("looks again at %s", wake)
	}
	l.settle(now.Add(callbackRests))
	if carry(l); len(dialled) != 1 {
		t.Errorf("called %d times", len(dialled))
	}
	raw, err := l.save(now)
	if err != nil {
		t.Fatal(err)
	}
	again := newLine(queueOf("anna"), personOf, NewRoster(nil), func(string) {}, now)
	again.dialBack = func(Back) { t.Error("called again at once after a restart") }
	if err := again.restore(now.Add(time.Second), raw); err != nil {
		t.Fatal(err)
	}
	carry(again)
}

// A number waits to be called once. Who calls again has the place, and is not
// called any more; those who wait to be called fill no queue.
func TestCallBackOnceForANumber(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	q := queueOf()
	q.MaxSize = 1
	l := newLine(q, personOf, NewRoster(nil), func(string) {}, now)
	first := asks(t, l, now, number(1))
	asks(t, l, now.Add(time.Second), number(2))
	asks(t, l, now.Add(2*time.Second), number(1))
	if n := l.callbacks(); n != 2 {
		t.Errorf("%d call backs", n)
	}
	e, refused := l.join(now.Add(3*time.Second), joining{caller: &still{}, number: number(1)})
	if refused != "" || !e.returned || !e.joined.Equal(first.joined) || l.position(e) != 1 || l.callbacks() != 1 {
		t.Errorf("refused %q, %+v", refused, e)
	}
}

// Numbers that were allowed when the key was pressed are asked again.
func TestCallBackForbiddenMeanwhile(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLine(queueOf(), personOf, NewRoster(nil), func(string) {}, now)
	asks(t, l, now, number(1))
	q := queueOf()
	q.Callback = nil
	if l.configure(now, q); len(l.entries) != 0 {
		t.Error("still to be called")
	}
}
