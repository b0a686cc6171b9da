package stories_test

import (
	"testing"
	"time"

	"b2bua/testbench/phone"
)

const toSales = `{"pattern": "*", "destination": "` + sales + `", "destination_type": "phone_number"}`

func TestCallToANumber(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(2 * time.Second)
		s.hangsUp(in)
		if e := s.over(out); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		s.event("call.completed")
	})
}
