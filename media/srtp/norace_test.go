//go:build !race

package srtp

const poolLoss = 0
