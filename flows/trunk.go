package flows

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Trunk is a carrier: who may send us calls, and where calls to the outside go.
type Trunk struct {
	ID              string         `json:"trunk_id"`
	Name            string         `json:"name"`
	Hosts           []string       `json:"hosts,omitempty"` // addresses, CIDRs or names: inbound identity
	Inbound         *TrunkInbound  `json:"inbound,omitempty"`
	Outbound        *TrunkOutbound `json:"outbound,omitempty"`
	CallerID        *CallerID      `json:"caller_id,omitempty"`
	Transforms      *Transforms    `json:"transforms,omitempty"`
	Codecs          []string       `json:"codecs,omitempty"`           // in order of preference; empty means all we have
	DTMF            string         `json:"dtmf,omitempty"`             // auto (default) | rfc4733 | inband | info
	SRTP            string         `json:"srtp,omitempty"`             // off (default) | optional | required
	Hold            string         `json:"hold,omitempty"`             // music (default) | relay
	Probe           int            `json:"probe,omitempty"`            // seconds between OPTIONS; 0 means 30, -1 none
	AllowRefer      bool           `json:"allow_refer,omitempty"`      // it may transfer calls (RFC 3515)
	FollowRedirects bool           `json:"follow_redirects,omitempty"` // its 3xx are followed, within bounds
	CreatedAt       time.Time      `json:"created_at,omitzero"`
	UpdatedAt       time.Time      `json:"updated_at,omitzero"`
	Revision        int            `json:"revision,omitempty"`
}

// TrunkInbound is how a trunk proves who it is when its address does not tell, as
// an exchange behind a line that changes its address: by digest, as phones do.
type TrunkInbound struct {
	Username string `json:"username"`
	Password string `json:"password,omitempty"`
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
	Register  bool    `json:"register,omitempty"`  // we register there (RFC 3261 section 10)
	Priority  int     `json:"priority,omitempty"`  // lower first, as in SRV records
	Weight    int     `json:"weight,omitempty"`    // share among trunks of one priority, as in SRV records
	MaxCalls  int     `json:"max_calls,omitempty"` // at once; 0 means no limit
	MaxCPS    float64 `json:"max_cps,omitempty"`   // new calls a second; 0 means no limit
}

// Private says whether what is said to the trunk goes over TLS.
func (o *TrunkOutbound) Private() bool {
	uri := strings.ToLower(o.Address())
	return strings.HasPrefix(uri, "sips:") || strings.Contains(uri, ";transport=tls")
}

// Address is where calls go; the transport field fills in what the URI leaves
// out.
func (o *TrunkOutbound) Address() string {
	if o.Transport == "" || strings.Contains(strings.ToLower(o.URI), ";transport=") {
		return o.URI
	}
	return o.URI + ";transport=" + o.Transport
}

// CallerID says who the far end is told is calling, and whom a trunk is
// believed about callers.
type CallerID struct {
	From        string `json:"from,omitempty"`         // original (default) | flow_number | a number in E.164
	PAI         bool   `json:"pai,omitempty"`          // send P-Asserted-Identity (RFC 3325)
	Diversion   bool   `json:"diversion,omitempty"`    // send Diversion (RFC 5806)
	HistoryInfo bool   `json:"history_info,omitempty"` // send History-Info (RFC 7044)
	Privacy     string `json:"privacy,omitempty"`      // pass (default) | strip: what is told of callers who withhold their number
	TrustPAI    *bool  `json:"trust_pai,omitempty"`    // believe its P-Asserted-Identity; nil means yes
}

// What a trunk's or device's far end hears of a hold.
const (
	HoldMusic = "music" // music from here
	HoldRelay = "relay" // the hold itself is passed on
)

// How digits travel between us and a trunk or device.
const (
	DTMFAuto   = "auto"    // in whatever way they come; by events where the far end knows them, else by tones
	DTMFEvents = "rfc4733" // as RFC 4733 events
	DTMFTones  = "inband"  // as tones in the sound
	DTMFInfo   = "info"    // by SIP INFO
)

// Whether the sound with a trunk or device is encrypted, by keys in the session
// descriptions (RFC 4568).
const (
	SRTPOff      = "off"
	SRTPOptional = "optional" // where the far end does it, too
	SRTPRequired = "required" // or there is no call
)

// DefaultProbe is the time between OPTIONS to a trunk that names none.
const DefaultProbe = 30 * time.Second

// ApplyDefaults fills in what was left out.
func (t *Trunk) ApplyDefaults() {
	orElse(&t.DTMF, DTMFAuto)
	orElse(&t.SRTP, SRTPOff)
	orElse(&t.Hold, HoldMusic)
	if t.CallerID != nil {
		orElse(&t.CallerID.From, FromOriginal)
		orElse(&t.CallerID.Privacy, PrivacyPass)
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
	if len(t.Hosts) == 0 && t.Inbound == nil && t.Outbound == nil {
		problems.add("hosts", "a trunk without hosts and without outbound carries no calls; give hosts, or inbound with a password, for calls in, outbound for calls out")
	}
	if t.Inbound != nil {
		problems = append(problems, t.Inbound.Validate().Under("inbound")...)
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
	if t.Transforms != nil {
		problems = append(problems, t.Transforms.Validate().Under("transforms")...)
	}
	problems.checkOneOf("dtmf", t.DTMF, "", DTMFAuto, DTMFEvents, DTMFTones, DTMFInfo)
	problems.checkOneOf("srtp", t.SRTP, "", SRTPOff, SRTPOptional, SRTPRequired)
	problems.checkOneOf("hold", t.Hold, "", HoldMusic, HoldRelay)
	if t.Probe < -1 || t.Probe > 86400 {
		problems.add("probe", "%d is out of range; give the seconds between OPTIONS, 1 to 86400, 0 for the default of 30 or -1 for none", t.Probe)
	}
	return problems
}

// Validate tells everything that is wrong with how it proves who it is.
func (i *TrunkInbound) Validate() Problems {
	var problems Problems
	if i.Username == "" {
		problems.add("username", "the username is missing; calls in are known by it")
	}
	if i.Password == "" {
		problems.add("password", "the password is missing; without one anybody could call as this trunk")
	}
	problems.addIf("username", checkText(i.Username, 128))
	problems.addIf("password", checkText(i.Password, 128))
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
	problems.checkMost("weight", o.Weight, 65535)
	if o.Register && o.Username == "" {
		problems.add("register", "to register there a username is needed; give it, and the password")
	}
	problems.checkMost("max_calls", o.MaxCalls, 1_000_000)
	if !(o.MaxCPS >= 0 && o.MaxCPS <= 100_000) {
		problems.add("max_cps", "%v is out of range; give the calls a second, 0 for no limit", o.MaxCPS)
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
