package flows

import (
	"cmp"
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
}

// Plan is what the switch knows about where calls go, compiled. It never
// changes: a change makes another plan. The nouns handed to NewPlan belong to
// the plan afterwards; neither they nor what the lookups return may be written.
type Plan struct {
	flows       map[string]*flowPlan
	menus       map[string]*menuPlan
	boxes       map[string]*VoicemailBox
	devices     map[string]*Device
	byUsername  map[string]*Device
	byNumber    map[string]*Device
	numbers     map[string]*PhoneNumber
	calendars   map[string]*calendarPlan
	dids        map[string]*CallFlow // the active flows with a number
	fallback    *CallFlow            // the oldest active flow without a number
	trunks      []*Trunk
	sources     []source
	byInbound   map[string]*Trunk
	rewriters   map[string]*rewriters // by trunk id
	warned      *sync.Map             // warnings found so far, by kind and id
	defaultFlow []*CallFlow           // all active flows without a number, oldest first
}

// flowPlan is a flow with its rules compiled.
type flowPlan struct {
	flow     *CallFlow
	rules    []rulePlan
	patterns *Patterns
	zone     *time.Location // of spoken times
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

// NewPlan checks the nouns, one by one and against each other, and compiles
// them. When there are problems the plan is nil.
func NewPlan(n Nouns) (*Plan, Problems) {
	var problems Problems
	p := &Plan{
		flows:      make(map[string]*flowPlan, len(n.Flows)),
		menus:      make(map[string]*menuPlan, len(n.Menus)),
		boxes:      make(map[string]*VoicemailBox, len(n.Boxes)),
		devices:    make(map[string]*Device, len(n.Devices)),
		byUsername: make(map[string]*Device, len(n.Devices)),
		byNumber:   make(map[string]*Device, len(n.Devices)),
		numbers:    make(map[string]*PhoneNumber, len(n.Numbers)),
		calendars:  make(map[string]*calendarPlan, len(n.Calendars)),
		dids:       make(map[string]*CallFlow, len(n.Flows)),
		byInbound:  make(map[string]*Trunk),
		rewriters:  make(map[string]*rewriters, len(n.Trunks)),
	}
	p.warned = new(sync.Map)
	p.addCalendars(n.Calendars, &problems)
	p.addFlows(n.Flows, &problems)
	p.addMenus(n.Menus, &problems)
	p.addBoxes(n.Boxes, &problems)
	p.addDevices(n.Devices, &problems)
	p.addNumbers(n.Numbers, &problems)
	p.addTrunks(n.Trunks, &problems)
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
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
// those that name it as their mwi_device.
func (p *Plan) DeviceBoxes(d *Device) (ids []string) {
	for id, b := range p.boxes {
		if id == d.VoicemailBoxID || b.MWIDevice != "" && b.MWIDevice == d.ID {
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

func (p *Plan) addFlows(list []*CallFlow, problems *Problems) {
	for _, f := range list {
		at := "call_flows[" + f.ID + "]"
		found := f.Validate()
		*problems = append(*problems, found.Under(at)...)
		if p.flows[f.ID] != nil {
			problems.addConflict("call_flow_id", "there is already a call flow with the id %q; choose another", f.ID)
		}
		if len(found) > 0 {
			continue
		}
		p.flows[f.ID] = p.compile(f)
		switch {
		case !f.Active:
		case f.PhoneNumber == "":
			p.defaultFlow = append(p.defaultFlow, f)
		case p.dids[f.PhoneNumber] != nil:
			problems.addConflict("phone_number",
				"the active call flows %q and %q both have the number %s; deactivate one, or give it another number",
				p.dids[f.PhoneNumber].ID, f.ID, f.PhoneNumber)
		default:
			p.dids[f.PhoneNumber] = f
		}
	}
	slices.SortStableFunc(p.defaultFlow, func(a, b *CallFlow) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	if len(p.defaultFlow) > 0 {
		p.fallback = p.defaultFlow[0]
	}
}

func (p *Plan) compile(f *CallFlow) *flowPlan {
	compiled := &flowPlan{flow: f, rules: make([]rulePlan, len(f.Routing)), zone: time.UTC}
	if zone, err := loadZone(f.Timezone); err == nil {
		compiled.zone = zone
	}
	list := make([]pattern, len(f.Routing))
	for i, r := range f.Routing {
		// Validate has compiled both before: there is no error to come.
		list[i], _ = compileRule(r.Pattern)
		compiled.rules[i] = rulePlan{catchAll: list[i].catchAll, conditions: compileConditions(r.Conditions, p.calendars)}
	}
	compiled.patterns = newPatterns(list)
	return compiled
}

// addCalendars comes before the flows, whose conditions ask them.
func (p *Plan) addCalendars(list []*Calendar, problems *Problems) {
	for _, c := range list {
		*problems = append(*problems, c.Validate().Under("calendars["+c.ID+"]")...)
		if p.calendars[c.ID] != nil {
			problems.addConflict("calendar_id", "there is already a calendar with the id %q; choose another", c.ID)
		}
		p.calendars[c.ID], _ = compileCalendar(c)
	}
}

func (p *Plan) addMenus(list []*IVRMenu, problems *Problems) {
	for _, m := range list {
		found := m.Validate()
		*problems = append(*problems, found.Under("ivr_menus["+m.ID+"]")...)
		if p.menus[m.ID] != nil {
			problems.addConflict("menu_id", "there is already an IVR menu with the id %q; choose another", m.ID)
		}
		if len(found) > 0 {
			continue
		}
		options := make([]pattern, len(m.Options))
		for i, o := range m.Options {
			options[i], _ = compileOption(o.Digit)
		}
		p.menus[m.ID] = &menuPlan{menu: m, patterns: newPatterns(options)}
	}
}

func (p *Plan) addBoxes(list []*VoicemailBox, problems *Problems) {
	for _, b := range list {
		*problems = append(*problems, b.Validate().Under("voicemail_boxes["+b.ID+"]")...)
		if p.boxes[b.ID] != nil {
			problems.addConflict("voicemail_box_id", "there is already a voicemail box with the id %q; choose another", b.ID)
		}
		p.boxes[b.ID] = b
	}
}

func (p *Plan) addDevices(list []*Device, problems *Problems) {
	for _, d := range list {
		*problems = append(*problems, d.Validate().Under("devices["+d.ID+"]")...)
		if p.devices[d.ID] != nil {
			problems.addConflict("device_id", "there is already a device with the id %q; choose another", d.ID)
		}
		if other := p.byUsername[d.Username]; other != nil && d.Username != "" {
			problems.addConflict("username", "the device %q already registers as %q; choose another username", other.ID, d.Username)
		}
		if other := p.byNumber[d.Number]; other != nil && d.Number != "" {
			problems.addConflict("number", "the device %q already has the number %s; choose another", other.ID, d.Number)
		}
		p.devices[d.ID] = d
		p.byUsername[d.Username] = d
		if d.Number != "" {
			p.byNumber[d.Number] = d
		}
	}
}

func (p *Plan) addNumbers(list []*PhoneNumber, problems *Problems) {
	for _, n := range list {
		*problems = append(*problems, n.Validate().Under("phone_numbers["+n.Number+"]")...)
		if p.numbers[n.Number] != nil {
			problems.addConflict("phone_number", "the number %s is already listed; change that entry instead", n.Number)
		}
		p.numbers[n.Number] = n
	}
}

func (p *Plan) addTrunks(list []*Trunk, problems *Problems) {
	seen := make(map[string]bool, len(list))
	for _, t := range list {
		*problems = append(*problems, t.Validate().Under("trunks["+t.ID+"]")...)
		if seen[t.ID] {
			problems.addConflict("trunk_id", "there is already a trunk with the id %q; choose another", t.ID)
		}
		seen[t.ID] = true
		p.rewriters[t.ID] = compileTransforms(t.Transforms)
		p.addInbound(t, problems)
		for _, host := range t.Hosts {
			if prefix, ok := hostPrefix(host); ok {
				p.sources = append(p.sources, source{prefix, t})
			}
		}
	}
	p.trunks = slices.Clone(list)
	slices.SortStableFunc(p.trunks, func(a, b *Trunk) int {
		return cmp.Or(cmp.Compare(trunkOrder(a), trunkOrder(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(p.sources, func(a, b source) int {
		return cmp.Compare(b.prefix.Bits(), a.prefix.Bits())
	})
}

// addInbound: one name is one account, be it of a device or of a trunk.
func (p *Plan) addInbound(t *Trunk, problems *Problems) {
	if t.Inbound == nil || t.Inbound.Username == "" {
		return
	}
	name := t.Inbound.Username
	if d := p.byUsername[name]; d != nil {
		problems.addConflict("inbound.username", "the device %q and the trunk %q both prove themselves as %q; choose another username for one", d.ID, t.ID, name)
	}
	if other := p.byInbound[name]; other != nil {
		problems.addConflict("inbound.username", "the trunk %q already proves itself as %q; choose another username", other.ID, name)
	}
	p.byInbound[name] = t
}
