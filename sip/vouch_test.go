package sip_test

import (
	"crypto/x509"
	"testing"

	"b2bua/sip"
	"b2bua/sip/stir"
)

// What a trunk says of the number it has verified is believed, wherever it
// stands; what cannot be understood is nothing.
func TestTrunkVouchesForTheCaller(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"X: y", "none "},
		{"P-Asserted-Identity: <sip:+12155550112;verstat=TN-Validation-Passed@carrier.example;user=phone>", "passed "},
		{`P-Asserted-Identity: "<;verstat=TN-Validation-Failed>" <tel:+12155550112;verstat=TN-Validation-Passed>`, "passed "},
		{"P-Asserted-Identity: <sip:+12155550112@carrier.example;user=phone;Verstat=tn-validation-failed>", "failed "},
		{"P-Asserted-Identity: <tel:+12155550112;verstat=TN-Validation-Passed-B>", "passed B"},
		{"P-Asserted-Identity: <tel:+12155550112;verstat=TN-Validation-Passed>\r\nAttestation-Info: a", "passed A"},
		{"P-Asserted-Identity: <tel:+12155550112;verstat=TN-Validation-Passedly>", "none "},
		{"P-Asserted-Identity: <tel:+12155550112;verstat=No-TN-Validation>", "none "},
		{"P-Asserted-Identity: <tel:+12155550112;verstat=>", "none "},
		{"P-Asserted-Identity: <tel:+12155550112>;verstat=TN-Validation-Passed", "none "},
		{"P-Asserted-Identity: <tel:+12155550112>, <tel:+12155550113;verstat=TN-Validation-Passed>", "none "}, // somebody else
		{"P-Asserted-Identity: <tel:+12155550112;verstat=TN-Validation-Failed>, <tel:+12155550113;verstat=TN-Validation-Passed>", "failed "},
		{"Identity: a.b.c;info=<https://127.0.0.1/x>;ppt=shaken", "none "}, // nobody verifies it
	} {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			d := far.call(c.header)
			far.expect("100")
			in := b.invitation()
			if got := in.Verstat + " " + in.Attestation; got != c.want {
				t.Errorf("%s: %q, want %q", c.header, got, c.want)
			}
			in.Reject(480, "")
			d.ackFailure(far.expect("480"))
		})
	}
}

func asIs(number string) string { return number }

// An identity that we can judge outweighs what the trunk says.
func TestOwnJudgementComesFirst(t *testing.T) {
	const said = "P-Asserted-Identity: <tel:+12155550112;verstat=TN-Validation-Passed>"
	verifying := func(c *sip.Config) {
		c.Verify = stir.New(stir.Config{Roots: x509.NewCertPool()})
	}
	for identity, want := range map[string]string{
		"Identity: x;;=":                   "failed", // broken
		"Identity: ..c;ppt=shaken":         "passed", // of a kind that says nothing here
		"Subject: no identity":             "passed",
		"y: x;;=\r\nIdentity: a.b;ppt=div": "failed", // compact name
	} {
		story(t, func(b *bench) {
			far := b.peer(trunkAt)
			d := far.call(said, identity)
			far.expect("100")
			in := b.invitation()
			in.Vouch(asIs, asIs)
			if in.Verstat != want {
				t.Errorf("%s: %q, want %q", identity, in.Verstat, want)
			}
			in.Reject(480, "")
			d.ackFailure(far.expect("480"))
		}, verifying)
	}
}

// Nobody vouches for a device: it proved itself.
func TestDeviceNeedsNoWord(t *testing.T) {
	story(t, func(b *bench) {
		phone := registered(b)
		d := phone.call()
		challenge := phone.expect("401")
		d.ackFailure(challenge)
		d.remote, d.cseq = "<sip:+15551000@10.0.0.1>", 2
		phone.write(d.invite(offerSDP, credentials(t, challenge, "INVITE", d.target, "secret"),
			"P-Asserted-Identity: <tel:+12155550112;verstat=TN-Validation-Passed>"))
		phone.expect("100")
		in := b.invitation()
		in.Vouch(asIs, asIs)
		if in.Verstat != "" || in.Attestation != "" {
			t.Errorf("verstat %q %q", in.Verstat, in.Attestation)
		}
		in.Reject(480, "")
		d.ackFailure(phone.expect("480"))
	})
}
