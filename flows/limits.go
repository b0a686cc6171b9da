package flows

// Limit is how much of a field is accepted: entries of a list, characters of a
// text, names of a map, or the range of a number.
type Limit struct {
	Most  int
	Least int // of a list or a number
}

const (
	maxName        = 200 // characters
	maxSpeech      = 5000
	maxReason      = 100
	maxDescription = 1000 // of a prompt
	maxURL         = 2000 // of hold music
	maxSecret      = 128
	maxShown       = 100 // of a device's display name
	maxTagValue    = 512
)

// Limits are those of the fields of resources, as "Type.field" with the name of
// the field in JSON. A Validate method enforces each of them; the documentation
// of the API tells them.
var Limits = map[string]Limit{
	"CallFlow.name": {Most: maxName}, "CallFlow.description": {Most: maxSpeech},
	"CallFlow.routing": {Least: 1, Most: maxRules}, "CallFlow.tests": {Most: maxTests}, "CallFlow.tags": {Most: maxTags},
	"Rule.reason":                {Most: maxReason},
	"Conditions.blocked_numbers": {Most: maxEntries}, "Conditions.allowed_numbers": {Most: maxEntries},
	"Fallback.timeout":           {Most: maxRing},
	"RecordingSettings.announce": {Most: maxSpeech},
	"FlowTest.name":              {Most: maxName},
	"Given.script":               {Most: maxScript},
	"IVRMenu.name":               {Most: maxName}, "IVRMenu.options": {Most: maxRules},
	"Calendar.name": {Most: maxName}, "Calendar.hours": {Most: maxCalendarHours}, "Calendar.dates": {Most: maxCalendarDates},
	"CalendarDate.offset": {Least: -maxOffset, Most: maxOffset},
	"VoicemailBox.name":   {Most: maxName}, "VoicemailBox.mwi_devices": {Most: maxEntries},
	"Queue.name": {Most: maxName}, "Queue.members": {Most: maxMembers}, "Queue.hold_music": {Most: maxURL},
	"Queue.priority": {Least: -maxPriority, Most: maxPriority}, "QueueMember.name": {Most: maxName},
	"NewPrompt.name": {Most: maxName}, "NewPrompt.text": {Most: maxSpeech}, "NewPrompt.description": {Most: maxDescription},
	"Device.password": {Most: maxSecret}, "Device.display_name": {Most: maxShown}, "Device.allow_outbound": {Most: maxEntries},
	"Trunk.name": {Most: maxName},
}
