package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"b2bua/call"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media"
	"b2bua/media/codec"
	"b2bua/media/tone"
	"b2bua/prompts"
	"b2bua/recorder"
	"b2bua/sip"
	"b2bua/sip/locate"
	"b2bua/store"
)

// openStore opens the database and brings what the configuration file lists
// into it.
func (x *Exchange) openStore() error {
	s, err := store.Open(x.cfg.DataDir, store.Options{
		Now: x.opt.Now, Log: x.log, InsecureWebhooks: x.cfg.Webhooks.AllowPrivate,
	})
	if err != nil {
		return err
	}
	x.store = s
	if err := x.fillStore(); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

func (x *Exchange) fillStore() error {
	ctx := context.Background()
	if _, err := x.store.Seed(ctx, flows.Nouns{
		Trunks: pointers(x.cfg.Trunks), Devices: pointers(x.cfg.Devices), Numbers: pointers(x.cfg.PhoneNumbers),
	}); err != nil {
		return fmt.Errorf("take over trunks, devices and phone numbers of the configuration: %w", err)
	}
	var err error
	if x.demo, err = x.seedDemo(ctx); err != nil {
		return err
	}
	if x.adminKey, err = x.store.EnsureAdminKey(x.cfg.HTTP.AdminKey); err != nil {
		return fmt.Errorf("admin key: %w", err)
	}
	return nil
}

func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func (x *Exchange) sipConfig() sip.Config {
	expires := x.cfg.SIP.SessionExpires.Std()
	if expires == 0 {
		expires = -1 // none of our own accord
	}
	return sip.Config{
		Summary:        summaries{plan: x.store.Plan, messages: x.store.Messages}.of,
		SessionExpires: expires, MinSE: x.cfg.SIP.MinSE.Std(),
		Listen: x.cfg.SIP.Listen, Advertise: x.cfg.SIP.Advertise, Realm: x.cfg.SIP.Realm, UserAgent: x.cfg.SIP.UserAgent,
		ListenPacket: x.opt.ListenPacket, ListenStream: x.opt.ListenStream, DialStream: x.opt.DialStream,
		DNS: x.dnsConfig(), Now: x.opt.Now, Random: x.opt.Random, Origins: x.cfg.SIP.WS.Origins,
		Capture: x.wire,
	}
}

func (x *Exchange) dnsConfig() locate.Config {
	return locate.Config{Servers: x.cfg.SIP.DNS, Hosts: x.opt.Resolve, Exchange: x.opt.DNS}
}

func (x *Exchange) mediaConfig() (media.Config, error) {
	c := media.Config{Timeout: time.Duration(x.cfg.Media.Timeout), Listen: x.opt.MediaListen}
	var err error
	if c.PortMin, c.PortMax, err = x.cfg.Media.PortRange(); err != nil {
		return c, err
	}
	if x.cfg.Media.Bind != "" {
		if c.Bind, err = netip.ParseAddr(x.cfg.Media.Bind); err != nil {
			return c, fmt.Errorf("media.bind: %w", err)
		}
	}
	if x.cfg.Media.Advertise == "" {
		c.Advertise = ownAddress(c.Bind)
	} else if c.Advertise, err = netip.ParseAddr(x.cfg.Media.Advertise); err != nil {
		return c, fmt.Errorf("media.advertise: %w", err)
	}
	return c, c.Validate()
}

// ownAddress is the address told to far ends when none is configured: the one
// bound, else the one that packets to the rest of the world leave from. Asking
// the kernel for that route sends nothing.
func ownAddress(bind netip.Addr) netip.Addr {
	if bind.IsValid() && !bind.IsUnspecified() {
		return bind
	}
	conn, err := new(net.Dialer).DialContext(context.Background(), "udp4", "192.0.2.1:9") // TEST-NET-1, RFC 5737
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
}

// storedPrompts is where the files of stored prompts are, below the folder of
// prompts.
const storedPrompts = "stored"

// newSystem is what calls need of the switch.
func (x *Exchange) newSystem() (*call.System, error) {
	for _, dir := range []string{x.cfg.RecordingsDir(), x.cfg.VoicemailDir(), filepath.Join(x.cfg.PromptsDir(), storedPrompts)} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return nil, fmt.Errorf("make the folder for audio: %w", err)
		}
	}
	if ok, why := recorder.Available(); !ok {
		x.log.Warn("recordings are kept as WAV: MP3 cannot be written here", "cause", why)
	}
	x.tapes = recorder.NewPool(int64(x.cfg.Recordings.MinFree) << 20)
	router, err := x.newRouter()
	if err != nil {
		return nil, err
	}
	tones, err := tone.ByCountry(x.cfg.Calls.Country)
	if err != nil {
		return nil, fmt.Errorf("calls.country: %w", err)
	}
	x.speaker = x.newSpeaker()
	x.prompts = prompts.New(prompts.Config{Dir: filepath.Join(x.cfg.PromptsDir(), storedPrompts)}, x.store,
		prompts.Sources{Speak: x.speaker.Render, Fetch: x.fetch}, x.log)
	if err := x.prompts.Sweep(); err != nil {
		return nil, err
	}
	loader := ivr.NewPromptLoader(ivr.PromptSources{
		Speech: x.speaker, Dir: x.cfg.PromptsDir(), Fetch: x.fetchNewer, Opus: prompts.OpusDecoder,
		Stored: func(id string) *flows.Prompt { return x.store.Plan().Prompt(id) }, StoredDir: storedPrompts,
	}, x.log)
	x.warmer = x.newWarmer(loader)
	return &call.System{
		SIP: x.sip, Media: x.media, Prompts: loader, Router: router, Store: x.store, Bus: x.bus,
		Calls: x.calls, Now: x.opt.Now, Log: x.log,
		Destination: destination, Healthy: x.trunks.Healthy, ServiceRoute: x.trunks.ServiceRoute,
		Codecs: codec.Default(), HoldMusic: media.HoldMusic,
		Ringback:  func() media.Source { return tones.Ringback.Play(true) },
		Recorders: x.tapes, RecordingsDir: x.cfg.RecordingsDir(), VoicemailDir: x.cfg.VoicemailDir(),
		Greetings: x.prompts, Receive: x.receive, Later: x.errands.add,
		Pick: x.opt.Pick, DeclinedCode: x.cfg.Calls.DeclinedCode,
		ApplicationWait: time.Duration(x.cfg.Calls.ApplicationTimeout), MaxDuration: time.Duration(x.cfg.Calls.MaxDuration),
	}, nil
}
