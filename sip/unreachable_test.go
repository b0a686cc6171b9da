package sip

import "testing"

func TestQuotedRequest(t *testing.T) {
	const via = "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;rport"
	for quoted, want := range map[string]string{
		"INVITE sip:a@h SIP/2.0\r\n" + via + "\r\nMax-Forwards: 7": "INVITE z9hG4bKabc",
		"OPTIONS sip:a@h SIP/2.0\r\n" + via + "\r\n":               "OPTIONS z9hG4bKabc",
		"INVITE sip:a@h SIP/2.0\r\n" + via:                         " ", // it may be cut
		"INVITE sip:a@h SIP/2.0\r\n":                               " ",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=x\r\n":        " ",
		"\r\n\r\n": " ",
		"":         " ",
	} {
		if method, branch := quotedRequest([]byte(quoted)); method+" "+branch != want {
			t.Errorf("%q: %s %s", quoted, method, branch)
		}
	}
}

func FuzzQuotedRequest(f *testing.F) {
	f.Add([]byte("INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;rport\r\n"))
	f.Fuzz(func(t *testing.T, quoted []byte) {
		if method, branch := quotedRequest(quoted); (method == "") != (branch == "") && branch == "" {
			t.Errorf("%q: %q %q", quoted, method, branch)
		}
	})
}
