// Package recorder writes the sound of a leg to a file: MP3 or WAV, one side
// or both, mixed or apart. A Recording is a media.Tap.
//
// It owns the file, its time line and its format; whose call it is, and where
// recordings are listed, is for call and store. Frames are appended as they
// are made, so that a process killed at any moment leaves a file that plays;
// Recover completes it on the next start.
//
// The recordings of a switch are encoded and written by the goroutines of a Pool,
// one for each processor, which give way to the media; each recording belongs to
// one of them until its last piece is written, and a goroutine of its own completes
// the file. Without a pool a recording has one goroutine, from Start until Done is
// closed. Frame is called on the media clock: it copies into a ring and returns,
// and when the ring is full the frame is dropped and counted.
package recorder
