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

// of counts the messages in a device's boxes.
func (s summaries) of(username string) (sip.Summary, bool) {
	d := s.plan().DeviceByUsername(username)
	if d == nil {
		return sip.Summary{}, false
	}
	boxes := s.plan().DeviceBoxes(d)
	var sum sip.Summary
	for _, box := range boxes {
		s.count(box, &sum)
	}
	return sum, len(boxes) > 0
}

// count adds the messages in a box, as far as they can be read.
func (s summaries) count(box string, sum *sip.Summary) {
	for cursor := ""; ; {
		page, next, err := s.messages().List(store.Query[store.Message]{Owner: box}, cursor, store.MaxPage)
		if err != nil {
			return
		}
		for _, m := range page {
			if m.Read {
				sum.Old++
			} else {
				sum.New++
			}
		}
		if cursor = next; next == "" {
			return
		}
	}
}

// boxChanged tells the phones of all devices that are told of this box.
func (x *Exchange) boxChanged(box string) {
	for _, username := range x.store.Plan().BoxDevices(box) {
		x.sip.SummaryChanged(username)
	}
}
