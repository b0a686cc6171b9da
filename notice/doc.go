// Package notice tells people of new voicemail messages: by e-mail with the
// audio attached, and by webhook.
//
// It owns: the way through the queue with its repetitions, what an e-mail says
// and how it is built, and the talk with the SMTP server.
//
// It does not own: the queue's file and what a message is (store), who wants to
// be told (flows), or how a webhook is called and signed (webhook).
//
// A notice is kept before anybody is told that there is a message, and goes
// when it was sent, when it is refused for good, or when it is too old. A process
// that is killed between sending and forgetting sends it once more, with the same
// Message-ID or event id.
//
// Goroutines: Run has one, and as many as Config.Parallel that send; it waits for
// all of them.
package notice
