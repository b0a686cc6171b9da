package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"b2bua/flows"
	"b2bua/internal/strict"
	"b2bua/media/tone"
)

// faults collects everything that is wrong, so that a configuration is mended
// in one go.
type faults []error

func (f *faults) add(key, format string, args ...any) {
	*f = append(*f, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
}

// Validate reports all problems at once, joined.
func (c *Config) Validate() error {
	var f faults
	if c.DataDir == "" {
		f.add("data_dir", "must not be empty")
	}
	c.validateSIP(&f)
	c.validateMedia(&f)
	c.validateHTTP(&f)
	c.validateCalls(&f)
	c.validateMail(&f)
	c.validateSpeech(&f)
	c.validateNouns(&f)
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "text", "json")
	return errors.Join(f...)
}

func (f *faults) oneOf(key, got string, allowed ...string) {
	if slices.Contains(allowed, got) {
		return
	}
	message := fmt.Sprintf("%q is not one of %s", got, strings.Join(allowed, ", "))
	if near, close := strict.Nearest(got, allowed); close && got != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	f.add(key, "%s", message)
}

func (c *Config) validateSIP(f *faults) {
	if len(c.SIP.Listen) == 0 {
		f.add("sip.listen", "at least one address is needed, such as udp://0.0.0.0:5060")
	}
	for i, l := range c.SIP.Listen {
		key := fmt.Sprintf("sip.listen[%d]", i)
		scheme, address, ok := strings.Cut(l, "://")
		if !ok {
			f.add(key, "%q must be a transport and an address, such as udp://0.0.0.0:5060", l)
			continue
		}
		f.oneOf(key, scheme, "udp", "tcp", "tls", "ws", "wss")
		f.address(key, address)
		if slices.Contains(c.SIP.Listen[:i], l) {
			f.add(key, "%q is given twice", l)
		}
	}
	c.validateSecurity(f)
	c.validateCapture(f)
	if c.SIP.Advertise != "" {
		host := c.SIP.Advertise
		if h, port, err := net.SplitHostPort(host); err == nil {
			host = h
			f.port("sip.advertise", port)
		}
		if host == "" || strings.ContainsAny(host, " /@?<>\"") {
			f.add("sip.advertise", "%q must be an address or a name, with or without a port", c.SIP.Advertise)
		}
	}
	for i, s := range c.SIP.DNS {
		if at, err := netip.ParseAddrPort(s); err != nil || at.Port() == 0 {
			f.add(fmt.Sprintf("sip.dns[%d]", i), "%q must be an address and a port, such as 192.0.2.53:53", s)
		}
	}
	c.validateSTIR(f)
	c.validateTimer(f)
	if c.SIP.MaxCPS < 0 {
		f.add("sip.max_cps", "must not be negative; 0 means no limit")
	}
	if c.SIP.MaxPending < 1 {
		f.add("sip.max_pending", "must be at least 1")
	}
	for key, v := range map[string]string{"sip.realm": c.SIP.Realm, "sip.user_agent": c.SIP.UserAgent} {
		if v == "" || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == '"' || r == 0x7f }) {
			f.add(key, "must be one plain line")
		}
	}
}

// validateTimer checks the session timer (RFC 4028 section 5).
func (c *Config) validateTimer(f *faults) {
	if c.SIP.MinSE < seconds(90) {
		f.add("sip.min_se", "%v is below 90s, the least there is", c.SIP.MinSE)
	}
	if se := c.SIP.SessionExpires; se < 0 || se > 0 && se < c.SIP.MinSE {
		f.add("sip.session_expires", "%v must be 0, or not below sip.min_se", se)
	}
}

func (c *Config) validateSTIR(f *faults) {
	st := c.SIP.STIR
	if st.Roots == "" && (len(st.Certs) > 0 || len(st.FetchFrom) > 0) {
		f.add("sip.stir.roots", "is needed: without authorities to trust, certificates prove nothing")
	}
	for u, file := range st.Certs {
		if parsed, err := url.Parse(u); err != nil || parsed.Scheme != "https" || parsed.Host == "" || file == "" {
			f.add("sip.stir.certs", "%q must be an https URL and have a file", u)
		}
	}
	for i, host := range st.FetchFrom {
		if host == "" || strings.ContainsAny(host, " /@?#*") {
			f.add(fmt.Sprintf("sip.stir.fetch_from[%d]", i), "%q must be a host, or a host with a port", host)
		}
	}
}

func (c *Config) validateSecurity(f *faults) {
	if (c.SIP.TLS.Cert == "") != (c.SIP.TLS.Key == "") {
		f.add("sip.tls", "cert and key belong together: give both, or neither to have a certificate made")
	}
	for i, o := range c.SIP.WS.Origins {
		if _, err := path.Match(o, ""); err != nil || o == "" || strings.ContainsAny(o, " ,\"") {
			f.add(fmt.Sprintf("sip.ws.origins[%d]", i), "%q must be a host such as phone.example.com, or *", o)
		}
	}
}

// address wants host:port; the host may be empty.
func (f *faults) address(key, s string) {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		f.add(key, "%q must be an address with a port, such as 0.0.0.0:5060 or [::]:5060", s)
		return
	}
	f.port(key, port)
}

func (f *faults) port(key, s string) {
	if n, err := strconv.Atoi(s); err != nil || n < 0 || n > 65535 {
		f.add(key, "the port %q must be a number from 0 to 65535", s)
	}
}

