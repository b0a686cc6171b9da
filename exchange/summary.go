package exchange

import (
	"b2bua/flows"
	"b2bua/sip"
	"b2bua/store"
)

// summaries tells phones how many messages wait for them (RFC 3842).
type summaries struct {
	plan     func() *flows.Plan
	messages func() *store.Records[store.Message]
}

// of counts the messages in a device's box.
func (s summaries) of(username string) (sip.Summary, bool) {
	d := s.plan().DeviceByUsername(username)
	if d == nil || d.VoicemailBoxID == "" || s.plan().Box(d.VoicemailBoxID) == nil {
		return sip.Summary{}, false
	}
	var sum sip.Summary
	for cursor := ""; ; {
		page, next, err := s.messages().List(store.Query[store.Message]{Owner: d.VoicemailBoxID}, cursor, store.MaxPage)
		if err != nil {
			return sum, true // what is known so far
		}
		for _, m := range page {
			if m.Read {
				sum.Old++
			} else {
				sum.New++
			}
		}
		if cursor = next; next == "" {
			return sum, true
		}
	}
}

// boxChanged tells the phones of all devices that have this box.
func (x *Exchange) boxChanged(box string) {
	for _, username := range x.store.Plan().BoxDevices(box) {
		x.sip.SummaryChanged(username)
	}
}
