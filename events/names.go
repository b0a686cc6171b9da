package events

import "slices"

// Name is the name of an event, as it stands in the field "event".
type Name string

// The events a call can tell, and those of queues.
const (
	CallInitiated       Name = "call.initiated"
	CallRinging         Name = "call.ringing"
	CallAnswered        Name = "call.answered"
	CallRouted          Name = "call.routed"
	CallBridged         Name = "call.bridged"
	CallDTMF            Name = "call.dtmf"
	CallGatherCompleted Name = "call.gather.completed"
	CallHeld            Name = "call.held"
	CallResumed         Name = "call.resumed"
	CallTransferred     Name = "call.transferred"
	CallQueued          Name = "call.queued"
	CallDequeued        Name = "call.dequeued"
	CallCompleted       Name = "call.completed"
	CallFailed          Name = "call.failed"

	RecordingStarted   Name = "recording.started"
	RecordingPaused    Name = "recording.paused"
	RecordingResumed   Name = "recording.resumed"
	RecordingCompleted Name = "recording.completed"
	RecordingFailed    Name = "recording.failed"

	VoicemailReceived  Name = "voicemail.received"
	VoicemailAbandoned Name = "voicemail.abandoned"
	VoicemailBoxFull   Name = "voicemail.box_full"

	QueueMemberChanged     Name = "queue.member.changed"
	QueueCallbackRequested Name = "queue.callback.requested"
	QueueCallbackCompleted Name = "queue.callback.completed"
	QueueCallbackFailed    Name = "queue.callback.failed"

	PlaybackStarted   Name = "playback.started"
	PlaybackCompleted Name = "playback.completed"
)

// WebhookTest is the event an operator sends to see whether an endpoint works.
const WebhookTest Name = "webhook.test"

// makers makes an empty fact for each name: the list of all names and the way
// back from JSON are one table.
var makers = map[Name]func() Fact{
	CallInitiated:       func() Fact { return new(Initiated) },
	CallRinging:         func() Fact { return new(Ringing) },
	CallAnswered:        func() Fact { return new(Answered) },
	CallRouted:          func() Fact { return new(Routed) },
	CallBridged:         func() Fact { return new(Bridged) },
	CallDTMF:            func() Fact { return new(DTMF) },
	CallGatherCompleted: func() Fact { return new(Gathered) },
	CallHeld:            func() Fact { return new(Held) },
	CallResumed:         func() Fact { return new(Resumed) },
	CallTransferred:     func() Fact { return new(Transferred) },
	CallQueued:          func() Fact { return new(Queued) },
	CallDequeued:        func() Fact { return new(Dequeued) },
	CallCompleted:       func() Fact { return new(Completed) },
	CallFailed:          func() Fact { return new(Failed) },
	RecordingStarted:    func() Fact { return &Recording{Event: RecordingStarted} },
	RecordingPaused:     func() Fact { return &Recording{Event: RecordingPaused} },
	RecordingResumed:    func() Fact { return &Recording{Event: RecordingResumed} },
	RecordingCompleted:  func() Fact { return &Recording{Event: RecordingCompleted} },
	RecordingFailed:     func() Fact { return &Recording{Event: RecordingFailed} },
	VoicemailReceived:   func() Fact { return &Voicemail{Event: VoicemailReceived} },
	VoicemailAbandoned:  func() Fact { return &Voicemail{Event: VoicemailAbandoned} },
	VoicemailBoxFull:    func() Fact { return &Voicemail{Event: VoicemailBoxFull} },
	PlaybackStarted:     func() Fact { return &Playback{Event: PlaybackStarted} },
	PlaybackCompleted:   func() Fact { return &Playback{Event: PlaybackCompleted} },
	QueueMemberChanged:  func() Fact { return new(QueueMember) },

	QueueCallbackRequested: func() Fact { return &QueueCallback{Event: QueueCallbackRequested} },
	QueueCallbackCompleted: func() Fact { return &QueueCallback{Event: QueueCallbackCompleted} },
	QueueCallbackFailed:    func() Fact { return &QueueCallback{Event: QueueCallbackFailed} },

	WebhookTest: func() Fact { return new(Test) },
}

// Known reports whether there is an event of this name.
func Known(n Name) bool {
	_, ok := makers[n]
	return ok
}

// Names lists all events in alphabetical order.
func Names() []Name {
	names := make([]Name, 0, len(makers))
	for n := range makers {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
