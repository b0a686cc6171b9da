package exchange

import (
	"context"
	"crypto/rand"
	"fmt"

	"b2bua/flows"
)

// The demo's number and device. The number is one of those set aside for
// fiction (NANP 555-01xx), so nobody else's phone rings.
const (
	DemoNumber   = "+14155550100"
	demoDeviceID = "dev_demo"
	demoUsername = "demo"
)

// Demo is what a first start without a configuration file has set up.
type Demo struct {
	Number   string
	Username string
	Password string
}

// seedDemo sets the demo up when there are no flows yet, and finds it again on
// later starts. Without a demo it gives nil.
func (x *Exchange) seedDemo(ctx context.Context) (*Demo, error) {
	if !x.cfg.Demo {
		return nil, nil
	}
	if x.store.Flows().Len() == 0 && x.store.Devices().Len() == 0 {
		if err := x.createDemo(ctx); err != nil {
			return nil, fmt.Errorf("set up the demo: %w", err)
		}
	}
	plan := x.store.Plan()
	flow, device := plan.Flow(flows.DemoFlowID), plan.Device(demoDeviceID)
	if flow == nil || device == nil {
		return nil, nil // somebody has removed it: that is fine
	}
	return &Demo{Number: flow.PhoneNumber, Username: device.Username, Password: device.Password}, nil
}

func (x *Exchange) createDemo(ctx context.Context) error {
	device := &flows.Device{
		ID: demoDeviceID, Username: demoUsername, Password: rand.Text()[:12], DisplayName: "Demo phone",
		VoicemailBoxID: flows.DefaultBoxID,
	}
	if err := x.store.Devices().Create(ctx, device); err != nil {
		return err
	}
	nouns := flows.Demo(x.opt.Now(), DemoNumber, device.ID)
	for _, m := range nouns.Menus {
		if err := x.store.Menus().Create(ctx, m); err != nil {
			return err
		}
	}
	for _, f := range nouns.Flows {
		if err := x.store.Flows().Create(ctx, f); err != nil {
			return err
		}
	}
	return nil
}
