package store

import (
	"regexp"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/flows"
)

// kind tells a collection how to handle its sort of resource.
type kind[T any] struct {
	bucket  string // in the file
	name    string // in messages
	idField string // in JSON
	prefix  string // of the ids made here; "" when the id is part of the resource
	keep    bool   // every revision is kept

	meta     func(*T) meta
	defaults func(*T)
	validate func(*T) flows.Problems
	plan     func(*flows.Nouns, []*T)              // puts the resources among the plan's nouns; nil when they are no part of it
	removed  func(*Store, *bbolt.Tx, string) error // takes away what belongs to a deleted resource; optional
}

// meta is what the store sets on a resource.
type meta struct {
	id               *string
	created, updated *time.Time
	revision         *int
}

// idPattern is what a client may choose as an id.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

var flowKind = kind[flows.CallFlow]{
	bucket: "call_flows", name: "call flow", idField: "call_flow_id", prefix: "cf_", keep: true,
	meta: func(x *flows.CallFlow) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.CallFlow).ApplyDefaults,
	validate: (*flows.CallFlow).Validate,
	plan:     func(n *flows.Nouns, all []*flows.CallFlow) { n.Flows = all },
	removed:  forgetCoverage,
}

var menuKind = kind[flows.IVRMenu]{
	bucket: "ivr_menus", name: "IVR menu", idField: "menu_id", prefix: "menu_",
	meta: func(x *flows.IVRMenu) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.IVRMenu).ApplyDefaults,
	validate: (*flows.IVRMenu).Validate,
	plan:     func(n *flows.Nouns, all []*flows.IVRMenu) { n.Menus = all },
}

var boxKind = kind[flows.VoicemailBox]{
	bucket: "voicemail_boxes", name: "voicemail box", idField: "voicemail_box_id", prefix: "vmbox_",
	meta: func(x *flows.VoicemailBox) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.VoicemailBox).ApplyDefaults,
	validate: (*flows.VoicemailBox).Validate,
	plan:     func(n *flows.Nouns, all []*flows.VoicemailBox) { n.Boxes = all },
}

var deviceKind = kind[flows.Device]{
	bucket: "devices", name: "device", idField: "device_id", prefix: "dev_",
	meta: func(x *flows.Device) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.Device).ApplyDefaults,
	validate: (*flows.Device).Validate,
	plan:     func(n *flows.Nouns, all []*flows.Device) { n.Devices = all },
}

var trunkKind = kind[flows.Trunk]{
	bucket: "trunks", name: "trunk", idField: "trunk_id", prefix: "trunk_",
	meta: func(x *flows.Trunk) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.Trunk).ApplyDefaults,
	validate: (*flows.Trunk).Validate,
	plan:     func(n *flows.Nouns, all []*flows.Trunk) { n.Trunks = all },
}

var numberKind = kind[flows.PhoneNumber]{
	bucket: "phone_numbers", name: "phone number", idField: "phone_number",
	meta: func(x *flows.PhoneNumber) meta {
		return meta{&x.Number, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.PhoneNumber).ApplyDefaults,
	validate: (*flows.PhoneNumber).Validate,
	plan:     func(n *flows.Nouns, all []*flows.PhoneNumber) { n.Numbers = all },
}

var calendarKind = kind[flows.Calendar]{
	bucket: "calendars", name: "calendar", idField: "calendar_id", prefix: "cal_",
	meta: func(x *flows.Calendar) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.Calendar).ApplyDefaults,
	validate: (*flows.Calendar).Validate,
	plan:     func(n *flows.Nouns, all []*flows.Calendar) { n.Calendars = all },
}

var queueKind = kind[flows.Queue]{
	bucket: "queues", name: "queue", idField: "queue_id", prefix: "queue_",
	meta: func(x *flows.Queue) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.Queue).ApplyDefaults,
	validate: (*flows.Queue).Validate,
	plan:     func(n *flows.Nouns, all []*flows.Queue) { n.Queues = all },
}

var promptKind = kind[flows.Prompt]{
	bucket: "prompts", name: "prompt", idField: "prompt_id", prefix: "prompt_",
	meta: func(x *flows.Prompt) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: (*flows.Prompt).ApplyDefaults,
	validate: (*flows.Prompt).Validate,
	plan:     func(n *flows.Nouns, all []*flows.Prompt) { n.Prompts = all },
}

// httpsOnly is k with routing webhooks by plain http refused at save, unless
// private webhooks are allowed. What was saved before stays.
func httpsOnly[T any](k kind[T], insecure bool, plain func(*T) flows.Problems) *kind[T] {
	if insecure {
		return &k
	}
	validate := k.validate
	k.validate = func(x *T) flows.Problems { return append(validate(x), plain(x)...) }
	return &k
}
