package media

// Refusal is why a packet that came was not taken. None ends a call: whoever can
// forge one packet could end it otherwise.
type Refusal int

// The refusals.
const (
	Stranger      Refusal = iota // from a source that is not the far end's
	OtherStream                  // from its address, but another stream (SSRC) than the one that goes on
	StrangeReport                // RTCP of a host that is not the far end's
	NotRTP                       // DTLS, STUN, rubbish, or too early
	NotRTCP                      // the same on the RTCP port
	UnknownFormat                // of a payload type that was not agreed on
	WrongKey                     // not encrypted with the far end's key, or here before
	refusalKinds
)

func (r Refusal) String() string {
	return [refusalKinds]string{"stranger", "other_stream", "strange_report", "not_rtp", "not_rtcp", "unknown_format", "wrong_key"}[r]
}

// refusals counts them.
type refusals [refusalKinds]uint64

func (r *refusals) sum(kinds ...Refusal) (n uint64) {
	for _, k := range kinds {
		n += r[k]
	}
	return n
}

// refuse counts a packet that is not taken; the shard's lock is held.
func (s *Session) refuse(why Refusal) {
	s.count.refusals[why]++
	s.shard.Load().refusals[why]++
}

// Refusals is how many packets were refused since the engine was made. What the
// kernel drops, because the socket is connected to the far end, is not among them.
func (e *Engine) Refusals() map[Refusal]uint64 {
	all := make(map[Refusal]uint64, refusalKinds)
	for _, sh := range e.shards {
		sh.mu.Lock()
		for k, n := range sh.refusals {
			all[Refusal(k)] += n
		}
		sh.release()
	}
	return all
}
