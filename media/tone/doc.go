// Package tone makes call-progress tones: what a caller hears instead of a
// word while a call is set up or cannot be. Every country has its own, and
// callers know theirs by heart.
//
// It owns the table of countries and the samples: exact frequencies, levels in
// dBm0, cadences, 5 ms fades, at any sample rate. The table follows the list
// of tones used in national networks that the ITU keeps (Supplement 2 to
// Recommendations E.180/Q.35, "Various tones used in national networks", and
// its successors in the Operational Bulletin), the North American levels are
// those of the precise audible tone plan (Supplement 3 to the E.300 series),
// the British tones those of BT SIN 350. Where the list gives no level, it is
// -13 dBm0, within the -5 to -15 dBm0 of E.180.
//
// When to play which tone is decided elsewhere; recognising them is media/signal's.
// It starts no goroutines. A Tone may be shared, a Player belongs to one listener.
package tone
