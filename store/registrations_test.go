package store_test

import "testing"

func TestRegistrationsAreKept(t *testing.T) {
	s := fresh(t)
	ok(t, s.SaveRegistrations(map[string][]byte{"anna": []byte("1"), "ben": []byte("2")}))
	ok(t, s.SaveRegistrations(map[string][]byte{"anna": []byte("3"), "ben": nil, "nobody": nil}))
	ok(t, s.SaveRegistrations(nil))
	kept, err := s.Registrations()
	if err != nil || len(kept) != 1 || string(kept["anna"]) != "3" {
		t.Errorf("%q, %v", kept, err)
	}
}
