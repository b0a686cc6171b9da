package exchange

import (
	"log/slog"
	"slices"
	"testing"

	"b2bua/flows"
)

// contacts are how many bindings each user has.
type contacts map[string]int

func (c contacts) Registered() []string {
	var users []string
	for u := range c {
		users = append(users, u)
	}
	slices.Sort(users)
	return users
}

func (c contacts) Forget(username string) int {
	n := c[username]
	delete(c, username)
	return n
}

func TestANewPlanEndsRegistrations(t *testing.T) {
	plan := func(devices ...*flows.Device) *flows.Plan {
		p, problems := flows.NewPlan(flows.Nouns{Devices: devices})
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	device := func(id, username, password string) *flows.Device {
		return &flows.Device{ID: id, Username: username, Password: password}
	}
	alice, bob, carol, dave := device("dev_a", "alice", "alice-secret-1"), device("dev_b", "bob", "bob-secret-1"),
		device("dev_c", "carol", "carol-secret-1"), device("dev_d", "dave", "dave-secret-1")
	phones := contacts{"alice": 1, "bob": 2, "carol": 1, "dave": 1}
	r := &registrations{sip: phones, log: slog.New(slog.DiscardHandler), plan: plan(alice, bob, carol, dave)}

	r.planned(plan(alice, device("dev_b", "bob", "bob-secret-2"), device("dev_c", "caroline", "carol-secret-1"), device("dev_a2", "dave", "dave-secret-1")))
	if got := phones.Registered(); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("still registered: %v", got)
	}
	phones["bob"] = 1 // with the new password
	r.planned(plan(alice, device("dev_b", "bob", "bob-secret-2")))
	if got := phones.Registered(); !slices.Equal(got, []string{"alice", "bob"}) {
		t.Errorf("still registered: %v", got)
	}
	r.planned(plan())
	if got := phones.Registered(); len(got) != 0 {
		t.Errorf("still registered: %v", got)
	}
}
