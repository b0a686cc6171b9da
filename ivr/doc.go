// Package ivr is the voice menu: prompts out, digits in. It plays prompts on a
// media session, collects digits into a type-ahead buffer, runs menus with
// their attempts, and takes voicemail messages.
//
// It owns the rules of collecting (a pure machine, Collector), the dialogue
// around it (Desk) and where prompts come from (PromptLoader). It knows no
// SIP, decides no destination (flows does) and writes no files: the recording
// of a message is handed in.
//
// It starts no goroutines. Keypad.Press is called from the call's loop and
// never blocks; the methods of Desk run on the flow's goroutine, block, and
// return early when their context ends.
package ivr
