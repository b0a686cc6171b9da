package main

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"strings"

	"b2bua/configs"
	"b2bua/exchange"
)

// giveKey shows the key of a first start, before anything else can go wrong: it
// cannot be shown again.
func giveKey(w io.Writer, key string) {
	if key != "" {
		fmt.Fprintf(w, "\nadmin key: %s   (shown this once: keep it)\n", key)
	}
}

// greet says how to reach what has just started: the API, the key of a first
// start, and the demo's number and phone.
func greet(w io.Writer, cfg *configs.Config, x *exchange.Exchange) {
	var b strings.Builder
	base := apiURL(cfg)
	fmt.Fprintf(&b, "\nThe switch is running.\n\n  API          %s/v2   (documentation: %s/docs)\n", base, base)
	key := cmp.Or(x.AdminKey(), "YOUR_API_KEY")
	if d := x.Demo(); d != nil {
		server := sipServer(cfg)
		fmt.Fprintf(&b, "\nTry the demo:\n\n  number       %s   (menu: 1 rings the demo phone, 2 voicemail, 3 the time)\n", d.Number)
		fmt.Fprintf(&b, "  phone        username %s, password %s, SIP server %s\n\n", d.Username, d.Password, server)
		fmt.Fprintf(&b, "  Call it without a softphone, from another terminal:\n    bin/b2bua call %s --digits 2 --say \"Hello, please call me back.\" --out heard.wav\n\n", d.Number)
		fmt.Fprintf(&b, "  With Linphone: add a SIP account (username %s, domain %s, the password above, transport UDP)\n  and dial %s.\n\n", d.Username, server, d.Number)
	}
	fmt.Fprintf(&b, "  See the calls:\n    curl -k -H 'X-Auth-Token: %s' %s/v2/calls\n\n", key, base)
	_, _ = io.WriteString(w, b.String())
}

func apiURL(cfg *configs.Config) string {
	scheme := "https"
	if cfg.HTTP.TLS.Mode == configs.TLSOff {
		scheme = "http"
	}
	return scheme + "://" + reachable(cfg.HTTP.Listen, "")
}

// sipServer is where a softphone finds the switch.
func sipServer(cfg *configs.Config) string {
	for _, l := range cfg.SIP.Listen {
		if _, addr, ok := strings.Cut(l, "://"); ok {
			return reachable(addr, cfg.SIP.Advertise)
		}
	}
	return "127.0.0.1:5060"
}

// reachable is a listening address as one would dial it from this machine.
func reachable(listen, advertise string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if advertise != "" {
		host = advertise
	}
	return net.JoinHostPort(host, port)
}
