// Package sound measures sound in numbers, for tests: how loud a tone is, what
// frequency it has, when it begins and where there are gaps.
//
// Sound is 16-bit PCM at 8 kHz. Levels are in dBm0 (ITU-T G.711: full scale of a
// sine is +3.14 dBm0). The functions are pure and start nothing.
package sound
