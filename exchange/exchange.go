package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"b2bua/api"
	"b2bua/call"
	"b2bua/configs"
	"b2bua/events"
	"b2bua/media"
	"b2bua/notice"
	"b2bua/prompts"
	"b2bua/queue"
	"b2bua/recorder"
	"b2bua/sip"
	"b2bua/sip/capture"
	"b2bua/speech"
	"b2bua/store"
	"b2bua/webhook"
)

// Exchange is the whole switch.
type Exchange struct {
	cfg *configs.Config
	opt Options
	log *slog.Logger

	store    *store.Store
	prompts  *prompts.Library
	speaker  *speech.Speaker
	warmer   *prompts.Warmer
	bus      *events.Bus
	sip      *sip.Endpoint
	media    *media.Engine
	webhooks *webhook.Deliverer
	notices  *notice.Office
	errands  *errands
	hosts    *hosts
	trunks   *trunks
	calls    *call.Registry
	system   *call.System
	queues   *queue.Hall
	tapes    *recorder.Pool
	api      *api.Server
	wire     *capture.Recorder // nil: no messages are kept
	hep      *capture.Exporter // nil: none are sent elsewhere
	tries    asking            // asks a routing webhook for the API
	routing  *http.Client      // asks routing webhooks and fetches prompts

	draining atomic.Bool

	adminKey string // made on the very first start, told once
	demo     *Demo

	calling context.Context // ends when calls must end
	endAll  context.CancelFunc
	cut     chan struct{} // closed by Cut
	cutOnce sync.Once
}

// New builds the switch: it opens the store and starts nothing.
func New(cfg *configs.Config, o Options) (*Exchange, error) {
	x := &Exchange{cfg: cfg, opt: o.withDefaults(), log: o.Log, cut: make(chan struct{})}
	x.calling, x.endAll = context.WithCancel(context.Background())
	if err := x.openStore(); err != nil {
		return nil, err
	}
	if err := x.build(); err != nil {
		return nil, errors.Join(err, x.store.Close())
	}
	return x, nil
}

// build makes the rooms and introduces them to each other.
func (x *Exchange) build() error {
	x.bus = events.NewBus()
	x.calls = call.NewRegistry()
	x.hosts = newHosts(func(ctx context.Context, host string) ([]netip.Addr, error) { return x.sip.Addresses(ctx, host) }, x.log)
	x.store.OnPlan(x.hosts.planned)
	mc, err := x.mediaConfig()
	if err != nil {
		return err
	}
	x.media = media.New(mc, x.log)
	x.newCapture()
	sc := x.sipConfig()
	sc.MaxCPS, sc.MaxPending = x.cfg.SIP.MaxCPS, x.cfg.SIP.MaxPending
	if sc.Verify, err = x.newVerifier(); err != nil {
		return err
	}
	if sc.TLS, err = x.sipTLS(); err != nil {
		return err
	}
	dir := &directory{plan: x.store.Plan, hosts: x.hosts}
	x.sip, err = sip.New(sc, dir, x, x.log)
	if err != nil {
		return err
	}
	x.trunks = newTrunks(x.sip, x.opt.Now, x.opt.Random, x.log, x.calls.TrunkDown)
	dir.trunks = x.trunks
	x.store.OnPlan(x.trunks.planned)
	x.store.OnPlan((&registrations{sip: x.sip, log: x.log, plan: x.store.Plan()}).planned)
	x.restoreRegistrations()
	x.store.Messages().OnChange(x.boxChanged)
	x.errands = newErrands(x.log)
	x.webhooks = x.newDeliverer()
	if x.notices, err = x.newNotices(); err != nil {
		return err
	}
	if x.system, err = x.newSystem(); err != nil {
		return err
	}
	x.newQueues()
	if err := x.recoverMessages(context.Background()); err != nil {
		return err
	}
	if err := x.recoverRecordings(context.Background()); err != nil {
		return err
	}
	if err := x.adoptRecordings(context.Background()); err != nil {
		return err
	}
	if x.api, err = x.newAPI(); err != nil {
		return fmt.Errorf("api: %w", err)
	}
	return nil
}

// AdminKey is the key made on the very first start, "" on later ones.
func (x *Exchange) AdminKey() string { return x.adminKey }

// Demo is what the demo has set up, or nil without a demo.
func (x *Exchange) Demo() *Demo { return x.demo }

// Handler is the API, for a listener of the caller's own.
func (x *Exchange) Handler() http.Handler { return x.api.Handler() }

// Ready is closed once SIP listens.
func (x *Exchange) Ready() <-chan struct{} { return x.sip.Ready() }

// Serving is closed once the API listens.
func (x *Exchange) Serving() <-chan struct{} { return x.api.Started() }

// Cut ends a drain at once: calls still running are ended. It may be called
// more than once.
func (x *Exchange) Cut() { x.cutOnce.Do(func() { close(x.cut) }) }
