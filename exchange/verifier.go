package exchange

import (
	"fmt"

	"b2bua/sip/stir"
)

// newVerifier is who judges the identities that calls bring (STIR/SHAKEN), or
// nil when nobody is trusted to vouch for them.
func (x *Exchange) newVerifier() (*stir.Verifier, error) {
	st := x.cfg.SIP.STIR
	v, err := stir.Load(stir.Files{Roots: st.Roots, Certs: st.Certs, FetchFrom: st.FetchFrom}, x.opt.Now)
	if err != nil {
		return nil, fmt.Errorf("sip.stir: %w", err)
	}
	return v, nil
}
