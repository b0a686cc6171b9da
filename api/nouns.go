package api

import (
	"b2bua/flows"
	"b2bua/store"
)

// nounRoutes is the table of resources.
func (s *Server) nounRoutes() {
	serve(s, noun[flows.CallFlow]{
		path: "/v2/call-flows", name: "Call flow", tag: "Call flows", kind: flows.KindFlow, idField: "call_flow_id",
		about: "A call flow says how the calls to a number are handled. Its rules are tried in order; the first whose pattern and conditions hold wins.",
		rows:  s.Store.Flows(), fresh: flows.NewCallFlow,
		id:    func(x *flows.CallFlow) string { return x.ID },
		check: s.checkTests,
	})
	serve(s, noun[flows.IVRMenu]{
		path: "/v2/ivr-menus", name: "IVR menu", tag: "IVR menus", kind: flows.KindMenu, idField: "menu_id",
		about: "An IVR menu speaks a prompt, collects digits and sends each answer somewhere.",
		rows:  s.Store.Menus(), fresh: func() *flows.IVRMenu { return new(flows.IVRMenu) },
		id: func(x *flows.IVRMenu) string { return x.ID },
	})
	serve(s, noun[flows.Calendar]{
		path: "/v2/calendars", name: "Calendar", tag: "Calendars", idField: "calendar_id",
		about: "A calendar says when something is open: weekly hours, dates that differ from them, and an override over both. Rules ask it with the condition calendar.",
		rows:  s.Store.Calendars(), fresh: func() *flows.Calendar { return new(flows.Calendar) },
		id: func(x *flows.Calendar) string { return x.ID },
	})
	serve(s, s.boxNoun())
	serve(s, noun[flows.Queue]{
		path: "/v2/queues", name: "Queue", tag: "Queues", kind: flows.KindQueue, idField: "queue_id",
		about: "A queue is a line of callers and the members who answer them. queue_support exists from the first start, without members.",
		rows:  s.Store.Queues(), fresh: func() *flows.Queue { return new(flows.Queue) },
		id: func(x *flows.Queue) string { return x.ID },
	})
	serve(s, noun[flows.Device]{
		path: "/v2/devices", name: "Device", tag: "Devices, trunks and numbers", kind: flows.KindDevice, idField: "device_id",
		about: "A device is a phone that registers here with its username and password. The password is never shown.",
		rows:  s.Store.Devices(), fresh: func() *flows.Device { return new(flows.Device) },
		id:   func(x *flows.Device) string { return x.ID },
		hide: func(x *flows.Device) { x.Password = "" },
		keep: func(old, now *flows.Device) {
			if now.Password == "" {
				now.Password = old.Password
			}
		},
	})
	serve(s, noun[flows.Trunk]{
		path: "/v2/trunks", name: "Trunk", tag: "Devices, trunks and numbers", kind: flows.KindTrunk, idField: "trunk_id",
		about: "A trunk is a carrier: who may send calls here, and where calls to the outside go. The passwords are never shown.",
		rows:  s.Store.Trunks(), fresh: func() *flows.Trunk { return new(flows.Trunk) },
		id:    func(x *flows.Trunk) string { return x.ID },
		aside: "status", more: s.trunkStatus,
		hide: hideTrunk,
		keep: keepTrunk,
	})
	serve(s, noun[flows.PhoneNumber]{
		path: "/v2/phone-numbers", name: "Phone number", tag: "Devices, trunks and numbers", kind: flows.KindNumber, idField: "phone_number",
		about: "A phone number that the switch owns, and the call flow it is assigned to.",
		rows:  s.Store.Numbers(), fresh: func() *flows.PhoneNumber { return new(flows.PhoneNumber) },
		id: func(x *flows.PhoneNumber) string { return x.Number },
	})
	serve(s, noun[store.Webhook]{
		path: webhooksPath, name: "Webhook", tag: "Webhooks", idField: "id",
		about: "An endpoint that events are delivered to. The reply to this request shows signing_secret; afterwards it is shown only when it is made anew.",
		rows:  s.Store.Webhooks(), fresh: store.NewWebhook,
		id:   func(x *store.Webhook) string { return x.ID },
		hide: func(x *store.Webhook) { x.SigningSecret = "" },
		keep: func(old, now *store.Webhook) {
			if now.SigningSecret == "" {
				now.SigningSecret = old.SigningSecret
			}
		},
		reveal: true,
	})
}

// hideTrunk takes the passwords out of what is shown.
func hideTrunk(x *flows.Trunk) {
	if x.Outbound != nil {
		shown := *x.Outbound
		shown.Password = ""
		x.Outbound = &shown
	}
	if x.Inbound != nil {
		x.Inbound = &flows.TrunkInbound{Username: x.Inbound.Username}
	}
}

// keepTrunk gives a trunk that is replaced the passwords it had, for names that
// have not changed.
func keepTrunk(old, now *flows.Trunk) {
	if old.Outbound != nil && now.Outbound != nil && now.Outbound.Password == "" && now.Outbound.Username == old.Outbound.Username {
		now.Outbound.Password = old.Outbound.Password
	}
	if old.Inbound != nil && now.Inbound != nil && now.Inbound.Password == "" && now.Inbound.Username == old.Inbound.Username {
		now.Inbound.Password = old.Inbound.Password
	}
}
