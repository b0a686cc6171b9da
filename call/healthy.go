package call

// healthyFirst puts the trunks that are known to be down behind the others: no
// caller waits for one of them while there is another way.
func (s *System) healthyFirst(rounds [][]target) [][]target {
	if s.Healthy == nil {
		return rounds
	}
	var up, down [][]target
	for _, r := range rounds {
		if s.Healthy(r[0].trunk.ID) {
			up = append(up, r)
		} else {
			down = append(down, r)
		}
	}
	return append(up, down...)
}
