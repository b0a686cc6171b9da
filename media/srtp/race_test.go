//go:build race

package srtp

// poolLoss is how many allocations a packet may cost when the race detector is
// on: it empties pools now and then, and the counter mode keeps a block in one.
const poolLoss = 2
