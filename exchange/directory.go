package exchange

import (
	"net/netip"

	"b2bua/flows"
	"b2bua/sip"
)

// directory tells sip who may call, from the plan as it is at that moment.
type directory struct {
	plan   func() *flows.Plan
	hosts  *hosts
	trunks *trunks
}

// TrunkBySource finds the trunk that lists the address, or a name that resolves
// to it, or where it is registered.
func (d directory) TrunkBySource(addr netip.Addr) (sip.Trunk, bool) {
	if t, ok := d.plan().TrunkBySource(addr); ok {
		return trunkOf(t), true
	}
	t, ok := d.hosts.trunk(addr)
	if !ok {
		t, ok = d.trunks.trunk(addr)
	}
	if now := d.plan().Trunk(t.ID); ok && now != nil {
		return trunkOf(now), true
	}
	return t, ok
}

func trunkOf(t *flows.Trunk) sip.Trunk {
	return sip.Trunk{ID: t.ID, Name: t.Name, Believed: t.TrustsPAI()}
}

// TrunkByUsername finds a trunk that proves by digest who it is.
func (d directory) TrunkByUsername(username string) (t sip.Trunk, password string, ok bool) {
	found := d.plan().TrunkByUsername(username)
	if found == nil {
		return sip.Trunk{}, "", false
	}
	return trunkOf(found), found.Inbound.Password, true
}

// Device finds a device by the name it registers with.
func (d directory) Device(username string) (sip.Device, bool) {
	dev := d.plan().DeviceByUsername(username)
	if dev == nil {
		return sip.Device{}, false
	}
	return sip.Device{
		ID: dev.ID, Username: dev.Username, Password: dev.Password, DisplayName: dev.DisplayName, Number: dev.Number,
	}, true
}
