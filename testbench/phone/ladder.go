package phone

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Ladder draws the SIP messages that phones send and receive as a sequence
// diagram. Nothing in it changes from run to run: no tags, branches, ports or
// times. Several phones may share one; a message between two of them is drawn
// once, as sent.
type Ladder struct {
	mu      sync.Mutex
	names   []string // columns, from the left
	address map[netip.AddrPort]string
	phones  map[netip.AddrPort]bool
	seen    map[string]bool
	entries []entry
	live    io.Writer
}

type entry struct {
	at       time.Time
	phone    int // column of the phone that told
	n        int
	from, to string
	text     string
}

// NewLadder makes a ladder with columns for the named participants; others are
// added to the right as they show up. An address nobody named is "switch".
func NewLadder(participants ...string) *Ladder {
	return &Ladder{
		names: participants, address: map[netip.AddrPort]string{},
		phones: map[netip.AddrPort]bool{}, seen: map[string]bool{},
	}
}

// Name says who has an address.
func (l *Ladder) Name(at netip.AddrPort, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.address[at] = name
}

// Live also draws each message at once, in the order of telling.
func (l *Ladder) Live(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live = w
	l.print(l.head())
}

func (l *Ladder) join(at netip.AddrPort, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.address[at], l.phones[at] = name, true
	l.column(name)
}

// tell is called by a phone for what it sent or received.
func (l *Ladder) tell(phone, from, to netip.AddrPort, raw []byte, m *message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if phone == to && l.phones[from] {
		return
	}
	text := caption(m)
	if key := from.String() + to.String() + string(raw); l.seen[key] {
		text += " (again)"
	} else {
		l.seen[key] = true
	}
	e := entry{at: time.Now(), n: len(l.entries), from: l.nameOf(from), to: l.nameOf(to), text: text}
	e.phone = l.column(l.nameOf(phone))
	known := len(l.names)
	l.column(e.from)
	l.column(e.to)
	l.entries = append(l.entries, e)
	if len(l.names) > known {
		l.print(l.head())
	}
	l.print(l.rung(e))
}

func (l *Ladder) print(s string) {
	if l.live != nil {
		fmt.Fprint(l.live, s)
	}
}

func (l *Ladder) nameOf(at netip.AddrPort) string { return cmp.Or(l.address[at], "switch") }

func (l *Ladder) column(name string) int {
	i := slices.Index(l.names, name)
	if i < 0 {
		i = len(l.names)
		l.names = append(l.names, name)
	}
	return i
}

// String is the drawing. Messages told at one instant are ordered by the phone
// that told them, so that the scheduler does not show.
func (l *Ladder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	sorted := slices.Clone(l.entries)
	slices.SortStableFunc(sorted, func(a, b entry) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.phone, b.phone), cmp.Compare(a.n, b.n))
	})
	var b strings.Builder
	b.WriteString(l.head())
	for _, e := range sorted {
		b.WriteString(l.rung(e))
	}
	return b.String()
}

const columnWidth = 40

func (l *Ladder) head() string {
	var b strings.Builder
	for _, n := range l.names {
		fmt.Fprintf(&b, "%-*s", columnWidth, n)
	}
	return strings.TrimRight(b.String(), " ") + "\n" + l.bars() + "\n"
}

func (l *Ladder) bars() string {
	return strings.TrimRight(strings.Repeat(fmt.Sprintf("%-*s", columnWidth, "  |"), len(l.names)), " ")
}

func (l *Ladder) rung(e entry) string {
	from, to := l.column(e.from), l.column(e.to)
	line := []rune(l.bars())
	left, right := min(from, to)*columnWidth+3, max(from, to)*columnWidth+1
	if left >= right {
		return string(line) + " " + e.text + "\n"
	}
	room := right - left + 1
	text := []rune(e.text)
	if len(text) > room-8 {
		text = append(text[:room-9], '…')
	}
	dashes := strings.Repeat("-", room-5-len(text))
	arrow := "-- " + string(text) + " " + dashes + ">"
	if from > to {
		arrow = "<" + dashes + " " + string(text) + " --"
	}
	copy(line[left:], []rune(arrow))
	return string(line) + "\n"
}

// caption is what is written on the arrow.
func caption(m *message) string {
	var parts []string
	if m.code > 0 {
		parts = []string{fmt.Sprint(m.code), m.reason}
		if _, method := m.cseq(); method != "INVITE" {
			parts = append(parts, "("+method+")")
		}
	} else {
		parts = []string{m.method}
		if user := userOf(m.uri); user != "" {
			parts = append(parts, user)
		}
		if m.get("Authorization")+m.get("Proxy-Authorization") != "" {
			parts = append(parts, "auth")
		}
		if r := m.get("Reason"); r != "" {
			protocol, _, _ := strings.Cut(r, ";")
			parts = append(parts, protocol, param(r, "cause"))
		}
	}
	if m.hasSDP() {
		parts = append(parts, "sdp")
		if s, err := parseSDP(m.body); err == nil && s.direction != SendRecv {
			parts = append(parts, s.direction)
		}
	}
	return strings.Join(parts, " ")
}

// Golden compares a drawing with the file it was kept in, or keeps it when
// update is set. The error shows the first line that differs.
func Golden(path, got string, update bool) error {
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // test data
			return err
		}
		return os.WriteFile(path, []byte(got), 0o644) //nolint:gosec // test data
	}
	b, err := os.ReadFile(path) //nolint:gosec // a test names the file
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist; it would be\n%s", path, got)
	}
	if err != nil {
		return err
	}
	want, have := strings.Split(string(b), "\n"), strings.Split(got, "\n")
	for i := range max(len(want), len(have)) {
		if i >= len(want) || i >= len(have) || want[i] != have[i] {
			return fmt.Errorf("%s differs from line %d on; it is now\n%s", path, i+1, got)
		}
	}
	return nil
}
