package call

import (
	"testing"

	"b2bua/flows"
)

// A queue that has learned to call back since this call came offers it to later
// calls only: this one does not know the key.
func TestAnnouncementOfAnOlderPlan(t *testing.T) {
	w := &waiting{req: flows.QueueRequest{Queue: &flows.Queue{Announce: &flows.QueueAnnounce{Position: true}}}}
	if got := w.announcement(1, 0, true); got != "You are next in line." {
		t.Errorf("%q", got)
	}
	w.req.Queue.Callback = &flows.QueueCallback{Key: "5"}
	if got := w.announcement(2, 0, true); got != "You are number 2 in line. To be called back without losing your place, press 5." {
		t.Errorf("%q", got)
	}
}
