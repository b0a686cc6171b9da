package store_test

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/store"
)

func TestCreateFillsIn(t *testing.T) {
	c := &clock{moment.Add(123456 * time.Microsecond)}
	s := open(t, t.TempDir(), store.Options{Now: c.Now})
	c.pass(time.Minute)
	f := flow("Support Line", "+14155552671")
	ok(t, s.Flows().Create(ctx, f))
	if !regexp.MustCompile(`^cf_[a-z2-7]{26}$`).MatchString(f.ID) || f.Revision != 1 || !f.CreatedAt.Equal(moment.Add(time.Minute+123*time.Millisecond)) || !f.UpdatedAt.Equal(f.CreatedAt) {
		t.Errorf("filled in: %+v", f)
	}
	got, err := s.Flows().Get(f.ID)
	ok(t, err)
	if !reflect.DeepEqual(f, got) {
		t.Errorf("created %+v, got %+v", f, got)
	}
	if planned := s.Plan().Flow(f.ID); planned == nil || planned == got || planned == f {
		t.Error("the plan has no copy of its own")
	}
	got.Routing[0].Destination = "elsewhere"
	f.Name = "changed"
	if again, _ := s.Flows().Get(f.ID); again.Name != "Support Line" || again.Routing[0].Destination != flows.DefaultBoxID {
		t.Error("a change of a copy changed the store")
	}
}

func TestEveryCollectionKeepsItsOwn(t *testing.T) {
	s := fresh(t)
	m := &flows.IVRMenu{ID: "ivr_main", Name: "Main", Prompt: "Press one.", Options: []flows.Option{{Digit: "1", Destination: "+14155552673", DestinationType: flows.ToNumber}}}
	ok(t, s.Menus().Create(ctx, m))
	b := &flows.VoicemailBox{Name: "Sales"}
	ok(t, s.Boxes().Create(ctx, b))
	d := &flows.Device{Username: "alice", Password: "a-long-password"}
	ok(t, s.Devices().Create(ctx, d))
	tr := &flows.Trunk{Name: "carrier", Hosts: []string{"192.0.2.0/24"}}
	ok(t, s.Trunks().Create(ctx, tr))
	n := &flows.PhoneNumber{Number: "+14155552671"}
	ok(t, s.Numbers().Create(ctx, n))
	p := s.Plan()
	if p.Menu("ivr_main") == nil || p.Box(b.ID) == nil || p.DeviceByUsername("alice") == nil || len(p.Trunks()) != 1 || p.Number("+14155552671") == nil {
		t.Errorf("the plan lacks something")
	}
	for id, prefix := range map[string]string{b.ID: "vmbox_", d.ID: "dev_", tr.ID: "trunk_"} {
		if !strings.HasPrefix(id, prefix) {
			t.Errorf("the id %s does not begin with %s", id, prefix)
		}
	}
	ok(t, s.Numbers().Delete(ctx, "+14155552671", s.Numbers().ETag(n)))
	if s.Plan().Number("+14155552671") != nil {
		t.Error("deleted and still planned")
	}
}

func TestFirstStartHasABox(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	if q := s.Plan().Queue(flows.DefaultQueueID); q == nil || len(q.Members) != 0 {
		t.Errorf("the queue of the first start: %+v", q)
	}
	if s.Plan().Box(flows.DefaultBoxID) == nil {
		t.Fatal("there is no default box")
	}
	ok(t, s.Boxes().Delete(ctx, flows.DefaultBoxID, ""))
	ok(t, s.Close())
	if open(t, dir, store.Options{}).Plan().Box(flows.DefaultBoxID) != nil {
		t.Error("the deleted box came back")
	}
}

