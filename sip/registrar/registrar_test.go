package registrar_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"b2bua/sip/registrar"

	"pgregory.net/rapid"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func fixture(cfg registrar.Config) (*registrar.Registrar, *clock) {
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return registrar.New(cfg, c.now), c
}

func source(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 5060)
}

// request registers contacts of alice from source 1, for as long as the default.
func request(cseq uint32, contacts ...string) registrar.Request {
	q := registrar.Request{User: "alice", Expires: registrar.NoExpires, CallID: "c", CSeq: cseq, Source: source(1), Transport: "UDP"}
	for _, c := range contacts {
		q.Contacts = append(q.Contacts, registrar.Contact{URI: c, Expires: registrar.NoExpires, Q: 1})
	}
	return q
}

func register(t testing.TB, r *registrar.Registrar, q registrar.Request) []registrar.Binding {
	t.Helper()
	b, err := r.Register(q)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func contacts(bindings []registrar.Binding) (out []string) {
	for _, b := range bindings {
		out = append(out, b.Contact)
	}
	return out
}

func TestRegisterRefreshRemove(t *testing.T) {
	r, c := fixture(registrar.Config{})
	got := register(t, r, request(1, "sip:alice@10.0.0.1:5060", "sip:alice@10.0.0.1:5062"))
	if len(got) != 2 || !got[0].Expires.Equal(c.t.Add(time.Hour)) || got[0].Transport != "udp" || got[0].Source != source(1) {
		t.Fatalf("%+v", got)
	}
	c.t = c.t.Add(30 * time.Minute)
	// The same contact, written differently.
	got = register(t, r, request(2, "SIP:alice@10.0.0.1:5060"))
	if len(got) != 2 || !got[0].Expires.Equal(c.t.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	q := request(3, "sip:alice@10.0.0.1:5060")
	q.Contacts[0].Expires = 0
	if got := contacts(register(t, r, q)); !slices.Equal(got, []string{"sip:alice@10.0.0.1:5062"}) {
		t.Errorf("%v", got)
	}
	if got := contacts(register(t, r, request(4))); len(got) != 1 {
		t.Errorf("a query gives %v", got)
	}
	c.t = c.t.Add(30 * time.Minute)
	if got := r.Bindings("alice"); got != nil || r.Len() != 0 {
		t.Errorf("%d left: %v", r.Len(), got)
	}
}

func TestExpiresIsChosenAndBounded(t *testing.T) {
	for _, c := range []struct {
		param, header, want time.Duration
		brief               bool
	}{
		{registrar.NoExpires, registrar.NoExpires, time.Hour, false},
		{registrar.NoExpires, 5 * time.Minute, 5 * time.Minute, false},
		{2 * time.Minute, 5 * time.Minute, 2 * time.Minute, false},
		{24 * time.Hour, registrar.NoExpires, time.Hour, false},
		{time.Minute, registrar.NoExpires, time.Minute, false},
		{59 * time.Second, registrar.NoExpires, 0, true},
		{registrar.NoExpires, 1, 0, true},
		{registrar.NoExpires, 0, 0, false},
	} {
		r, clk := fixture(registrar.Config{})
		q := request(1, "sip:a@h")
		q.Contacts[0].Expires, q.Expires = c.param, c.header
		got, err := r.Register(q)
		var brief *registrar.IntervalError
		switch {
		case errors.As(err, &brief) != c.brief:
			t.Errorf("%v, %v: %v", c.param, c.header, err)
		case c.brief && brief.Min != time.Minute:
			t.Errorf("%v", brief)
		case c.want == 0:
			if len(got) != 0 {
				t.Errorf("%+v", got)
			}
		case len(got) != 1 || got[0].Expires.Sub(clk.t) != c.want:
			t.Errorf("%v, %v: %+v", c.param, c.header, got)
		}
	}
}

func TestStar(t *testing.T) {
	r, _ := fixture(registrar.Config{})
	register(t, r, request(1, "sip:a@h", "sip:b@h"))
	star := func(cseq uint32, expires time.Duration, contacts ...string) error {
		q := request(cseq, contacts...)
		q.Star, q.Expires = true, expires
		_, err := r.Register(q)
		return err
	}
	for name, err := range map[string]error{
		"without expires": star(2, registrar.NoExpires),
		"with time":       star(2, time.Hour),
		"with a contact":  star(2, 0, "sip:c@h"),
	} {
		if !errors.Is(err, registrar.ErrStar) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := star(1, 0); !errors.Is(err, registrar.ErrOutOfOrder) {
		t.Errorf("old: %v", err)
	}
	if err := star(2, 0); err != nil || r.Len() != 0 {
		t.Errorf("%d left, %v", r.Len(), err)
	}
}

func TestOldRequestChangesNothing(t *testing.T) {
	r, _ := fixture(registrar.Config{})
	register(t, r, request(5, "sip:a@h"))
	for _, cseq := range []uint32{4, 5} {
		// All or nothing: the new contact does not get in either.
		if _, err := r.Register(request(cseq, "sip:new@h", "sip:a@h")); !errors.Is(err, registrar.ErrOutOfOrder) {
			t.Errorf("CSeq %d: %v", cseq, err)
		}
	}
	if got := contacts(r.Bindings("alice")); !slices.Equal(got, []string{"sip:a@h"}) {
		t.Errorf("%v", got)
	}
	q := request(1, "sip:a@h")
	q.CallID = "after a restart"
	register(t, r, q)
}

func TestBadContactIsRefused(t *testing.T) {
	r, _ := fixture(registrar.Config{})
	for _, uri := range []string{"", "sip:", "tel:+1415", "sip:a@h\r\nX: y", "sip:a b@h", "<sip:a@h>", "sip:@"} {
		if _, err := r.Register(request(1, uri)); !errors.Is(err, registrar.ErrContact) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestInstanceReplacesItsOldContact(t *testing.T) {
	r, _ := fixture(registrar.Config{})
	one := request(1, "sip:a@10.0.0.1:5060")
	one.Contacts[0].Instance = "<urn:uuid:1>"
	register(t, r, one)
	two := request(1, "sip:a@10.0.0.1:6000")
	two.CallID, two.Contacts[0].Instance = "d", "<urn:uuid:1>"
	if got := contacts(register(t, r, two)); !slices.Equal(got, []string{"sip:a@10.0.0.1:6000"}) {
		t.Errorf("%v", got)
	}
}

// Over UDP two flows of a phone may well have one Contact URI.
func TestFlowsOfOneContact(t *testing.T) {
	r, _ := fixture(registrar.Config{})
	for i, flow := range []int{1, 2, 1} {
		q := request(uint32(i+1), "sip:a@10.0.0.1:5060")
		q.Contacts[0].Instance, q.Contacts[0].RegID = "<urn:uuid:1>", flow
		want := min(i+1, 2)
		if got := register(t, r, q); len(got) != want {
			t.Errorf("%d bindings after %d, want %d", len(got), i+1, want)
		}
	}
}

func TestPreferredFirst(t *testing.T) {
	r, c := fixture(registrar.Config{})
	for i, q := range []float64{0.2, 1, 0.5, 1} {
		req := request(uint32(i+1), fmt.Sprintf("sip:%d@h", i))
		req.Contacts[0].Q = q
		register(t, r, req)
		c.t = c.t.Add(time.Second)
	}
	if got := contacts(r.Bindings("alice")); !slices.Equal(got, []string{"sip:3@h", "sip:1@h", "sip:2@h", "sip:0@h"}) {
		t.Errorf("%v", got)
	}
}

func TestExpiredSource(t *testing.T) {
	r, c := fixture(registrar.Config{})
	register(t, r, request(1, "sip:a@h"))
	mapped := netip.AddrPortFrom(netip.AddrFrom16(source(1).Addr().As16()), 5060)
	if r.Until(mapped, "udp").IsZero() {
		t.Error("its source is not known")
	}
	if !r.Until(source(2), "udp").IsZero() {
		t.Error("a stranger is known")
	}
	bob := request(1, "sip:b@h")
	bob.User = "bob"
	register(t, r, bob)
	if r.Until(source(1), "udp").IsZero() {
		t.Error("two users are nobody")
	}
	r.Remove("bob")
	if r.Until(source(1), "udp").IsZero() {
		t.Error("gone with the other user")
	}
	c.t = c.t.Add(time.Hour)
	if !r.Until(source(1), "udp").IsZero() {
		t.Error("an expired binding is known")
	}
	if n := r.Sweep(); n != 1 || r.Len() != 0 {
		t.Errorf("%d swept, %d left", n, r.Len())
	}
}

func TestBounds(t *testing.T) {
	r, c := fixture(registrar.Config{MaxContacts: 2, MaxBindings: 3})
	register(t, r, request(1, "sip:1@h", "sip:2@h"))
	if _, err := r.Register(request(2, "sip:3@h", "sip:4@h", "sip:5@h")); !errors.Is(err, registrar.ErrTooMany) {
		t.Errorf("%v", err)
	}
	register(t, r, request(3, "sip:1@h", "sip:2@h"))
	bob := request(1, "sip:1@h", "sip:2@h")
	bob.User = "bob"
	if _, err := r.Register(bob); !errors.Is(err, registrar.ErrFull) {
		t.Errorf("%v", err)
	}
	c.t = c.t.Add(2 * time.Hour)
	register(t, r, bob)
}

// A phone that cannot say who it is, and restarts at random ports, is not locked
// out by what it was before: the contact refreshed longest ago makes room.
func TestPhoneThatRestartsAtRandomPorts(t *testing.T) {
	r, c := fixture(registrar.Config{})
	other := request(1, "sip:alice@10.0.0.9:5060")
	other.CallID = "desk"
	for i := range 50 {
		c.t = c.t.Add(time.Minute)
		other.CSeq++
		register(t, r, other)
		q := request(1, fmt.Sprintf("sip:alice@10.0.0.1:%d", 40000+i))
		q.CallID = fmt.Sprint("boot", i)
		got := register(t, r, q)
		if len(got) > 10 || got[0].Contact != q.Contacts[0].URI && got[1].Contact != q.Contacts[0].URI || !slices.Contains(contacts(got), other.Contacts[0].URI) {
			t.Fatalf("after %d restarts: %v", i, contacts(got))
		}
	}
}

// Against a plain list of what should be there, in any order of requests.
func TestTableKeepsCount(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, c := fixture(registrar.Config{MaxContacts: 3})
		type slot struct{ user, contact string }
		live, since := map[slot]time.Time{}, map[slot]time.Time{}
		for i := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			c.t = c.t.Add(time.Duration(rapid.IntRange(1, 40).Draw(rt, "minutes")) * time.Minute)
			for s, end := range live {
				if !end.After(c.t) {
					delete(live, s)
				}
			}
			q := request(uint32(i+1), fmt.Sprintf("sip:%d@h", rapid.IntRange(0, 4).Draw(rt, "contact")))
			q.User = rapid.SampledFrom([]string{"alice", "bob"}).Draw(rt, "user")
			q.Source = source(rapid.IntRange(1, 3).Draw(rt, "source"))
			q.Expires = rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(rt, "expires")
			got, err := r.Register(q)
			if err == nil {
				s := slot{q.User, q.Contacts[0].URI}
				delete(live, s)
				if q.Expires > 0 {
					live[s], since[s] = c.t.Add(q.Expires), c.t
				}
			}
			want, oldest := 0, slot{}
			for s := range live {
				if s.user != q.User {
					continue
				}
				if want++; oldest.user == "" || since[s].Before(since[oldest]) {
					oldest = s
				}
			}
			if want > 3 {
				delete(live, oldest)
				want--
			}
			if err != nil || len(got) != want {
				rt.Fatalf("step %d: %v, %v, want %d", i, contacts(got), err, want)
			}
			r.Sweep()
			if r.Len() != len(live) {
				rt.Fatalf("step %d: %d bindings, want %d", i, r.Len(), len(live))
			}
		}
	})
}

func FuzzContact(f *testing.F) {
	f.Add("sip:alice@10.0.0.1:5060;transport=udp;ob")
	f.Add("sips:[2001:db8::1]?x=y")
	f.Fuzz(func(t *testing.T, uri string) {
		r, _ := fixture(registrar.Config{})
		got, err := r.Register(request(1, uri))
		if (err == nil) != (len(got) == 1) {
			t.Errorf("%q: %v, %v", uri, got, err)
		}
		if again, err2 := r.Register(request(2, uri)); err == nil && (err2 != nil || len(again) != 1) {
			t.Errorf("%q is not itself: %v, %v", uri, again, err2)
		}
	})
}

// What came over a connection goes with it, and nothing else.
func TestAConnectionTakesItsBindingsWithIt(t *testing.T) {
	r, c := fixture(registrar.Config{})
	over := func(cseq uint32, user, transport string, from int, expires time.Duration) {
		q := request(cseq, fmt.Sprintf("sip:%s@h%d;transport=%s", user, from, transport))
		q.User, q.Transport, q.Source, q.Expires = user, transport, source(from), expires
		register(t, r, q)
	}
	over(1, "alice", "tcp", 1, time.Hour)
	over(2, "alice", "udp", 1, time.Hour)
	over(3, "alice", "tcp", 2, time.Hour)
	over(1, "bob", "tcp", 1, 2*time.Minute)
	if until := r.Until(source(1), "tcp"); !until.Equal(c.t.Add(time.Hour)) {
		t.Errorf("until %v", until)
	}
	if until := r.Until(source(2), "udp"); !until.IsZero() {
		t.Errorf("until %v", until)
	}
	if n := r.Drop(source(1), "tcp"); n != 2 {
		t.Errorf("%d dropped", n)
	}
	if a, b := len(r.Bindings("alice")), len(r.Bindings("bob")); a != 2 || b != 0 || r.Len() != 2 {
		t.Errorf("alice has %d, bob %d, all %d", a, b, r.Len())
	}
	if !r.Until(source(1), "tcp").IsZero() || r.Until(source(1), "udp").IsZero() {
		t.Error("the wrong one was dropped")
	}
	c.t = c.t.Add(time.Hour)
	if !r.Until(source(1), "udp").IsZero() {
		t.Error("expired, but still there")
	}
}
