package flows

import (
	"cmp"
	"slices"
)

func (b *builder) addDevices() {
	gone, come := differ(b.was.Devices, b.nouns.Devices)
	if len(gone)+len(come) == 0 && b.devices != nil {
		return
	}
	b.devices, b.byUsername, b.byNumber = fresh(b.devices, len(come)), fresh(b.byUsername, len(come)), fresh(b.byNumber, len(come))
	for _, d := range gone {
		delete(b.devices, d.ID)
		delete(b.byUsername, d.Username)
		delete(b.byNumber, d.Number)
	}
	for _, d := range come {
		b.problems = append(b.problems, d.Validate().Under("devices["+d.ID+"]")...)
		if b.devices[d.ID] != nil {
			b.problems.addConflict("device_id", "there is already a device with the id %q; choose another", d.ID)
		}
		if other := b.byUsername[d.Username]; other != nil && d.Username != "" {
			b.problems.addConflict("username", "the device %q already registers as %q; choose another username", other.ID, d.Username)
		}
		if other := b.byNumber[d.Number]; other != nil && d.Number != "" {
			b.problems.addConflict("number", "the device %q already has the number %s; choose another", other.ID, d.Number)
		}
		b.devices[d.ID] = d
		b.byUsername[d.Username] = d
		if d.Number != "" {
			b.byNumber[d.Number] = d
		}
	}
}

// addTrunks begins anew when there is something new: trunks are few. It comes
// after the devices, whose usernames they must not have.
func (b *builder) addTrunks() {
	gone, come := differ(b.was.Trunks, b.nouns.Trunks)
	left, joined := differ(b.was.Devices, b.nouns.Devices)
	if len(gone)+len(come)+len(left)+len(joined) == 0 && b.rewriters != nil {
		return
	}
	list := b.nouns.Trunks
	b.byInbound, b.rewriters, b.sources = map[string]*Trunk{}, make(map[string]*rewriters, len(list)), nil
	seen := make(map[string]bool, len(list))
	for _, t := range list {
		b.problems = append(b.problems, t.Validate().Under("trunks["+t.ID+"]")...)
		if seen[t.ID] {
			b.problems.addConflict("trunk_id", "there is already a trunk with the id %q; choose another", t.ID)
		}
		seen[t.ID] = true
		b.rewriters[t.ID] = compileTransforms(t.Transforms)
		b.addInbound(t)
		for _, host := range t.Hosts {
			if prefix, ok := hostPrefix(host); ok {
				b.sources = append(b.sources, source{prefix, t})
			}
		}
	}
	b.trunks = slices.Clone(list)
	slices.SortStableFunc(b.trunks, func(x, y *Trunk) int {
		return cmp.Or(cmp.Compare(trunkOrder(x), trunkOrder(y)), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	slices.SortStableFunc(b.sources, func(x, y source) int {
		return cmp.Compare(y.prefix.Bits(), x.prefix.Bits())
	})
}

// addInbound: one name is one account, be it of a device or of a trunk.
func (b *builder) addInbound(t *Trunk) {
	if t.Inbound == nil || t.Inbound.Username == "" {
		return
	}
	name := t.Inbound.Username
	if d := b.byUsername[name]; d != nil {
		b.problems.addConflict("inbound.username", "the device %q and the trunk %q both prove themselves as %q; choose another username for one", d.ID, t.ID, name)
	}
	if other := b.byInbound[name]; other != nil {
		b.problems.addConflict("inbound.username", "the trunk %q already proves itself as %q; choose another username", other.ID, name)
	}
	b.byInbound[name] = t
}
