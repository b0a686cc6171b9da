package queue

import (
	"testing"
	"time"
)

// A member who cannot be rung for the first caller at all, takes the next one; a
// member who let it ring is kept for the first.
func TestMemberWhoCannotBeRungForTheFirstCaller(t *testing.T) {
	for after, want := range map[time.Duration]int{50 * time.Millisecond: 1, 10 * time.Second: 0} {
		now := time.Unix(1_700_000_000, 0)
		l := newLine(queueOf("anna"), personOf, NewRoster(nil), func(string) {}, now)
		second := &still{}
		e, _ := l.join(now, joining{caller: &still{}, number: number(1)})
		l.join(now.Add(time.Millisecond), joining{caller: second, number: number(2)})
		l.refused(now.Add(after), e, "anna")
		if carry(l); len(second.rung) != want {
			t.Errorf("refused after %s: the second is offered %d times", after, len(second.rung))
		}
	}
}
