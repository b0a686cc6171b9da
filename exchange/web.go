package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"b2bua/api"
	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/flows/simulate"
	"b2bua/ivr"
	"b2bua/recorder"
	"b2bua/store"
	"b2bua/webhook"
)

// newClient is a client for the addresses that users give: webhooks, prompts.
func (x *Exchange) newClient() *http.Client {
	return webhook.NewClient(webhook.Guard{AllowPrivate: x.cfg.Webhooks.AllowPrivate, Resolve: x.opt.Resolve, Dial: x.opt.Dial})
}

func (x *Exchange) newDeliverer() *webhook.Deliverer {
	return webhook.NewDeliverer(x.bus, x.store, x.newClient(), webhook.Config{Settled: x.settled}, x.log)
}

func (x *Exchange) newRouter() (*webhook.Router, error) {
	secret, err := x.store.RoutingSecret()
	if err != nil {
		return nil, fmt.Errorf("secret of routing webhooks: %w", err)
	}
	x.routing = x.newClient()
	router := webhook.NewRouter(x.routing, webhook.RouterConfig{Secret: secret}, x.log)
	x.tries = router.Try
	return router, nil
}

// asking is one of the ways in which a router asks.
type asking func(ctx context.Context, url string, r webhook.RouteRequest) (webhook.RouteReply, webhook.Exchange, error)

// askFor asks a routing webhook for a simulated call, as for a real one.
func askFor(ask asking) simulate.Ask {
	return func(ctx context.Context, url string, c flows.Call) (flows.Decision, flows.Step, error) {
		reply, exchange, err := ask(ctx, url, webhook.RouteRequest{
			CallID: c.ID, From: c.From, To: c.To, CallType: "inbound", Timestamp: c.At,
		})
		step := flows.Step{Kind: flows.StepWebhook, Text: exchange.String(), Detail: exchange.Detail()}
		return flows.Decision{Destination: reply.Destination, DestinationType: flows.DestinationType(reply.DestinationType), Tags: reply.Tags}, step, err
	}
}

// Prompts that are URLs: how large and how slow they may be.
const (
	promptLimit    = 16 << 20
	promptDeadline = 10 * time.Second
)

// fetch gets a prompt by its URL.
func (x *Exchange) fetch(ctx context.Context, url string) (io.ReadCloser, error) {
	body, _, err := x.fetchNewer(ctx, url, ivr.Version{})
	return body, err
}

// fetchNewer gets a prompt by its URL unless it is what it was.
func (x *Exchange) fetchNewer(ctx context.Context, url string, was ivr.Version) (io.ReadCloser, ivr.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, promptDeadline)
	body, now, err := webhook.FetchNewer(ctx, x.routing, url, promptLimit, webhook.Validators(was))
	if err != nil {
		cancel()
		if errors.Is(err, webhook.ErrUnchanged) {
			err = ivr.ErrUnchanged
		}
		return nil, was, err
	}
	return &fetched{body, cancel}, ivr.Version(now), nil
}

// fetched ends its request when it is closed.
type fetched struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (f *fetched) Close() error {
	defer f.cancel()
	return f.ReadCloser.Close()
}

func (x *Exchange) newAPI() (*api.Server, error) {
	h := x.cfg.HTTP
	return api.New(api.Deps{
		Config: api.Config{
			Listen: h.Listen, TLSMode: h.TLS.Mode, CertFile: h.TLS.Cert, KeyFile: h.TLS.Key, DataDir: x.cfg.DataDir,
			Advertise:     []string{x.cfg.SIP.Advertise, x.cfg.Media.Advertise},
			RecordingsDir: x.cfg.RecordingsDir(), VoicemailDir: x.cfg.VoicemailDir(),
			RateLimit: api.RateLimit{PerSecond: h.RateLimit.PerSecond, Burst: h.RateLimit.Burst},
			Version:   x.opt.Version,
		},
		Store: x.store, Prompts: x.prompts, Spoken: x.warmer.Warnings, Calls: liveCalls{x.calls}, Bus: x.bus, Webhooks: x.webhooks, Asks: askFor(x.system.Router.Ask), Tries: askFor(x.tries), Ready: x.readiness,
		Gauges: x.gauges(), Families: x.families(), Trunks: x.trunks, Queues: x.queues, Wire: x.wire, Now: x.opt.Now, Log: x.log,
	})
}

// liveCalls shows the registry to the API.
type liveCalls struct{ calls *call.Registry }

// Live finds a call that goes on.
func (l liveCalls) Live(id string) (api.LiveCall, bool) {
	c, ok := l.calls.Get(id)
	if !ok {
		return nil, false // not a *call.Call that is nil
	}
	return c, true
}

// LiveRecords lists what is known of the calls that go on.
func (l liveCalls) LiveRecords() []events.CallRecord { return l.calls.Records() }

// readiness says why the switch takes no new calls, or nil.
func (x *Exchange) readiness() error {
	select {
	case <-x.sip.Ready():
	default:
		return errors.New("sip does not listen yet")
	}
	if x.draining.Load() {
		return errors.New("draining: new calls are turned away")
	}
	return nil
}

