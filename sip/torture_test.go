package sip_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/sip"
	"b2bua/testbench/memnet"
)

// torture is what each message of RFC 4475 and RFC 5118 gets: the status codes sent to it, in
// order; absent is silence, as for the responses among them. 180 stands for a call that the owner was offered, 486 for its refusal.
//
// Where this is not what the RFC shows: REGISTER is challenged before anything else is looked at, so escnull and regbadct
// get 401 where they would get 200 and 400. inv2543 has no Contact, without which there is no dialog: 400. insuf has
// neither From, To nor Call-ID to answer with: silence. mpart01 is a MESSAGE, which is not for strangers to send.
var torture = map[string]string{
	"rfc4475/badaspec":                      "400",
	"rfc4475/badbranch":                     "200",
	"rfc4475/baddate":                       "100 180 486",
	"rfc4475/baddn":                         "400",
	"rfc4475/badinv01":                      "400",
	"rfc4475/badvers":                       "505",
	"rfc4475/bext01":                        "420",
	"rfc4475/clerr":                         "400",
	"rfc4475/cparam01":                      "401",
	"rfc4475/cparam02":                      "401",
	"rfc4475/dblreq":                        "401",
	"rfc4475/esc01":                         "100 180 486",
	"rfc4475/esc02":                         "501",
	"rfc4475/escnull":                       "401",
	"rfc4475/escruri":                       "400",
	"rfc4475/intmeth":                       "501",
	"rfc4475/inv2543":                       "400",
	"rfc4475/invut":                         "415",
	"rfc4475/longreq":                       "100 180 486",
	"rfc4475/ltgtruri":                      "400",
	"rfc4475/lwsdisp":                       "200",
	"rfc4475/lwsruri":                       "400",
	"rfc4475/lwsstart":                      "400",
	"rfc4475/mcl01":                         "400",
	"rfc4475/mismatch01":                    "400",
	"rfc4475/mismatch02":                    "400",
	"rfc4475/mpart01":                       "405",
	"rfc4475/multi01":                       "400",
	"rfc4475/ncl":                           "400",
	"rfc4475/novelsc":                       "416",
	"rfc4475/quotbal":                       "400",
	"rfc4475/regaut01":                      "401",
	"rfc4475/regbadct":                      "401",
	"rfc4475/regescrt":                      "401",
	"rfc4475/scalar02":                      "400",
	"rfc4475/sdp01":                         "100 180 486",
	"rfc4475/semiuri":                       "200",
	"rfc4475/transports":                    "200",
	"rfc4475/trws":                          "200",
	"rfc4475/unkscm":                        "416",
	"rfc4475/unksm2":                        "401",
	"rfc4475/wsinv":                         "481",
	"rfc4475/zeromf":                        "200",
	"rfc5118/ipv4-mapped-ipv6":              "100 180 486",
	"rfc5118/ipv6-bad":                      "400",
	"rfc5118/ipv6-bug-abnf-3-colons":        "200",
	"rfc5118/ipv6-correct-abnf-2-colons":    "200",
	"rfc5118/ipv6-good":                     "401",
	"rfc5118/ipv6-in-sdp":                   "100 180 486",
	"rfc5118/mult-ip-in-header":             "481",
	"rfc5118/mult-ip-in-sdp":                "100 180 486",
	"rfc5118/port-ambiguous":                "401",
	"rfc5118/port-unambiguous":              "401",
	"rfc5118/via-received-param-no-delim":   "200",
	"rfc5118/via-received-param-with-delim": "481",
}

// Over UDP; afterwards OPTIONS is answered.
func TestTorture(t *testing.T) {
	eachTorture(t, func(t *testing.T, name string, data []byte) {
		if got := tortured(t, data); got != torture[name] {
			t.Errorf("%q: %q,", name, got)
		}
	})
}

func eachTorture(t *testing.T, f func(t *testing.T, name string, data []byte)) {
	for dir, n := range map[string]int{"rfc4475": 49, "rfc5118": 12} {
		files, err := filepath.Glob("testdata/" + dir + "/*.dat")
		if err != nil || len(files) != n {
			t.Fatalf("%d messages of %s, %v", len(files), dir, err)
		}
		for _, file := range files {
			name := dir + "/" + strings.TrimSuffix(filepath.Base(file), ".dat")
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) { f(t, name, data) })
		}
	}
}

func tortured(t *testing.T, data []byte) string {
	var got []string
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		b.net.Observe = func(d memnet.Datagram) {
			code, ok := strings.CutPrefix(string(d.Payload), "SIP/2.0 ")
			if d.From == switchAt && d.To != otherAt && ok && (len(got) == 0 || got[len(got)-1] != code[:3]) {
				got = append(got, code[:3])
			}
		}
		far.write(string(data))
		select {
		case in := <-b.invited:
			o := b.owner()
			o.leg = in.Take(o.loop.Post, o.on)
			o.do((*sip.Leg).Ring)
			time.Sleep(time.Second)
			o.do(func(l *sip.Leg) { l.Reject(486, "") })
		case <-time.After(time.Second):
		}
		alive(b)
	})
	return strings.Join(got, " ")
}