func TestConflicts(t *testing.T) {
	s := fresh(t)
	a := flow("a", "+14155552671")
	a.ID = "cf_a"
	ok(t, s.Flows().Create(ctx, a))
	same := flow("b", "")
	same.ID = "cf_a"
	number := flow("c", "+14155552671")
	resting := flow("d", "+14155552671")
	resting.Active = false
	ok(t, s.Devices().Create(ctx, &flows.Device{Username: "alice", Password: "a-long-password"}))
	ok(t, s.Numbers().Create(ctx, &flows.PhoneNumber{Number: "+14155552671"}))
	ok(t, s.Flows().Create(ctx, resting))
	before := s.Plan()
	for what, err := range map[string]error{
		"the same id":     s.Flows().Create(ctx, same),
		"the same number": s.Flows().Create(ctx, number),
		"the same user":   s.Devices().Create(ctx, &flows.Device{Username: "alice", Password: "another-password"}),
		"the same DID":    s.Numbers().Create(ctx, &flows.PhoneNumber{Number: "+14155552671"}),
	} {
		var bad *store.Invalid
		if !errors.Is(err, store.ErrConflict) || !errors.As(err, &bad) || len(bad.Problems) == 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := s.Flows().Update(ctx, resting.ID, "", func(f *flows.CallFlow) error { f.Active = true; return nil })
	wants(t, err, store.ErrConflict)
	if s.Plan() != before || s.Flows().Len() != 2 {
		t.Error("a refused change left traces")
	}
}

func TestInvalidIsRefused(t *testing.T) {
	s := fresh(t)
	bad := flow("", "")
	bad.Routing[0].Pattern = "[9-0"
	var problems *store.Invalid
	if err := s.Flows().Create(ctx, bad); !errors.As(err, &problems) || len(problems.Problems) != 2 || errors.Is(err, store.ErrConflict) {
		t.Errorf("two problems make %v", err)
	}
	id := flow("x", "")
	id.ID = "../etc"
	if err := s.Flows().Create(ctx, id); !errors.As(err, &problems) || problems.Problems[0].Path != "call_flow_id" {
		t.Errorf("an id with a path makes %v", err)
	}
	if _, _, err := s.Flows().List("!", 1); !errors.As(err, &problems) || problems.Problems[0].Path != "cursor" {
		t.Errorf("a bad cursor makes %v", err)
	}
}

func TestUpdateReplaceDelete(t *testing.T) {
	c := &clock{moment}
	s := open(t, t.TempDir(), store.Options{Now: c.Now})
	f := flow("first", "")
	ok(t, s.Flows().Create(ctx, f))
	tag := s.Flows().ETag(f)
	c.pass(time.Hour)

	second, err := s.Flows().Update(ctx, f.ID, tag, func(x *flows.CallFlow) error {
		x.Name, x.ID, x.Revision, x.CreatedAt = "second", "cf_other", 99, time.Time{}
		return nil
	})
	ok(t, err)
	if second.ID != f.ID || second.Revision != 2 || !second.CreatedAt.Equal(f.CreatedAt) || !second.UpdatedAt.Equal(c.now) || second.Name != "second" {
		t.Errorf("updated: %+v", second)
	}
	_, err = s.Flows().Update(ctx, f.ID, tag, func(*flows.CallFlow) error { return nil })
	wants(t, err, store.ErrPrecondition)
	wants(t, s.Flows().Replace(ctx, f.ID, tag, flow("third", "")), store.ErrPrecondition)
	wants(t, s.Flows().Delete(ctx, f.ID, `W/`+s.Flows().ETag(second)), store.ErrPrecondition)

	plan := s.Plan()
	same, err := s.Flows().Update(ctx, f.ID, `"other", `+s.Flows().ETag(second), func(*flows.CallFlow) error { return nil })
	ok(t, err)
	if same.Revision != 2 || s.Plan() != plan {
		t.Error("a change of nothing made a revision")
	}
	refused := errors.New("refused")
	_, err = s.Flows().Update(ctx, f.ID, "", func(x *flows.CallFlow) error { x.Name = "lost"; return refused })
	wants(t, err, refused)

	third := flow("third", "")
	ok(t, s.Flows().Replace(ctx, f.ID, "*", third))
	if third.ID != f.ID || third.Revision != 3 || !third.CreatedAt.Equal(f.CreatedAt) {
		t.Errorf("replaced: %+v", third)
	}
	ok(t, s.Flows().Delete(ctx, f.ID, s.Flows().ETag(third)))
	_, err = s.Flows().Get(f.ID)
	wants(t, err, store.ErrNotFound)
	wants(t, s.Flows().Delete(ctx, f.ID, ""), store.ErrNotFound)
	wants(t, s.Flows().Replace(ctx, f.ID, "", flow("x", "")), store.ErrNotFound)
}

func TestRevisionsStay(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	f := flow("one", "")
	f.ID = "cf_a"
	ok(t, s.Flows().Create(ctx, f))
	_, err := s.Flows().Update(ctx, "cf_a", "", func(x *flows.CallFlow) error { x.Name = "two"; return nil })
	ok(t, err)
	ok(t, s.Flows().Delete(ctx, "cf_a", ""))
	again := flow("three", "")
	again.ID = "cf_a"
	ok(t, s.Flows().Create(ctx, again))
	ok(t, s.Close())
	s = open(t, dir, store.Options{})
	if again.Revision != 3 {
		t.Errorf("the successor has revision %d", again.Revision)
	}
	all, err := s.Flows().Revisions("cf_a")
	ok(t, err)
	for i, name := range []string{"one", "two", "three"} {
		if i >= len(all) || all[i].Name != name || all[i].Revision != i+1 {
			t.Fatalf("revisions: %+v", all)
		}
	}
	two, err := s.Flows().Revision("cf_a", 2)
	ok(t, err)
	if two.Name != "two" {
		t.Errorf("revision 2 is %+v", two)
	}
	_, err = s.Flows().Revision("cf_a", 4)
	wants(t, err, store.ErrNotFound)
	_, err = s.Flows().Revisions("cf_")
	wants(t, err, store.ErrNotFound)
}

func TestOnPlanHearsEveryPlan(t *testing.T) {
	s := fresh(t)
	var heard []*flows.Plan
	s.OnPlan(func(p *flows.Plan) { heard = append(heard, p) })
	for range 3 {
		ok(t, s.Flows().Create(ctx, flow("x", "")))
	}
	ok(t, s.Webhooks().Create(ctx, webhook()))
	if len(heard) != 3 || heard[2] != s.Plan() {
		t.Errorf("%d plans were heard", len(heard))
	}
}

func TestClosedStore(t *testing.T) {
	s := fresh(t)
	f := flow("x", "")
	ok(t, s.Flows().Create(ctx, f))
	ok(t, s.Close())
	wants(t, s.Flows().Create(ctx, flow("y", "")), store.ErrClosed)
	_, err := s.Call("call_1")
	wants(t, err, store.ErrClosed)
	if _, err := s.Flows().Get(f.ID); err != nil || s.Plan().Flow(f.ID) == nil {
		t.Error("the plan is gone with the file")
	}
}