// gauges are what the rooms show in the metrics.
func (x *Exchange) gauges() []api.Gauge {
	number := func(name, help string, value func() int) api.Gauge {
		return api.Gauge{Name: name, Help: help, Value: func() float64 { return float64(value()) }}
	}
	return []api.Gauge{
		number("b2bua_rtp_sessions", "Media sessions open.", x.media.Sessions),
		number("b2bua_rtp_ports_in_use", "RTP and RTCP ports in use.", x.media.PortsInUse),
		number("b2bua_media_late_ticks_total", "Ticks of the media clock that came late.", func() int { return int(x.media.LateTicks()) }),
		number("b2bua_recordings_active", "Recordings and messages being written.", func() int { return x.tapes.Stats().Active }),
		number("b2bua_recording_frames_dropped_total", "Frames of 20 ms that recordings lost because encoder or disk were too slow.", func() int { return int(x.tapes.Stats().Dropped) }),
		number("b2bua_recordings_failed_total", "Recordings that ended early.", func() int { return int(x.tapes.Stats().Failed) }),
		number("b2bua_recordings_disk_full_total", "Of these, recordings that a full disk has ended.", func() int { return int(x.tapes.Stats().DiskFull) }),
		number("b2bua_recordings_room", "1 when recordings can be written, 0 when their disk is full.", func() int {
			if x.tapes.Room(x.cfg.RecordingsDir()) {
				return 1
			}
			return 0
		}),
		number("b2bua_media_overdue_ticks_total", "Ticks of the media clock that came more than 10 ms late.", func() int { return int(x.media.Overdue()) }),
		{Name: "b2bua_media_latest_tick_seconds", Help: "By how much the latest tick of the media clock was late, of the last ten seconds.", Value: func() float64 { return x.media.Latest().Seconds() }},
		number("b2bua_sip_legs", "SIP legs that are not over.", func() int { return x.sip.Stats().Legs }),
		number("b2bua_sip_dialogs", "SIP dialogs.", func() int { return x.sip.Stats().Dialogs }),
		number("b2bua_sip_server_transactions", "SIP server transactions.", func() int { return x.sip.Stats().ServerTransactions }),
		number("b2bua_sip_client_transactions", "SIP client transactions.", func() int { return x.sip.Stats().ClientTransactions }),
		number("b2bua_sip_pending_calls", "Calls that came in and are not answered yet.", func() int { return x.sip.Stats().Pending }),
		number("b2bua_sip_shed_calls_total", "Calls refused because there was too much to do.", func() int { return int(x.sip.Stats().Shed) }),
		number("b2bua_sip_banned_sources", "Sources that are not answered for a while: too many wrong passwords.", func() int { return x.sip.Stats().Guard.Banned }),
		number("b2bua_sip_bans_total", "Bans given.", func() int { return int(x.sip.Stats().Guard.Bans) }),
		number("b2bua_sip_failed_attempts_total", "Attempts of sources that did not prove who they are.", func() int { return int(x.sip.Stats().Guard.Strikes) }),
		number("b2bua_sip_limited_messages_total", "Messages dropped: their source sent too many.", func() int { return int(x.sip.Stats().Guard.Limited) }),
		number("b2bua_sip_unanswered_requests_total", "Requests of strangers that got no answer.", func() int { return int(x.sip.Stats().Guard.Unanswered) }),
		number("b2bua_sip_throttled_passwords_total", "Passwords not looked at: too many wrong ones before.", func() int { return int(x.sip.Stats().Guard.Throttled) }),
		number("b2bua_registrations", "Contacts registered by devices.", func() int { return x.sip.Stats().Registrations }),
		number("b2bua_speech_unspoken_total", "Texts that no speech program could speak, so that callers heard three short tones.", x.speaker.Unspoken),
		number("b2bua_voicemail_notices_waiting", "E-mail and webhook calls about new messages that wait to be sent.", func() int { return x.notices.Stats().Waiting }),
		number("b2bua_voicemail_notices_failed_total", "Those that were given up.", func() int { return int(x.notices.Stats().Failed) }),
		number("b2bua_webhook_events_waiting", "Events waiting for delivery.", func() int { return x.webhooks.Stats().Waiting }),
	}
}

// families are those of which each trunk has one.
func (x *Exchange) families() []api.Family {
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	return append(x.queueFamilies(), []api.Family{
		{Name: "b2bua_trunk_up", Help: "1 when the far end of a trunk answers, 0 when it does not. Not there while that is unknown.", Label: "trunk",
			Values: func() map[string]float64 {
				return x.trunks.measure(func(s api.TrunkStatus) (float64, bool) {
					return truth(s.State == api.TrunkUp), s.State != api.TrunkUnknown
				})
			}},
		{Name: "b2bua_trunk_registered", Help: "1 when a trunk that registers is registered.", Label: "trunk",
			Values: func() map[string]float64 {
				return x.trunks.measure(func(s api.TrunkStatus) (float64, bool) {
					return truth(s.Registered != nil && *s.Registered), s.Registered != nil
				})
			}},
		{Name: "b2bua_rtp_refused_packets_total", Help: "RTP and RTCP packets that were not taken: of strangers, of other streams, no RTP at all.", Label: "reason",
			Values: func() map[string]float64 {
				values := map[string]float64{}
				for why, n := range x.media.Refusals() {
					values[why.String()] = float64(n)
				}
				return values
			}},
	}...)
}

// retention says how long things are kept.
func (x *Exchange) retention() store.Retention {
	return store.Retention{
		Recordings: time.Duration(x.cfg.Recordings.RetentionDays) * 24 * time.Hour,
		Messages:   time.Duration(x.cfg.Voicemail.RetentionDays) * 24 * time.Hour, Remove: removeRecorded,
	}
}

// removeRecorded removes a recording, and what was drawn of it.
func removeRecorded(path string) error {
	return errors.Join(removeAudio(path), removeAudio(recorder.PeaksPath(path)))
}

func removeAudio(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove audio: %w", err)
	}
	return nil
}
