package api

// queueFields are what a client reads about the fields of queues, as planFields.
var queueFields = map[string]string{
	"Queue.queue_id":         "Id; chosen by the client when given",
	"Queue.name":             "Name for this queue",
	"Queue.strategy":         "Whom to ring: ring_all everybody who is free, the first to answer wins; round_robin in turn; longest_idle who has had no call for longest; fewest_calls who has answered fewest; linear in the order of members. A ring_group is a queue, too: its caller hears ringing, and goes on when everybody was rung once",
	"Queue.members":          "Who answers",
	"Queue.ring_timeout":     "Seconds that a member is rung",
	"Queue.retry":            "Seconds between two rounds, when all members who were free have been rung",
	"Queue.wrap_up":          "Seconds after a conversation in which the member gets no further caller",
	"Queue.max_size":         "Callers who may wait at the same time; no limit when 0. More are sent on with the result full",
	"Queue.max_wait":         "Seconds after which a caller is sent on with the result timeout",
	"Queue.exit_key":         "Key by which a caller leaves the queue, to the overflow",
	"Queue.hold_music":       "What waiting callers hear: the id of a stored prompt, a URL, or text to speak; music is built in",
	"Queue.greeting":         "What a caller hears first: text to speak, the id of a stored prompt, or a URL",
	"Queue.announce":         "What waiting callers are told",
	"Queue.join_when_empty":  "Whether callers may wait when no member is logged in who could be rung. If not they are sent on with the result empty",
	"Queue.leave_when_empty": "Whether callers who wait are sent on when the last member has logged out",
	"Queue.priority":         "How the callers of this queue rank among those of other queues with the same members: each step is worth a minute of waiting",
	"Queue.keep_place_for":   "Seconds for which the place of a caller is kept who hangs up and calls again; 0 keeps none",
	"Queue.overflow":         "Where callers go whom nobody answers: after timeout, full, empty, exit_key and error. Without it, to the fallback of the rule that led here",
	"Queue.record":           "Whether conversations with members are recorded, as the call flow says how",
	"Queue.callback":         "Lets callers hang up, keep their place, and be called when it is their turn",
	"Queue.accept":           "Whether members who are phone numbers must press 1 to take a call, as a mailbox that answers does not",
	"Queue.accept_prompt":    "What they hear before that. {queue}, {from} and {wait} are filled in",
	"Queue.whisper":          "What a member hears, and nobody else, before talking to the caller: text, the id of a stored prompt, or a URL. {queue}, {from} and {wait} are filled in",
	"Queue.service_level":    "Seconds within which a caller should be answered; the statistics count how many were",
	"Queue.language":         "Of what callers are told; that of the menu they came from when left out",

	"QueueMember.destination":      "Number, device (its id or username) or SIP URI; it names the member within the queue",
	"QueueMember.destination_type": "phone_number, device or sip",
	"QueueMember.penalty":          "Members with a higher one are rung only when nobody with a lower one is free",
	"QueueMember.name":             "What the member is called",
	"QueueMember.accept":           "Whether this member must press 1 to take a call; as the queue says when left out",

	"QueueAnnounce.position":  "Tell callers their position",
	"QueueAnnounce.wait_time": "Tell callers how long they will wait, as far as can be told",
	"QueueAnnounce.every":     "Seconds between two announcements",

	"QueueCallback.key":     "Key that asks for a call back",
	"QueueCallback.numbers": "Numbers that may be called back: +14155552671, +1415* for all that begin so, * for all. Who calls in chooses the number, so list what you would pay for",
	"QueueCallback.prompt":  "What waiting callers are told about it with each announcement; a sentence is built in",
}