func (c *Config) validateMedia(f *faults) {
	if _, err := netip.ParseAddr(c.Media.Bind); err != nil {
		f.add("media.bind", "%q must be an IP address", c.Media.Bind)
	}
	if c.Media.Advertise != "" {
		if _, err := netip.ParseAddr(c.Media.Advertise); err != nil {
			f.add("media.advertise", "%q must be an IP address", c.Media.Advertise)
		}
	}
	if _, _, err := c.Media.PortRange(); err != nil {
		f.add("media.ports", "%s", err)
	}
	if c.Media.Timeout <= 0 {
		f.add("media.timeout", "must be longer than 0")
	}
}

// PortRange is ports as two numbers, both included.
func (m Media) PortRange() (low, high int, err error) {
	a, b, ok := strings.Cut(m.Ports, "-")
	low, errLow := strconv.Atoi(strings.TrimSpace(a))
	high, errHigh := strconv.Atoi(strings.TrimSpace(b))
	switch {
	case !ok || errLow != nil || errHigh != nil:
		return 0, 0, fmt.Errorf("%q must be a range such as 20000-29999", m.Ports)
	case low < 1024 || high > 65535:
		return 0, 0, fmt.Errorf("%q must lie between 1024 and 65535", m.Ports)
	case high-low < 3:
		return 0, 0, fmt.Errorf("%q must hold at least four ports: a leg takes two and a call has two legs", m.Ports)
	}
	return low, high, nil
}

func (c *Config) validateHTTP(f *faults) {
	f.address("http.listen", c.HTTP.Listen)
	f.oneOf("http.tls.mode", c.HTTP.TLS.Mode, TLSSelfSigned, TLSFiles, TLSOff)
	switch files := c.HTTP.TLS.Cert != "" || c.HTTP.TLS.Key != ""; {
	case c.HTTP.TLS.Mode == TLSFiles && (c.HTTP.TLS.Cert == "" || c.HTTP.TLS.Key == ""):
		f.add("http.tls", "mode files needs both cert and key")
	case c.HTTP.TLS.Mode != TLSFiles && files:
		f.add("http.tls", "cert and key are used with mode files only")
	}
	if k := c.HTTP.AdminKey; k != "" && len(k) < 16 {
		f.add("http.admin_key", "must have at least 16 characters")
	}
	if strings.ContainsFunc(c.HTTP.AdminKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		f.add("http.admin_key", "must be printable ASCII without spaces")
	}
	if c.HTTP.RateLimit.PerSecond < 0 || c.HTTP.RateLimit.Burst < 0 {
		f.add("http.rate_limit", "must not be negative; 0 means no limit")
	}
	if c.HTTP.RateLimit.PerSecond > 0 && c.HTTP.RateLimit.Burst < 1 {
		f.add("http.rate_limit.burst", "must be at least 1")
	}
}

func (c *Config) validateCalls(f *faults) {
	if c.Calls.ApplicationTimeout <= 0 {
		f.add("calls.application_timeout", "must be longer than 0")
	}
	if c.Calls.MaxDuration <= 0 {
		f.add("calls.max_duration", "must be longer than 0")
	}
	if c.Calls.MaxConcurrent < 0 {
		f.add("calls.max_concurrent", "must not be negative; 0 means no limit")
	}
	if code := c.Calls.DeclinedCode; code != 486 && code != 603 {
		f.add("calls.declined_code", "must be 486 or 603, not %d", code)
	}
	if c.DrainTimeout < 0 {
		f.add("drain_timeout", "must not be negative")
	}
	if _, err := tone.ByCountry(c.Calls.Country); err != nil {
		f.add("calls.country", "%v", err)
	}
}

func (c *Config) validateNouns(f *faults) {
	for i := range c.Trunks {
		f.noun(fmt.Sprintf("trunks[%d]", i), c.Trunks[i].Validate())
		if slices.ContainsFunc(c.Trunks[:i], func(t flows.Trunk) bool { return t.Name == c.Trunks[i].Name }) {
			f.add(fmt.Sprintf("trunks[%d].name", i), "%q is given twice", c.Trunks[i].Name)
		}
	}
	for i := range c.Devices {
		f.noun(fmt.Sprintf("devices[%d]", i), c.Devices[i].Validate())
		if slices.ContainsFunc(c.Devices[:i], func(d flows.Device) bool { return d.Username == c.Devices[i].Username }) {
			f.add(fmt.Sprintf("devices[%d].username", i), "%q is given twice", c.Devices[i].Username)
		}
	}
	for i := range c.PhoneNumbers {
		f.noun(fmt.Sprintf("phone_numbers[%d]", i), c.PhoneNumbers[i].Validate())
		if slices.ContainsFunc(c.PhoneNumbers[:i], func(n flows.PhoneNumber) bool { return n.Number == c.PhoneNumbers[i].Number }) {
			f.add(fmt.Sprintf("phone_numbers[%d].phone_number", i), "%q is given twice", c.PhoneNumbers[i].Number)
		}
	}
}

func (f *faults) noun(key string, ps flows.Problems) {
	for _, p := range ps {
		at := key
		if p.Path != "" {
			at += "." + p.Path
		}
		f.add(at, "%s", p.Message)
	}
}

func (c *Config) validateCapture(f *faults) {
	w := c.SIP.Capture
	if w.Megabytes < 0 || w.Megabytes > 4096 {
		f.add("sip.capture.megabytes", "%d is out of range; give 0 for none, at most 4096", w.Megabytes)
	}
	if w.HEP.Collector != "" {
		if _, port, err := net.SplitHostPort(w.HEP.Collector); err != nil || port == "" {
			f.add("sip.capture.hep.collector", "%q must be an address and a port, such as homer.example.com:9060", w.HEP.Collector)
		}
	}
	if w.HEP.Node < 0 || int64(w.HEP.Node) > 1<<32-1 {
		f.add("sip.capture.hep.node", "%d is out of range; give a number from 0 to 4294967295", w.HEP.Node)
	}
}
