package store

import "b2bua/events"

// Received is what is told of a new message, but for the call that it is from.
func (m *Message) Received() *events.Voicemail {
	return &events.Voicemail{
		Event: events.VoicemailReceived, MessageID: m.ID, VoicemailBoxID: m.BoxID, From: m.From, Duration: m.Duration,
		URL: "/v2/voicemail-boxes/" + m.BoxID + "/messages/" + m.ID + "/audio",
	}
}
