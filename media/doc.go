// Package media is the sound of a leg: its RTP port, its receiver and sender,
// its digits, what is played to it, who listens in, and the bridge to another
// leg.
//
// Packets are pushed in, frames are pulled out. A shard, one per processor, is
// one loop that owns its legs: it waits for their sockets and for the next tick.
// A packet that arrives is checked (key, source, SSRC, payload type);
// telephone-events are split off; audio then goes one of three ways, decided on
// the clock: dropped (nobody listens), relayed (both legs of a bridge speak the
// same codec and the peer hears nothing else: the header is rewritten in place and
// the packet is sent on at once), or into the leg's jitter buffer. Where somebody
// listens in on a relay it goes both ways. Every 20 ms
// one frame is pulled through every leg that needs samples: decode or conceal,
// taps, bridge peer or playback, encode, send.
//
// A shard's lock is held while its loop works, and by whoever changes a leg from
// outside; it guards all there is of its legs. So there is no other lock on the
// way of a packet. Locks are taken in this order: a session's negotiation, the
// engine's topology, the shard, a session's mailbox. What there is to log or to
// tell an owner waits in the mailbox until the shard's lock is released.
//
// Goroutines: Engine.Run starts one loop per shard and waits for them. Where
// sockets cannot be polled (see media/port), and with Config.Listen, every
// Session has two readers, RTP and RTCP, which take the shard's lock; Open
// starts them, Close waits for them. Callbacks (OnDigit, OnLost) come on one of
// these goroutines, in order, when no lock is held, and none begins when the
// session is closed: they must not block, and must not Close the session. Taps and sources run under the shard's lock, and
// must neither block nor call back into a Session.
//
// A leg's stream may be encrypted (SRTP, with keys in the descriptions: secure.go).
// Packets are authenticated and decrypted before anything else is done with them,
// and encrypted when all is done; what does not fit the key is dropped. So a relay
// between two legs that encrypt, or one that does and one that does not, is a relay
// like any other.
//
// A negotiated leg that may send is always sent to: what plays, what the bridge
// peer says, or silence. So NAT bindings stay open, the far end's jitter buffer
// stays in step, and recordings at both ends have one continuous time line.
// A far end that holds us, or whose stream is not negotiated, is sent nothing.
//
// The package knows nothing of SIP: when to offer and to answer is decided by
// the room call, with the room sip.
package media
