package flows

// The policies of CallerID.From; anything else is a number of its own.
const (
	FromOriginal   = "original"    // the caller's number
	FromFlowNumber = "flow_number" // the number that was called
)

// The policies of CallerID.Privacy.
const (
	PrivacyPass  = "pass"  // the number goes into P-Asserted-Identity, with Privacy: id
	PrivacyStrip = "strip" // the number is told to nobody
)

// Validate tells everything that is wrong with the caller id policy.
func (c *CallerID) Validate() Problems {
	var problems Problems
	switch c.From {
	case "", FromOriginal, FromFlowNumber:
	default:
		if _, err := ParseNumber(c.From); err != nil {
			problems.addNumber("from", "%q is neither original, nor flow_number, nor a number such as +14155552671", shorten(c.From))
		}
	}
	problems.checkOneOf("privacy", c.Privacy, "", PrivacyPass, PrivacyStrip)
	return problems
}

// Identity is the trunk's caller id policy, with its defaults.
func (t *Trunk) Identity() CallerID {
	var c CallerID
	if t.CallerID != nil {
		c = *t.CallerID
	}
	orElse(&c.From, FromOriginal)
	orElse(&c.Privacy, PrivacyPass)
	return c
}

// TrustsPAI says whether a P-Asserted-Identity from the trunk is believed: a
// trunk belongs to the trust domain of RFC 3325 unless it is told not to.
func (t *Trunk) TrustsPAI() bool {
	return t.CallerID == nil || t.CallerID.TrustPAI == nil || *t.CallerID.TrustPAI
}
