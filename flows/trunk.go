package flows

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Trunk is a carrier: who may send us calls, and where calls to the outside go.
type Trunk struct {
	ID        string         `json:"trunk_id"`
	Name      string         `json:"name"`
	Hosts     []string       `json:"hosts,omitempty"` // addresses, CIDRs or names: inbound identity
	Outbound  *TrunkOutbound `json:"outbound,omitempty"`
	CallerID  *CallerID      `json:"caller_id,omitempty"`
	Codecs    []string       `json:"codecs,omitempty"` // in order of preference; empty means all we have
	DTMF      string         `json:"dtmf,omitempty"`   // auto (default) | rfc4733
	SRTP      string         `json:"srtp,omitempty"`   // off (default)
	CreatedAt time.Time      `json:"created_at,omitzero"`
	UpdatedAt time.Time      `json:"updated_at,omitzero"`
	Revision  int            `json:"revision,omitempty"`
}

// TrunkOutbound is where and how calls leave by a trunk.
type TrunkOutbound struct {
	URI       string `json:"uri"`
	Transport string `json:"transport,omitempty"` // udp | tcp | tls; the URI's transport, else udp
	// TLSVerify false takes any certificate from the far end. Left out means true:
	// it must be valid for the host of the URI (RFC 5922).
	TLSVerify *bool   `json:"tls_verify,omitempty"`
	Username  string  `json:"username,omitempty"`
	Password  string  `json:"password,omitempty"`
	Priority  int     `json:"priority,omitempty"`  // lower first, as in SRV records
	Weight    int     `json:"weight,omitempty"`    // not yet: 0
	MaxCalls  int     `json:"max_calls,omitempty"` // at once; 0 means no limit
	MaxCPS    float64 `json:"max_cps,omitempty"`   // new calls a second; 0 means no limit
}

// CallerID says which number a trunk is shown.
type CallerID struct {
	From      string `json:"from,omitempty"`      // original (default)
	PAI       bool   `json:"pai,omitempty"`       // not yet: P-Asserted-Identity (RFC 3325)
	Diversion bool   `json:"diversion,omitempty"` // not yet: Diversion (RFC 5806)
}

// ApplyDefaults fills in what was left out.
func (t *Trunk) ApplyDefaults() {
	orElse(&t.DTMF, "auto")
	orElse(&t.SRTP, "off")
	if t.CallerID != nil {
		orElse(&t.CallerID.From, "original")
	}
}

// Validate tells everything that is wrong with the trunk. What this version
// does not do yet is refused: a setting that is silently ignored is worse.
func (t *Trunk) Validate() Problems {
	var problems Problems
	problems.checkID("trunk_id", t.ID)
	problems.checkName(t.Name)
	for i, host := range t.Hosts {
		if !validHost(host) {
			problems.add(fmt.Sprintf("hosts[%d]", i), "%q is neither an address, a CIDR nor a host name; write it as 192.0.2.10, 192.0.2.0/24 or sip.example.com", shorten(host))
		}
	}
	if len(t.Hosts) == 0 && t.Outbound == nil {
		problems.add("hosts", "a trunk without hosts and without outbound carries no calls; give hosts for calls in, outbound for calls out")
	}
	if t.Outbound != nil {
		problems = append(problems, t.Outbound.Validate().Under("outbound")...)
	}
	if t.CallerID != nil {
		problems = append(problems, t.CallerID.Validate().Under("caller_id")...)
	}
	for i, codec := range t.Codecs {
		if message := checkText(codec, 32); codec == "" || message != "" {
			problems.add(fmt.Sprintf("codecs[%d]", i), "%q is not the name of a codec; write it as PCMU or PCMA", shorten(codec))
		}
	}
	switch t.DTMF {
	case "inband", "info":
		problems.add("dtmf", "this version does not send digits as %s on a trunk yet; use auto or rfc4733", t.DTMF)
	default:
		problems.checkOneOf("dtmf", t.DTMF, "", "auto", "rfc4733")
	}
	if t.SRTP != "" && t.SRTP != "off" {
		problems.add("srtp", "this switch does not encrypt the sound yet; use off")
	}
	return problems
}

// Validate tells everything that is wrong with where calls leave.
func (o *TrunkOutbound) Validate() Problems {
	var problems Problems
	problems.addIf("uri", checkSIP(o.URI))
	if uri := strings.ToLower(o.URI); strings.Contains(uri, ";transport=ws") {
		problems.add("uri", "WebSocket is how browsers connect to the switch, it cannot be dialled; use udp, tcp or tls")
	}
	switch transport := strings.ToLower(o.Transport); transport {
	case "ws", "wss":
		problems.add("transport", "%s is how browsers connect to the switch, it cannot be dialled; use udp, tcp or tls", transport)
	default:
		problems.checkOneOf("transport", transport, "", "udp", "tcp", "tls")
	}
	problems.addIf("username", checkText(o.Username, 128))
	problems.addIf("password", checkText(o.Password, 128))
	problems.checkMost("priority", o.Priority, 65535)
	if o.Weight != 0 {
		problems.add("weight", "this version does not share calls among trunks by weight yet; leave it out and order the trunks by priority")
	}
	problems.checkMost("max_calls", o.MaxCalls, 1_000_000)
	if !(o.MaxCPS >= 0 && o.MaxCPS <= 100_000) {
		problems.add("max_cps", "%v is out of range; give the calls a second, 0 for no limit", o.MaxCPS)
	}
	return problems
}

// Validate tells what of the caller id policy cannot be had.
func (c *CallerID) Validate() Problems {
	var problems Problems
	if c.From == "flow_number" {
		problems.add("from", "this version does not show the number of the flow yet; use original")
	} else {
		problems.checkOneOf("from", c.From, "", "original")
	}
	if c.PAI {
		problems.add("pai", "this version does not send P-Asserted-Identity yet; use false")
	}
	if c.Diversion {
		problems.add("diversion", "this version does not send Diversion yet; use false")
	}
	return problems
}

func validHost(host string) bool {
	if _, ok := hostPrefix(host); ok {
		return true
	}
	return len(host) <= 253 && hostForm.MatchString(host) && !onlyDigits(strings.ReplaceAll(host, ".", ""))
}

// hostPrefix reads an address or a CIDR; names are not for us.
func hostPrefix(host string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(host); err == nil {
		return prefix.Masked(), true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

// trunkOrder puts trunks with a way out first, by their priority.
func trunkOrder(t *Trunk) int {
	if t.Outbound == nil {
		return 1 << 20
	}
	return t.Outbound.Priority
}
