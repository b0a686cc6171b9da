package registrar_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"b2bua/sip/registrar"

	"pgregory.net/rapid"
)

// Whatever phones do, a registrar made of the changes that were kept knows the
// same ways to those reached by datagrams as the one that was stopped.
func TestWhatIsKeptIsRestored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, c := fixture(registrar.Config{MaxContacts: 4})
		kept := map[string][]registrar.Binding{}
		save := func() {
			for user, bindings := range r.Changes() {
				kept[user] = bindings
			}
		}
		seq := uint32(0)
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				seq++
				n := rapid.IntRange(1, 5).Draw(t, "contact")
				q := request(seq, fmt.Sprintf("sip:phone@10.0.0.%d", n))
				q.User = rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "user")
				q.Source = source(n)
				q.Transport = rapid.SampledFrom([]string{"udp", "tcp"}).Draw(t, "transport")
				q.Contacts[0].Expires = rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour, registrar.NoExpires}).Draw(t, "expires")
				_, _ = r.Register(q)
			},
			"star": func(t *rapid.T) {
				seq++
				q := request(seq)
				q.Star, q.Expires = true, 0
				_, _ = r.Register(q)
			},
			"remove": func(*rapid.T) { r.Remove("bob") },
			"drop":   func(t *rapid.T) { r.Drop(source(rapid.IntRange(1, 5).Draw(t, "source")), "tcp") },
			"wait": func(t *rapid.T) {
				c.t = c.t.Add(rapid.SampledFrom([]time.Duration{time.Second, 30 * time.Minute}).Draw(t, "time"))
			},
			"save":  func(*rapid.T) { save() },
			"fail":  func(*rapid.T) { r.Unkept(maps.Keys(r.Changes())) },
			"sweep": func(*rapid.T) { r.Sweep() },
		})
		save()
		again := registrar.New(registrar.Config{MaxContacts: 4}, c.now)
		for _, user := range []string{"alice", "bob"} {
			again.Restore(user, kept[user])
			want := slices.DeleteFunc(r.Bindings(user), func(b registrar.Binding) bool { return b.Transport != "udp" })
			if got := again.Bindings(user); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s: %+v, want %+v", user, got, want)
			}
		}
		if len(again.Changes()) > 2 || len(again.Changes()) != 0 {
			t.Fatal("changes are told twice")
		}
	})
}

func TestRestoreTakesNoNonsense(t *testing.T) {
	r, c := fixture(registrar.Config{MaxContacts: 2, MaxExpires: time.Hour})
	good := register(t, r, request(1, "sip:alice@10.0.0.1"))[0]
	spoil := func(change func(*registrar.Binding)) registrar.Binding {
		b := good
		b.Contact = "sip:alice@10.0.0.9"
		change(&b)
		return b
	}
	again := registrar.New(registrar.Config{MaxContacts: 2}, c.now)
	for name, b := range map[string]registrar.Binding{
		"no contact": spoil(func(b *registrar.Binding) { b.Contact = "tel:+1" }),
		"connection": spoil(func(b *registrar.Binding) { b.Transport = "tls" }),
		"no source":  spoil(func(b *registrar.Binding) { b.Source = registrar.Binding{}.Source }),
		"expired":    spoil(func(b *registrar.Binding) { b.Expires = c.t }),
	} {
		if n := again.Restore("alice", []registrar.Binding{b}); n != 0 {
			t.Errorf("%s: restored", name)
		}
	}
	far := spoil(func(b *registrar.Binding) { b.Expires = c.t.Add(1000 * time.Hour) })
	more := spoil(func(b *registrar.Binding) { b.Contact = "sip:third@10.0.0.3" })
	if n := again.Restore("alice", []registrar.Binding{good, good, far, more}); n != 2 {
		t.Errorf("%d restored", n)
	}
	if got := again.Bindings("alice"); got[0].Expires.After(c.t.Add(time.Hour)) || got[1].Expires.After(c.t.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
}
