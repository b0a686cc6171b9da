// Package prompts keeps the sounds that callers hear: uploaded, recorded on a
// call, made of a text, or fetched from a URL.
//
// It owns the files of stored prompts, one WAV file each of 8 or 16 kHz under a
// name of its own making, and how a stranger's file becomes one: decoded by few
// at a time, with a deadline, in bounded memory, and never kept as it came. What
// is known of a prompt is a row in store; a file appears before its row and goes
// after it, so that no row is ever without its file, and files without a row are
// removed at the next start. Which prompt is played when is not its business.
//
// It starts no goroutines; Warmer.Run speaks what is saved, one at a time, on that
// of its caller.
package prompts
