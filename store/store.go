package store

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/flows"
)

// Options are what a store can be told when it is opened; the zero value is
// fine.
type Options struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// LockTimeout is how long to wait for another process to let go of the
	// file; 0 means 2 s.
	LockTimeout time.Duration
	// InsecureWebhooks accepts event webhooks with http URLs, for receivers
	// on a private network.
	InsecureWebhooks bool
	// DeliveryLog is how many delivery attempts are kept for each webhook;
	// 0 means 500.
	DeliveryLog int
	// Log is told about an unclean stop; nil means silence.
	Log *slog.Logger
}

// Store is the open database. It is safe for use by many goroutines.
type Store struct {
	db   *bbolt.DB
	path string
	opt  Options
	log  *slog.Logger

	plan atomic.Pointer[flows.Plan]

	mu      sync.Mutex // held by writers of collections: one change at a time
	onPlan  []func(*flows.Plan)
	created time.Time // the newest created_at given out

	flows     *Collection[flows.CallFlow]
	menus     *Collection[flows.IVRMenu]
	boxes     *Collection[flows.VoicemailBox]
	devices   *Collection[flows.Device]
	trunks    *Collection[flows.Trunk]
	numbers   *Collection[flows.PhoneNumber]
	calendars *Collection[flows.Calendar]
	queues    *Collection[flows.Queue]
	prompts   *Collection[flows.Prompt]
	webhooks  *Collection[Webhook]
	keys      *Collection[APIKey]

	recordings *Records[Recording]
	messages   *Records[Message]
	drafts     *Records[Draft]
	notices    *Records[Notice]
	deliveries *Records[Delivery]
	calls      *Records[callRow]

	replies   replies
	coverage  coverage
	closeOnce sync.Once
	closeErr  error
}

// Plan is the current plan. It never changes; a write makes another one.
func (s *Store) Plan() *flows.Plan { return s.plan.Load() }

// OnPlan has f called with every new plan, in order, after it is committed. f
// must be quick and must not write to the store.
func (s *Store) OnPlan(f func(*flows.Plan)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onPlan = append(s.onPlan, f)
}

// Flows are the call flows.
func (s *Store) Flows() *Collection[flows.CallFlow] { return s.flows }

// Menus are the IVR menus.
func (s *Store) Menus() *Collection[flows.IVRMenu] { return s.menus }

// Boxes are the voicemail boxes.
func (s *Store) Boxes() *Collection[flows.VoicemailBox] { return s.boxes }

// Devices are the phones that may register.
func (s *Store) Devices() *Collection[flows.Device] { return s.devices }

// Trunks are the carriers.
func (s *Store) Trunks() *Collection[flows.Trunk] { return s.trunks }

// Numbers are the DIDs, identified by the number itself.
func (s *Store) Numbers() *Collection[flows.PhoneNumber] { return s.numbers }

// Calendars are the opening hours and holidays that rules ask.
func (s *Store) Calendars() *Collection[flows.Calendar] { return s.calendars }

// Queues are the lines of callers and who answers them.
func (s *Store) Queues() *Collection[flows.Queue] { return s.queues }

// Prompts are the sounds that are kept. Their files are at home in prompts.
func (s *Store) Prompts() *Collection[flows.Prompt] { return s.prompts }

// Webhooks are the endpoints that events are delivered to.
func (s *Store) Webhooks() *Collection[Webhook] { return s.webhooks }

// Path is the file.
func (s *Store) Path() string { return s.path }

func (s *Store) now() time.Time {
	if s.opt.Now != nil {
		return s.opt.Now()
	}
	return time.Now()
}
