package call

import (
	"cmp"

	"b2bua/flows"
)

// protection says whether the sound of a leg is to be encrypted: as the trunk or
// device behind it wants it.
func (c *Call) protection(of account) string {
	if t := c.plan.Trunk(of.trunk); t != nil {
		return t.SRTP
	}
	if d := c.plan.Device(of.device); d != nil {
		return d.SRTP
	}
	return flows.SRTPOff
}

// srtp says whether the sound with the target is to be encrypted.
func (t target) srtp() string {
	switch {
	case t.plain:
		return flows.SRTPOff
	case t.trunk != nil:
		return cmp.Or(t.trunk.SRTP, flows.SRTPOff)
	case t.device != nil:
		return cmp.Or(t.device.SRTP, flows.SRTPOff)
	}
	return flows.SRTPOff
}

// inTheClear tries a target once more with the other media profile, when it has
// refused to encrypt and that is optional. An offer has one stream, as two would be
// two to most far ends.
func (h *hunt) inTheClear(p *prong, o flows.Outcome) bool {
	if o.Result.Retry() != flows.RetryOtherMedia || p.target.srtp() != flows.SRTPOptional {
		return false
	}
	rounds, last := h.rounds, h.last // they are not spent
	h.failed(p, o)
	h.rounds, h.last = rounds, last
	again := p.target
	again.plain = true
	h.try(again)
	h.nextRound()
	return true
}
