package flows

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Nouns are all the resources of which a plan is made.
type Nouns struct {
	Flows     []*CallFlow
	Menus     []*IVRMenu
	Boxes     []*VoicemailBox
	Devices   []*Device
	Trunks    []*Trunk
	Numbers   []*PhoneNumber
	Calendars []*Calendar
	Queues    []*Queue
	Prompts   []*Prompt
}

// Plan is what the switch knows about where calls go, compiled. It never
// changes: a change makes another plan. The nouns handed to NewPlan belong to
// the plan afterwards; neither they nor what the lookups return may be written.
type Plan struct {
	flows       map[string]*flowPlan
	menus       map[string]*menuPlan
	boxes       map[string]*VoicemailBox
	queues      map[string]*Queue
	boxByNumber map[string]*VoicemailBox
	devices     map[string]*Device
	byUsername  map[string]*Device
	byNumber    map[string]*Device
	numbers     map[string]*PhoneNumber
	calendars   map[string]*calendarPlan
	prompts     map[string]*Prompt
	dids        map[string]*CallFlow // the active flows with a number
	fallback    *CallFlow            // the oldest active flow without a number
	trunks      []*Trunk
	sources     []source
	byInbound   map[string]*Trunk
	rewriters   map[string]*rewriters // by trunk id
	defaultFlow []*CallFlow           // all active flows without a number, oldest first
	nouns       Nouns                 // that it is made of
	warned      *sync.Map             // warnings found so far, by kind and id
	presenters  *presenters
	secrets     func() bool // is asked once
}

// flowPlan is a flow with its rules compiled.
type flowPlan struct {
	flow     *CallFlow
	rules    []rulePlan
	patterns *Patterns
	zone     *time.Location // of spoken times
	asks     []string       // ids of calendars
}

type rulePlan struct {
	catchAll   bool
	conditions []condition
}

// menuPlan is a menu with its options compiled.
type menuPlan struct {
	menu     *IVRMenu
	patterns *Patterns
}

type source struct {
	prefix netip.Prefix
	trunk  *Trunk
}

// Flow is the flow with this id, or nil.
func (p *Plan) Flow(id string) *CallFlow {
	if f := p.flows[id]; f != nil {
		return f.flow
	}
	return nil
}

// Menu is the menu with this id, or nil.
func (p *Plan) Menu(id string) *IVRMenu {
	if m := p.menus[id]; m != nil {
		return m.menu
	}
	return nil
}

// Box is the voicemail box with this id, or nil.
func (p *Plan) Box(id string) *VoicemailBox { return p.boxes[id] }

// BoxByNumber is the voicemail box with this number, or nil.
func (p *Plan) BoxByNumber(number string) *VoicemailBox { return p.boxByNumber[number] }

// BoxDevices are the usernames of the devices that are told of a voicemail box's
// messages.
func (p *Plan) BoxDevices(box string) (usernames []string) {
	for _, d := range p.devices {
		if slices.Contains(p.DeviceBoxes(d), box) {
			usernames = append(usernames, d.Username)
		}
	}
	return usernames
}

// DeviceBoxes are the voicemail boxes that a device is told of: its own, and
// those that name it as a device to tell.
func (p *Plan) DeviceBoxes(d *Device) (ids []string) {
	for id, b := range p.boxes {
		if id == d.VoicemailBoxID || b.lights(d.ID) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Calendar is the calendar with this id, or nil.
func (p *Plan) Calendar(id string) *Calendar {
	if c := p.calendars[id]; c != nil {
		return c.calendar
	}
	return nil
}

// Device is the device with this id, or nil.
func (p *Plan) Device(id string) *Device { return p.devices[id] }

// DeviceByUsername is the device that registers with this name, or nil.
func (p *Plan) DeviceByUsername(username string) *Device { return p.byUsername[username] }

// DeviceByNumber is the device that has this number, or nil.
func (p *Plan) DeviceByNumber(number string) *Device { return p.byNumber[number] }

// Number is the DID as /v2/phone-numbers lists it, or nil.
func (p *Plan) Number(number string) *PhoneNumber { return p.numbers[number] }

// Trunks are all trunks, those for outbound calls first, in the order in which
// they are to be tried: by priority, then name.
func (p *Plan) Trunks() []*Trunk { return p.trunks }

// Trunk is the trunk with this id, or nil.
func (p *Plan) Trunk(id string) *Trunk {
	for _, t := range p.trunks {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// TrunkBySource is the trunk that lists this address; the narrowest prefix
// wins. Names among the hosts are not looked at here.
func (p *Plan) TrunkBySource(addr netip.Addr) (*Trunk, bool) {
	addr = addr.Unmap().WithZone("")
	for _, s := range p.sources {
		if s.prefix.Contains(addr) {
			return s.trunk, true
		}
	}
	return nil, false
}

// TrunkByUsername is the trunk that proves by digest who it is, under this name,
// or nil.
func (p *Plan) TrunkByUsername(username string) *Trunk { return p.byInbound[username] }

// Lookup finds the flow for a dialled number, and whether the switch owns that
// number at all: the active flow with this number, else the active flow the
// number is assigned to, else the oldest active flow without a number. Owned
// without a flow means that the call waits for API control. A number dialled
// without its + is found too.
func (p *Plan) Lookup(did string) (flow *CallFlow, owned bool) {
	if flow, owned = p.lookup(did); owned || did == "" || did[0] == '+' {
		return flow, owned
	}
	return p.lookup("+" + did)
}

func (p *Plan) lookup(did string) (*CallFlow, bool) {
	if f := p.dids[did]; f != nil {
		return f, true
	}
	number := p.numbers[did]
	if number == nil {
		return nil, false
	}
	if f := p.Flow(number.CallFlowID); f != nil && f.Active {
		return f, true
	}
	return p.fallback, true
}

// KeepsSecrets says whether callers may be asked for keys that nobody is told.
func (p *Plan) KeepsSecrets() bool { return p.secrets() }

func (p *Plan) asksForSecrets() bool {
	return slices.ContainsFunc(p.nouns.Menus, func(m *IVRMenu) bool { return m.Sensitive }) ||
		slices.ContainsFunc(p.nouns.Boxes, func(b *VoicemailBox) bool { return b.PIN != "" })
}
