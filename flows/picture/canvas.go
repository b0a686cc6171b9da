package picture

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// canvas is an SVG document being drawn. Edges lie below everything else.
type canvas struct {
	edges, body   strings.Builder
	width, height float64
}

// style follows the reader's preference of light or dark.
const style = `
  :root { --page: #f6f7f9; --card: #ffffff; --line: #d8dce3; --text: #1d2430; --soft: #5d6778; --edge: #8a94a6; --row: #eef0f4; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #12151b; --card: #1c212b; --line: #363e4c; --text: #e9edf4; --soft: #9ba6b8; --edge: #6d788b; --row: #262d39; }
  }
  text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--text); }
  .title { font-size: 15px; font-weight: 650; } .soft { fill: var(--soft); font-size: 12px; } .small { font-size: 11px; fill: var(--soft); }
  .key { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-weight: 600; } .on { fill: #ffffff; }
  .page { fill: var(--page); } .card { fill: var(--card); stroke: var(--line); } .chip { fill: var(--row); }
  .rule { stroke: var(--line); } .edge { fill: none; stroke: var(--edge); stroke-width: 1.6; } .else { stroke-dasharray: 5 4; }
  .c0 { fill: #2f6fdb; } .c1 { fill: #178a58; } .c2 { fill: #b3670a; } .c3 { fill: #8249c4; } .c4 { fill: #0c818c; }
  .c5 { fill: #c23d62; } .c6 { fill: #5f6b7c; } .c7 { fill: #7d7a10; } .c8 { fill: #a14a8f; } .c9 { fill: #b3471f; }
  .bad { fill: var(--card); stroke: #d33; stroke-width: 1.5; stroke-dasharray: 4 3; } .lost { fill: #d33; } .loss { fill: url(#loss); }
  .now { stroke: #d33; stroke-width: 1.5; }
`

// escaped is text that stays text: markup and characters that XML does not know
// are taken away.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// fit shortens a text to the width that it may take, by what letters take on
// average.
func fit(text string, width, letter float64) string {
	most := max(1, int(width/letter))
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:most-1]), " ") + "…"
}

func (c *canvas) text(x, y float64, class, text string, width, letter float64) {
	short := fit(text, width, letter)
	if short != text {
		fmt.Fprintf(&c.body, `<text x="%.1f" y="%.1f" class="%s">%s<title>%s</title></text>`+"\n", x, y, class, escaped(short), escaped(text))
		return
	}
	fmt.Fprintf(&c.body, `<text x="%.1f" y="%.1f" class="%s">%s</text>`+"\n", x, y, class, escaped(text))
}

// box is a rectangle; what it stands for is told when somebody points at it.
func (c *canvas) box(x, y, w, h, r float64, class, title string) {
	fmt.Fprintf(&c.body, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f" class="%s">`, x, y, w, h, r, class)
	if title != "" {
		fmt.Fprintf(&c.body, "<title>%s</title>", escaped(title))
	}
	c.body.WriteString("</rect>\n")
	c.width, c.height = max(c.width, x+w), max(c.height, y+h)
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&c.body, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x1, y1, x2, y2, class)
}

// edge is an arrow from the right side of one thing to the left side of another.
// One that leads back goes round below everything between them.
func (c *canvas) edge(x1, y1, x2, y2, low float64, class string) {
	reach := max(40, (x2-x1)/2)
	path := fmt.Sprintf("M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, x1+reach, y1, x2-reach, y2, x2-2, y2)
	if x2 <= x1 {
		path = fmt.Sprintf("M%.1f %.1fh20q12 0 12 12V%.1fq0 12 -12 12H%.1fq-12 0 -12 -12V%.1fq0 -12 12 -12H%.1f",
			x1, y1, low-12, x2-26, y2+12, x2-2)
		c.height = max(c.height, low)
	}
	fmt.Fprintf(&c.edges, `<path d="%s" class="edge %s" marker-end="url(#tip)"/>`+"\n", path, class)
}

// document is the whole picture.
func (c *canvas) document(title string) []byte {
	const margin = 28
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f">`+"\n",
		c.width+margin, c.height+margin, c.width+margin, c.height+margin)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n", escaped(title), style)
	b.WriteString(`<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill: var(--edge)"/></marker>` +
		`<pattern id="loss" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" class="card"/><rect width="3" height="8" class="lost"/></pattern></defs>` + "\n")
	b.WriteString(`<rect width="100%" height="100%" class="page"/>` + "\n")
	b.WriteString(c.edges.String())
	b.WriteString(c.body.String())
	b.WriteString("</svg>\n")
	return []byte(b.String())
}
