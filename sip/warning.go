package sip

import "strconv"

// warnAgent is who warns: a pseudonym, for our address is nobody's business.
const warnAgent = "b2bua"

// The warnings about a session description (RFC 3261 §20.43).
const (
	WarnNetworkProtocol = 300 // Incompatible network protocol
	WarnAddressFormat   = 301 // Incompatible network address formats
	WarnTransport       = 302 // Incompatible transport protocol
	WarnBandwidthUnits  = 303 // Incompatible bandwidth units
	WarnMediaType       = 304 // Media type not available
	WarnMediaFormat     = 305 // Incompatible media format
	WarnAttribute       = 306 // Attribute not understood
	WarnParameter       = 307 // Session description parameter not understood
	WarnMulticast       = 330 // Multicast not available
	WarnUnicast         = 331 // Unicast not available
	WarnBandwidth       = 370 // Insufficient bandwidth
	WarnMiscellaneous   = 399 // Miscellaneous warning
)

// Warning tells what is wrong with a session description, to go with a 488 or a
// 606. A code that is none of RFC 3261's becomes 399, and without a text it has
// its own.
func Warning(code int, text string) Header {
	own, ok := warnings[code]
	if !ok {
		code, own = WarnMiscellaneous, warnings[WarnMiscellaneous]
	}
	if text == "" {
		text = own
	}
	return Header{"Warning", strconv.Itoa(code) + " " + warnAgent + " " + quoted(text)}
}

var warnings = map[int]string{
	WarnNetworkProtocol: "Incompatible network protocol", WarnAddressFormat: "Incompatible network address formats",
	WarnTransport: "Incompatible transport protocol", WarnBandwidthUnits: "Incompatible bandwidth units",
	WarnMediaType: "Media type not available", WarnMediaFormat: "Incompatible media format",
	WarnAttribute: "Attribute not understood", WarnParameter: "Session description parameter not understood",
	WarnMulticast: "Multicast not available", WarnUnicast: "Unicast not available",
	WarnBandwidth: "Insufficient bandwidth", WarnMiscellaneous: "Miscellaneous warning",
}
