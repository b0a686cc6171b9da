package flows

import "time"

// The ids of the demo's nouns.
const (
	DemoFlowID = "cf_demo"
	DemoMenuID = "ivr_demo"
)

// DefaultBox is the voicemail box that exists from the first start.
func DefaultBox(now time.Time) *VoicemailBox {
	now = now.UTC().Truncate(time.Second)
	b := &VoicemailBox{
		ID: DefaultBoxID, Name: "Default Voicemail",
		Greeting:  "Thank you for calling. Please leave a message.",
		Prompt:    "Please record your message after the beep.",
		CreatedAt: now, UpdatedAt: now, Revision: 1,
	}
	b.ApplyDefaults()
	return b
}

// Demo is a small switch to try: calls to number reach a menu whose key 1 rings
// the device and goes to voicemail when nobody answers, 2 is voicemail, 3 tells
// the time; any other key repeats the prompt. With an empty number the flow
// takes the calls of every number without a flow of its own.
func Demo(now time.Time, number, deviceID string) Nouns {
	now = now.UTC().Truncate(time.Second)
	menu := &IVRMenu{
		ID: DemoMenuID, Name: "Demo menu",
		Prompt:        "Welcome. For a conversation, press 1. To leave a message, press 2. For the time, press 3.",
		InvalidPrompt: "Sorry, that is not one of the choices.",
		ExitPrompt:    "Thank you for calling. Goodbye.",
		Options: []Option{
			{Digit: "2", Destination: DefaultBoxID, DestinationType: ToVoicemail},
			{Digit: "3", Destination: "The time is {time}, coordinated universal time.", DestinationType: ToSay},
		},
		Fallback:  &Fallback{Action: ToHangup, ActionID: "no_choice"},
		CreatedAt: now, UpdatedAt: now, Revision: 1,
	}
	flow := &CallFlow{
		ID: DemoFlowID, Name: "Demo", PhoneNumber: number, Active: true,
		Description: "Made by the demo. Change it as you like.",
		Routing: []Rule{
			{Pattern: "*", Destination: DemoMenuID, DestinationType: ToMenu},
			{Pattern: "1", Destination: deviceID, DestinationType: ToDevice,
				Fallback: &Fallback{Timeout: 20, Action: ToVoicemail, ActionID: DefaultBoxID}},
		},
		CreatedAt: now, UpdatedAt: now, Revision: 1,
	}
	menu.ApplyDefaults()
	flow.ApplyDefaults()
	return Nouns{Flows: []*CallFlow{flow}, Menus: []*IVRMenu{menu}, Boxes: []*VoicemailBox{DefaultBox(now)}}
}
