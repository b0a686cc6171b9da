// Package saying writes dates, times, amounts and digits as they are spoken, in
// English, German, French and Spanish; other languages get English words, as they
// do everywhere in the switch.
//
// It owns what a speech program reads wrongly: 2026-01-15, 15:04 and 12.50 EUR.
// Plain numbers are left as figures, which every speech program reads well. Whole
// sentences belong to the rooms that say them.
//
// It is pure and has no goroutines.
package saying
