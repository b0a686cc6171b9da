package flows

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// Branch is something that can send a call on: a rule, an option of a menu, the
// fallback of either, the overflow of a queue. The zero Branch is none of them.
// It is a place in nouns that never change, so it can be compared.
type Branch struct {
	flow     *CallFlow
	menu     *IVRMenu
	queue    *Queue
	index    int // of a rule or an option
	fallback bool
}

func (b Branch) some() bool { return b != Branch{} }

// Path is where the branch stands: routing[2], routing[2].fallback,
// ivr_menus[main].options[0], ivr_menus[main].fallback, queues[sales].overflow.
func (b Branch) Path() string {
	switch {
	case b.menu != nil && b.fallback:
		return "ivr_menus[" + b.menu.ID + "].fallback"
	case b.menu != nil:
		return "ivr_menus[" + b.menu.ID + "].options[" + strconv.Itoa(b.index) + "]"
	case b.queue != nil:
		return "queues[" + b.queue.ID + "].overflow"
	case b.flow == nil:
		return ""
	case b.fallback:
		return "routing[" + strconv.Itoa(b.index) + "].fallback"
	}
	return "routing[" + strconv.Itoa(b.index) + "]"
}

// Text is the branch in words.
func (b Branch) Text() string {
	switch {
	case b.menu != nil && b.fallback:
		f := b.menu.Fallback
		return "nobody answers menu " + b.menu.ID + ": " + destinationWords(f.Action, f.ActionID)
	case b.menu != nil:
		o := b.menu.Options[b.index]
		return o.Digit + " in menu " + b.menu.ID + ": " + destinationWords(o.DestinationType, o.Destination)
	case b.queue != nil:
		o := b.queue.Overflow
		return "nobody answers queue " + b.queue.ID + ": " + destinationWords(o.Action, o.ActionID)
	}
	r := b.flow.Routing[b.index]
	if b.fallback {
		return "fallback of " + destinationWords(r.DestinationType, r.Destination) + ": " + destinationWords(r.Fallback.Action, r.Fallback.ActionID)
	}
	return r.Pattern + ": " + destinationWords(r.DestinationType, r.Destination)
}

// Key names the branch by what it says, not by where it stands: rules may be
// moved about and others changed, and what was counted for this one stays its
// own. A rule that was changed is another one.
func (b Branch) Key() string {
	sum := b.sum()
	twin := 0
	for i := range b.index {
		before := b
		if before.index = i; before.exists() && before.sum() == sum {
			twin++
		}
	}
	return sum + strconv.Itoa(twin)
}

func (b Branch) exists() bool {
	return !b.fallback || b.flow == nil || b.flow.Routing[b.index].Fallback != nil
}

func (b Branch) sum() string {
	var content any
	kind := "rule"
	switch {
	case b.menu != nil && b.fallback:
		kind, content = "menu "+b.menu.ID, b.menu.Fallback
	case b.menu != nil:
		kind, content = "option of "+b.menu.ID, b.menu.Options[b.index]
	case b.queue != nil:
		kind, content = "queue "+b.queue.ID, b.queue.Overflow
	default:
		r := b.flow.Routing[b.index]
		if !b.fallback {
			r.Fallback = nil
		} else {
			kind = "fallback"
		}
		content = r
	}
	text, _ := json.Marshal(content) // plain structs: there is no error to come
	sum := sha256.Sum256(append([]byte(kind+"\n"), text...))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Branches are all that calls to a flow can take: its rules, and what belongs to
// the menus and queues that it leads to.
func (p *Plan) Branches(f *CallFlow) (list []Branch) {
	root := p.flows[f.ID]
	if root == nil || root.flow != f {
		root = p.compile(f)
	}
	for i, r := range f.Routing {
		list = append(list, Branch{flow: f, index: i})
		if r.Fallback != nil {
			list = append(list, Branch{flow: f, index: i, fallback: true})
		}
	}
	for _, m := range p.presents(root) {
		for i := range m.menu.Options {
			list = append(list, Branch{menu: m.menu, index: i})
		}
		if m.menu.Fallback != nil {
			list = append(list, Branch{menu: m.menu, fallback: true})
		}
	}
	for _, q := range p.queuesOf(root) {
		if q.Overflow != nil {
			list = append(list, Branch{queue: q, fallback: true})
		}
	}
	return list
}
