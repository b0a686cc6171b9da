package capture

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	columnWidth = 34
	timeWidth   = 10
)

// Ladder draws messages as a sequence diagram in text: one column a far end, ours
// behind the first, and a line a message with the seconds since the first one.
// name says who has an address; nil, or an empty answer, shows the address.
func Ladder(messages []Message, name func(netip.AddrPort) string) string {
	if len(messages) == 0 {
		return ""
	}
	var ends []netip.AddrPort
	for _, m := range messages {
		if !slices.Contains(ends, m.Remote) {
			ends = append(ends, m.Remote)
		}
	}
	column := func(m Message) int {
		if i := slices.Index(ends, m.Remote); i > 0 {
			return i + 1
		}
		return 0
	}
	titles := []string{title(ends[0], name), "switch"}
	for _, e := range ends[1:] {
		titles = append(titles, title(e, name))
	}
	var b strings.Builder
	b.WriteString(head(titles))
	begin := messages[0].At
	for _, m := range messages {
		from, to := column(m), 1
		if m.Out {
			from, to = to, from
		}
		fmt.Fprintf(&b, "%*.3f ", timeWidth-1, m.At.Sub(begin).Seconds())
		b.WriteString(row(len(titles), from, to, caption(m)))
	}
	return b.String()
}

func title(at netip.AddrPort, name func(netip.AddrPort) string) string {
	if name != nil {
		if n := name(at); n != "" {
			return n
		}
	}
	return at.String()
}

// caption is short enough for an arrow: no URIs.
func caption(m Message) string {
	text := m.Summary()
	if !bytes.HasPrefix(m.Data, []byte("SIP/2.0 ")) {
		text, _, _ = strings.Cut(text, " ")
		if text == "INVITE" && bytes.Contains(field(m.Data, "to", "t"), []byte("tag=")) {
			text = "re-INVITE"
		}
	} else if method := strings.Fields(string(field(m.Data, "cseq", ""))); len(method) == 2 && method[1] != "INVITE" {
		text += " (" + method[1] + ")"
	}
	if kind := field(m.Data, "content-type", "c"); indexFold(kind, "application/sdp") == 0 && len(body(m.Data)) > 0 {
		text += " SDP"
	}
	return text
}

func head(titles []string) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", timeWidth))
	for _, t := range titles {
		if n := utf8.RuneCountInString(t); n < columnWidth {
			t = strings.Repeat(" ", (columnWidth-n)/2) + t
		}
		fmt.Fprintf(&b, "%-*s", columnWidth, t)
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// row is the arrow of one message among the life lines.
func row(columns, from, to int, text string) string {
	line := []rune(strings.Repeat(" ", columns*columnWidth))
	for c := range columns {
		line[middle(c)] = '|'
	}
	left, right := middle(min(from, to))+1, middle(max(from, to))-1
	for i := left; i <= right; i++ {
		line[i] = '-'
	}
	if to > from {
		line[right] = '>'
	} else {
		line[left] = '<'
	}
	room := right - left - 3
	label := []rune(text)
	if len(label) > room {
		label = append(label[:room-1], '…')
	}
	at := left + (right-left+1-len(label)-2)/2
	for i, r := range slices.Concat([]rune{' '}, label, []rune{' '}) {
		line[at+i] = r
	}
	return strings.TrimRight(string(line), " ") + "\n"
}

func middle(column int) int { return column*columnWidth + columnWidth/2 }
