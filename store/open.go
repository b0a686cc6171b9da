package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"b2bua/events"
	"b2bua/flows"
)

const (
	// FileName is the database below the data directory.
	FileName = "b2bua.db"
	// schemaVersion is raised when the file's layout changes.
	schemaVersion = "1"

	bucketMeta      = "meta"
	bucketRevisions = "revisions"
	bucketTraces    = "traces"
	bucketReplies   = "replies"

	bucketRegistrations = "registrations"
	bucketQueueStates   = "queue_states"

	keySchema = "schema_version"
	keyOpen   = "open" // there while a process uses the file, and after it was killed
)

const (
	defaultLockTimeout = 2 * time.Second
	defaultDeliveryLog = 500
	// batchDelay is how long a small write waits for company.
	batchDelay = 2 * time.Millisecond
)

// Open opens the database below dir, which is made when it is missing, and
// reads the plan. On the very first start it makes the voicemail box
// flows.DefaultBoxID and the queue flows.DefaultQueueID.
func Open(dir string, o Options) (*Store, error) {
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.DeliveryLog <= 0 {
		o.DeliveryLog = defaultDeliveryLog
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, storageError("make the data directory", err)
	}
	s := &Store{path: filepath.Join(dir, FileName), opt: o, log: o.Log}
	s.makeCollections()
	if err := s.openFile(); err != nil {
		return nil, err
	}
	first, err := s.inspect()
	if err == nil {
		err = s.load()
	}
	if err == nil {
		err = s.prepare(first)
	}
	if err == nil && first {
		err = s.firstStart()
	}
	if err != nil {
		_ = s.db.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) makeCollections() {
	s.flows = newCollection(s, httpsOnly(flowKind, s.opt.InsecureWebhooks, (*flows.CallFlow).PlainWebhooks))
	s.menus = newCollection(s, httpsOnly(menuKind, s.opt.InsecureWebhooks, (*flows.IVRMenu).PlainWebhooks))
	s.boxes = newCollection(s, httpsOnly(boxKind, s.opt.InsecureWebhooks, (*flows.VoicemailBox).PlainWebhooks))
	s.devices = newCollection(s, &deviceKind)
	s.trunks = newCollection(s, &trunkKind)
	s.numbers = newCollection(s, &numberKind)
	s.calendars = newCollection(s, &calendarKind)
	s.queues = newCollection(s, httpsOnly(queueKind, s.opt.InsecureWebhooks, (*flows.Queue).PlainWebhooks))
	s.prompts = newCollection(s, &promptKind)
	s.webhooks = newCollection(s, webhookKind(s.opt.InsecureWebhooks))
	s.keys = newCollection(s, &keyKind)
	s.calls = &Records[callRow]{s: s, k: &callKind}
	s.recordings = &Records[Recording]{s: s, k: &recordingKind}
	s.messages = &Records[Message]{s: s, k: &messageKind}
	s.drafts = &Records[Draft]{s: s, k: &draftKind}
	s.notices = &Records[Notice]{s: s, k: &noticeKind}
	s.deliveries = &Records[Delivery]{s: s, k: &deliveryKind}
}

// openFile maps the file and looks whether it is whole. bbolt panics over
// damaged pages, and reading beyond the end of a mapped file faults: both
// become errors.
func (s *Store) openFile() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = &DamagedError{s.path, fmt.Errorf("%v", v)}
		}
	}()
	s.db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: s.opt.LockTimeout, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return &LockedError{s.path}
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return &DamagedError{s.path, err}
	case err != nil && damagedSize(s.path):
		return &DamagedError{s.path, err}
	case err != nil:
		return storageError("open the database "+s.path, err)
	}
	s.db.MaxBatchDelay = batchDelay
	if err := s.whole(); err != nil {
		_ = s.db.Close()
		return &DamagedError{s.path, err}
	}
	return nil
}

// damagedSize reports a file that is there and too short for its two meta
// pages.
func damagedSize(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 && info.Size() < 4*int64(os.Getpagesize())
}

// whole checks the size of the file always, and all of its pages when the last
// process did not close it.
func (s *Store) whole() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(s.path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("it has %d bytes and should have %d", info.Size(), tx.Size())
		}
		meta := tx.Bucket([]byte(bucketMeta))
		if meta == nil || meta.Get([]byte(keyOpen)) == nil {
			return nil
		}
		s.log.Warn("the last process did not close the database; checking it", "path", s.path)
		var first error
		for err := range tx.Check() {
			if first == nil {
				first = err
			}
		}
		return first
	})
}

