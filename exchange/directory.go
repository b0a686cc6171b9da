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
		return sip.Trunk{ID: t.ID, Name: t.Name}, true
	}
	if t, ok := d.hosts.trunk(addr); ok {
		return t, true
	}
	return d.trunks.trunk(addr)
}

// TrunkByUsername finds a trunk that proves by digest who it is.
func (d directory) TrunkByUsername(username string) (t sip.Trunk, password string, ok bool) {
	found := d.plan().TrunkByUsername(username)
	if found == nil {
		return sip.Trunk{}, "", false
	}
	return sip.Trunk{ID: found.ID, Name: found.Name}, found.Inbound.Password, true
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
