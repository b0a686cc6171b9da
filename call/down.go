package call

import (
	"slices"

	"b2bua/flows"
	"b2bua/sip"
)

// trunkDown gives up on those whom a trunk rings that has been found dead
// meanwhile: over UDP nothing else tells, and the ringing would go on for nobody
// until the time to answer is over. Who talks is left alone: that is for the
// sound to tell.
func (h *hunt) trunkDown(id string) {
	if h == nil || h.talk != nil || h.call.ending != nil {
		return
	}
	given := false
	for _, p := range slices.Clone(h.prongs) {
		if p.leg.over || p.target.trunk == nil || p.target.trunk.ID != id {
			continue
		}
		given = true
		p.leg.hangup(sip.Reason{Protocol: "SIP", Cause: 503, Text: "No answer to OPTIONS"})
		h.failed(p, flows.Outcome{Result: flows.Unavailable, SIPCode: 503, SIPReason: "Service Unavailable", Detail: "the trunk has stopped answering"})
	}
	if given {
		h.nextRound()
	}
}
