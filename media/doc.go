// Package media is the sound of a leg: its RTP port, its receiver and sender,
// its digits, what is played to it, who listens in, and the bridge to another
// leg.
//
// Packets are pushed in, frames are pulled out. A packet that arrives is
// checked (source, SSRC, payload type); telephone-events are split off; audio
// then goes one of three ways, worked out beforehand and swapped atomically:
// dropped (nobody listens), relayed (both legs of a bridge speak the same codec
// and nobody needs the samples: the header is rewritten and the packet is sent
// on from the receiving goroutine), or into the leg's jitter buffer. A clock
// pulls one 20 ms frame per tick through every leg that needs samples: decode
// or conceal, taps, bridge peer or playback, encode, send.
//
// Goroutines: Engine.Run starts one clock per processor and waits for them.
// Every Session has two readers, RTP and RTCP, started by Open and ended by
// Close, which waits for them. Callbacks (OnDigit, OnLost) come on one of these
// goroutines: they must not block, and must not Close the session. Taps and
// sources run on the clock, under its lock, and must neither block nor call
// back into a Session.
//
// A negotiated leg that may send is always sent to: what plays, what the bridge
// peer says, or silence. So NAT bindings stay open, the far end's jitter buffer
// stays in step, and recordings at both ends have one continuous time line.
// A far end that holds us, or whose stream is not negotiated, is sent nothing.
//
// The package knows nothing of SIP: when to offer and to answer is decided by
// the room call, with the room sip.
package media
