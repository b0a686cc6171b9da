package audio

import "testing"

// kept is how many coefficients the shared tables hold.
func kept() (tables, coefficients int) {
	banks.Lock()
	defer banks.Unlock()
	for _, b := range banks.byRatio {
		coefficients += b.up * b.taps
	}
	return len(banks.byRatio), coefficients
}

// Sound of odd rates leaves no large tables behind, and that of usual ones is
// never crowded out of the shared ones for good.
func TestOddRatesAreForgotten(t *testing.T) {
	for _, rate := range []int{44101, 47001, 191927} {
		before, _ := kept()
		b := bankFor(rate, 8000)
		if after, _ := kept(); after != before {
			t.Errorf("the table of %d Hz is kept, %d coefficients", rate, b.up*b.taps)
		}
	}
	for n := 1; n <= 2*maxBanks; n++ {
		bankFor(100+n, 101+n)
	}
	if n, c := kept(); n > maxBanks || c > maxBanks*maxKept {
		t.Errorf("%d tables of %d coefficients kept", n, c)
	}
	for _, from := range append([]int{88200, 96000, 176400, 192000}, rates...) {
		for _, to := range []int{8000, 16000} {
			if first := bankFor(from, to); bankFor(from, to) != first {
				t.Errorf("%d to %d Hz is made every time", from, to)
			}
		}
	}
}
