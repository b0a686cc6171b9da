package memnet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"b2bua/testbench/memnet"
)

func TestDuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		n.Duplicate = func(d memnet.Datagram) bool { return d.N == 1 }
		a, b := listen(t, n, alice), listen(t, n, bob)
		begin := time.Now()
		send(t, a, bob, "twice")
		for _, want := range []time.Duration{n.Latency, 2 * n.Latency} {
			if text, _ := read(t, b); text != "twice" || time.Since(begin) != want {
				t.Errorf("got %q after %v, want it after %v", text, time.Since(begin), want)
			}
		}
		send(t, a, bob, "once")
		send(t, a, bob, "end")
		for _, want := range []string{"once", "end"} {
			if text, _ := read(t, b); text != want {
				t.Errorf("got %q, want %q", text, want)
			}
		}
	})
}

func TestSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		n.Swap = func(d memnet.Datagram) bool { return string(d.Payload) == "slow" }
		a, b, c := listen(t, n, alice), listen(t, n, bob), listen(t, n, carol)
		send(t, a, bob, "slow")
		send(t, c, bob, "another sender")
		time.Sleep(time.Second)
		send(t, a, bob, "first")
		send(t, a, bob, "last")
		for _, want := range []string{"another sender", "first", "slow", "last"} {
			if text, _ := read(t, b); text != want {
				t.Errorf("got %q, want %q", text, want)
			}
		}
		begin := time.Now()
		send(t, a, bob, "slow")
		if text, _ := read(t, b); text != "slow" || time.Since(begin) != memnet.SwapLimit+n.Latency {
			t.Errorf("got %q after %v", text, time.Since(begin))
		}
	})
}
