// Package speech turns text into sound. Providers (flite and espeak-ng, run as
// programs of their own) stand behind one interface; a Speaker asks them in
// the order that fits the language and keeps what they made on disk.
//
// It owns text, voices and the cache, and knows nothing of calls: which prompt
// is a text and which is a file is for ivr to say.
//
// It starts no goroutines that outlive a call of Say. At most a few programs
// run at a time, whatever the number of callers.
package speech
