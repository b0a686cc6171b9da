package events

import "time"

// Name implements Fact.
func (*Initiated) Name() Name { return CallInitiated }

// Name implements Fact.
func (*Ringing) Name() Name { return CallRinging }

// Name implements Fact.
func (*Answered) Name() Name { return CallAnswered }

// Name implements Fact.
func (*Routed) Name() Name { return CallRouted }

// Name implements Fact.
func (*Bridged) Name() Name { return CallBridged }

// Name implements Fact.
func (*DTMF) Name() Name { return CallDTMF }

// Name implements Fact.
func (*Gathered) Name() Name { return CallGatherCompleted }

// Name implements Fact.
func (*Held) Name() Name { return CallHeld }

// Name implements Fact.
func (*Resumed) Name() Name { return CallResumed }

// Name implements Fact.
func (*Transferred) Name() Name { return CallTransferred }

// Name implements Fact.
func (*Completed) Name() Name { return CallCompleted }

// Name implements Fact.
func (*Failed) Name() Name { return CallFailed }

// Name implements Fact.
func (f *Recording) Name() Name { return f.Event }

// Name implements Fact.
func (f *Voicemail) Name() Name { return f.Event }

// Name implements Fact.
func (f *Playback) Name() Name { return f.Event }

// Name implements Fact.
func (*Test) Name() Name { return WebhookTest }

// Name implements Fact.
func (*Queued) Name() Name { return CallQueued }

// Name implements Fact.
func (*Dequeued) Name() Name { return CallDequeued }

// Name implements Fact.
func (*QueueMember) Name() Name { return QueueMemberChanged }

// Name implements Fact.
func (f *QueueCallback) Name() Name { return f.Event }

func (f *Queued) times() []*time.Time        { return []*time.Time{&f.QueuedAt} }
func (f *Dequeued) times() []*time.Time      { return []*time.Time{&f.DequeuedAt} }
func (f *QueueMember) times() []*time.Time   { return []*time.Time{&f.At} }
func (f *QueueCallback) times() []*time.Time { return []*time.Time{&f.At} }

func (f *Initiated) times() []*time.Time   { return []*time.Time{&f.InitiatedAt} }
func (f *Ringing) times() []*time.Time     { return []*time.Time{&f.RingingAt} }
func (f *Answered) times() []*time.Time    { return []*time.Time{&f.AnsweredAt} }
func (f *Bridged) times() []*time.Time     { return []*time.Time{&f.BridgedAt} }
func (f *Held) times() []*time.Time        { return []*time.Time{&f.HeldAt} }
func (f *Resumed) times() []*time.Time     { return []*time.Time{&f.ResumedAt} }
func (f *Transferred) times() []*time.Time { return []*time.Time{&f.TransferredAt} }
func (f *Completed) times() []*time.Time   { return []*time.Time{&f.EndedAt} }
func (f *Recording) times() []*time.Time   { return []*time.Time{&f.At} }
func (f *Voicemail) times() []*time.Time   { return []*time.Time{&f.At} }
func (f *Playback) times() []*time.Time    { return []*time.Time{&f.At} }

func (f *Failed) times() []*time.Time {
	ts := []*time.Time{&f.EndedAt}
	for i := range f.Attempts {
		ts = append(ts, f.Attempts[i].times()...)
	}
	return ts
}
