package phone

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Register registers the phone's address for a user, and from then on calls are
// made in that user's name. registrar is a SIP URI or host:port. Expires 0
// removes the registration. A refusal is a *StatusError.
func (p *Phone) Register(ctx context.Context, registrar, user, password string, expires time.Duration) error {
	hop, err := hostOf(registrar)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	p.mu.Lock()
	if p.account.callID == "" || p.account.registrar != hop || p.account.user != user {
		p.account.callID = token() + "@" + p.cfg.Name
	}
	p.account.registrar, p.account.user, p.account.password = hop, user, password
	callID := p.account.callID
	p.mu.Unlock()

	aor := fmt.Sprintf("<sip:%s@%s>", user, hop)
	var authorization Header
	for range 3 { // a challenge, and another when the nonce was stale
		p.mu.Lock()
		p.cseq++
		seq := p.cseq
		p.mu.Unlock()
		m := &message{method: "REGISTER", uri: fmt.Sprintf("sip:%s", hop)}
		m.add("Via", p.via())
		m.add("Max-Forwards", "70")
		m.add("From", aor+";tag="+token())
		m.add("To", aor)
		m.add("Call-ID", callID)
		m.add("CSeq", fmt.Sprintf("%d REGISTER", seq))
		m.add("Contact", "<"+p.contact(user)+">")
		m.add("Expires", fmt.Sprint(int(expires.Seconds())))
		m.add("User-Agent", p.cfg.UserAgent)
		if authorization.Name != "" {
			m.add(authorization.Name, authorization.Value)
		}
		final, err := p.do(ctx, m, hop)
		if err != nil {
			return fmt.Errorf("register: %w", err)
		}
		if final.code < 300 {
			return nil
		}
		again := authorization.Name != ""
		authorization = credentials(final, m, user, password)
		if authorization.Name == "" || again && !stale(final) {
			return fmt.Errorf("register: %w", &StatusError{Code: final.code, Reason: final.reason})
		}
	}
	return errors.New("register: challenged again and again")
}

func stale(m *message) bool {
	for _, c := range append(m.all("WWW-Authenticate"), m.all("Proxy-Authenticate")...) {
		for _, p := range challengeParam.FindAllStringSubmatch(c, -1) {
			if p[1] == "stale" && p[2]+p[3] == "true" {
				return true
			}
		}
	}
	return false
}