// inspect reports whether the file is new, and refuses one with another layout.
func (s *Store) inspect() (first bool, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		if meta == nil {
			first = true
			return nil
		}
		if v := string(meta.Get([]byte(keySchema))); v != schemaVersion {
			return fmt.Errorf("the database %s has the layout %q and this program knows %q: "+
				"run the version of the program that wrote it, or a newer one", s.path, v, schemaVersion)
		}
		return nil
	})
	return first, err
}

// prepare makes the buckets and marks the file as open. Nothing is written
// before it: a file that cannot be used stays as it is.
func (s *Store) prepare(first bool) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range s.buckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		meta := tx.Bucket([]byte(bucketMeta))
		if first {
			if err := meta.Put([]byte(keySchema), []byte(schemaVersion)); err != nil {
				return err
			}
		}
		return meta.Put([]byte(keyOpen), []byte(events.Moment(s.now()).Format(time.RFC3339)))
	})
	return storageError("prepare the database "+s.path, err)
}

func (s *Store) buckets() []string {
	names := []string{
		bucketMeta, bucketRevisions, bucketTraces, bucketReplies, bucketRegistrations, bucketCoverage, bucketUntold, bucketPINs,
		flowKind.bucket, menuKind.bucket, boxKind.bucket, deviceKind.bucket, trunkKind.bucket,
		numberKind.bucket, calendarKind.bucket, queueKind.bucket, promptKind.bucket, bucketQueueStates, s.webhooks.k.bucket, keyKind.bucket,
	}
	names = append(names, callKind.buckets()...)
	names = append(names, recordingKind.buckets()...)
	names = append(names, messageKind.buckets()...)
	names = append(names, draftKind.buckets()...)
	names = append(names, noticeKind.buckets()...)
	return append(names, deliveryKind.buckets()...)
}

// load reads all collections and makes the plan.
func (s *Store) load() error {
	err := s.db.View(func(tx *bbolt.Tx) error {
		for _, load := range []func(*bbolt.Tx) error{
			s.flows.load, s.menus.load, s.boxes.load, s.devices.load,
			s.trunks.load, s.numbers.load, s.calendars.load, s.queues.load, s.prompts.load, s.webhooks.load, s.keys.load,
		} {
			if err := load(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return &DamagedError{s.path, err}
	}
	plan, problems := flows.NewPlan(s.nouns())
	if len(problems) > 0 {
		return fmt.Errorf("the database %s holds what this version does not accept; "+
			"change it with the version that wrote it: %w", s.path, &Invalid{problems})
	}
	s.plan.Store(plan)
	return nil
}

// firstStart makes what is there from the beginning.
func (s *Store) firstStart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.boxes.made(&flows.VoicemailBox{
		ID:       flows.DefaultBoxID,
		Name:     "Default Voicemail",
		Greeting: "Thank you for calling. Please leave a message.",
		Prompt:   "Please record your message after the beep.",
	}, "")
	if err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	q, err := s.queues.made(flows.DefaultQueue(), "")
	if err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	var b batch
	s.boxes.add(&b, s.boxes.set.Load(), e)
	s.queues.add(&b, s.queues.set.Load(), q)
	return s.commit(context.Background(), &b)
}

// Close writes what is left and lets go of the file. It may be called more than
// once.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		counted := s.SaveCoverage()
		err := s.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucketMeta)).Delete([]byte(keyOpen))
		})
		s.closeErr = storageError("close the database "+s.path, errors.Join(counted, err, s.db.Close()))
	})
	return s.closeErr
}

func (s *Store) view(f func(*bbolt.Tx) error) error { return s.told("read", f, s.db.View) }

// batch writes together with others that write at the same time; f may run more
// than once.
func (s *Store) batch(f func(*bbolt.Tx) error) error { return s.told("write", f, s.db.Batch) }

// told runs f in a transaction and tells f's own errors, which are answers to
// the caller, from those of the file.
func (s *Store) told(doing string, f func(*bbolt.Tx) error, run func(func(*bbolt.Tx) error) error) error {
	var own error
	err := run(func(tx *bbolt.Tx) error {
		own = f(tx)
		return own
	})
	switch {
	case err == nil:
		return nil
	case own != nil:
		return own
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	}
	return storageError(doing+" "+s.path, err)
}
