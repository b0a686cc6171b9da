// Package capture keeps the SIP messages of calls for whoever has to find out
// afterwards what happened on the wire, draws them as a ladder, writes them as a
// pcap file, and sends copies to a HEP collector.
//
// It owns: a bounded memory of messages by Call-ID, what must not be shown in
// them (answers to digest challenges, SRTP keys, digits in INFO bodies), and the
// three formats. It does not own: which Call-IDs make up a call (call knows), or
// what the messages mean (sip).
//
// Goroutines: none of its own; Exporter.Run is one, started by whoever made it.
package capture
