package configs_test

import (
	"strings"
	"testing"

	"b2bua/configs"
)

func TestSTIR(t *testing.T) {
	c, err := configs.Load(write(t, `
sip:
  stir:
    roots: /etc/b2bua/sti-pa.pem
    certs: {"https://certs.example.net/sp.pem": /etc/b2bua/sp.pem}
    fetch_from: [certs.example.com, "certs.example.org:8443"]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if st := c.SIP.STIR; st.Roots != "/etc/b2bua/sti-pa.pem" || st.Certs["https://certs.example.net/sp.pem"] != "/etc/b2bua/sp.pem" || len(st.FetchFrom) != 2 {
		t.Errorf("%+v", st)
	}
	for stir, want := range map[string]string{
		"{fetch_from: [x]}":                             "sip.stir.roots",
		"{roots: x, fetch_from: ['https://x/']}":        "sip.stir.fetch_from[0]",
		"{roots: x, certs: {'http://x/': y}}":           "sip.stir.certs",
		"{roots: x, certs: {'https://x/sp.pem': ''}}":   "sip.stir.certs",
		"{roots: x, certificates: {'https://x/': 'y'}}": "certificates",
	} {
		if _, err := configs.Load(write(t, "sip: {stir: "+stir+"}\n"), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", stir, err)
		}
	}
}
