package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"time"

	"b2bua/flows"
	"b2bua/sip"
)

// keepEvery is how often changed registrations are written: a switch that is
// killed forgets no more than that.
const keepEvery = time.Second

// keptRegistration is a user's phones in the database.
type keptRegistration struct {
	DeviceID string        `json:"device_id"`
	Proof    []byte        `json:"proof"` // of the password that they registered with
	Bindings []sip.Binding `json:"bindings"`
}

// proofOf changes with the device and its password.
func proofOf(d *flows.Device) []byte {
	sum := sha256.Sum256([]byte(d.ID + "\x00" + d.Username + "\x00" + d.Password))
	return sum[:]
}

// restoreRegistrations brings back what phones have registered before the switch
// was stopped: they may think for an hour that they can be called. Those of
// devices that are gone, or have another password now, are forgotten.
func (x *Exchange) restoreRegistrations() {
	kept, err := x.store.Registrations()
	if err != nil {
		x.log.Error("read the registrations of before", "err", err)
		return
	}
	plan, gone, restored := x.store.Plan(), map[string][]byte{}, 0
	for user, raw := range kept {
		var k keptRegistration
		d := plan.DeviceByUsername(user)
		if json.Unmarshal(raw, &k) != nil || d == nil || d.ID != k.DeviceID || string(proofOf(d)) != string(k.Proof) {
			gone[user] = nil
			continue
		}
		n := x.sip.Restore(user, k.Bindings)
		if restored += n; n == 0 {
			gone[user] = nil
		}
	}
	if err := x.store.SaveRegistrations(gone); err != nil {
		x.log.Warn("forget registrations", "err", err)
	}
	if restored > 0 {
		x.log.Info("registrations restored", "bindings", restored)
	}
}

// keepRegistrations writes what has changed, off the path of the signalling,
// until ctx ends; it outlives sip, so nothing is lost at a stop.
func (x *Exchange) keepRegistrations(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			x.saveRegistrations()
		case <-ctx.Done():
			x.saveRegistrations()
			return nil
		}
	}
}

func (x *Exchange) saveRegistrations() {
	plan, changes := x.store.Plan(), map[string][]byte{}
	for user, bindings := range x.sip.RegistrationChanges() {
		changes[user] = nil
		d := plan.DeviceByUsername(user)
		if d == nil || len(bindings) == 0 {
			continue
		}
		raw, err := json.Marshal(keptRegistration{DeviceID: d.ID, Proof: proofOf(d), Bindings: bindings})
		if err != nil {
			x.log.Error("keep a registration", "device", d.ID, "err", err)
			continue
		}
		changes[user] = raw
	}
	if err := x.store.SaveRegistrations(changes); err != nil {
		x.sip.RegistrationsUnkept(maps.Keys(changes)) // once more at the next tick
		x.log.Warn("keep registrations", "users", len(changes), "err", err)
	}
}

const coverageEvery = 10 * time.Second

// keepCoverage writes which rules calls have taken, off their path.
func (x *Exchange) keepCoverage(ctx context.Context) error {
	tick := time.NewTicker(coverageEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := x.store.SaveCoverage(); err != nil {
				x.log.Warn("keep the coverage of flows", "err", err)
			}
		case <-ctx.Done():
			return nil // what is left is written when the store is closed
		}
	}
}
