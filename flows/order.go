package flows

import (
	"cmp"
	"slices"
)

// Order puts trunks into the order in which one call tries them: by priority,
// and within one priority at random, in proportion to their weights, as RFC 2782
// orders servers. pick gives a number from 0 to n-1. Trunks of one priority that
// all have no weight stay in the order they have.
func Order(trunks []*Trunk, pick func(n int) int) []*Trunk {
	list := slices.Clone(trunks)
	slices.SortStableFunc(list, func(a, b *Trunk) int { return cmp.Compare(trunkOrder(a), trunkOrder(b)) })
	for begin := 0; begin < len(list); {
		end := begin + 1
		for end < len(list) && trunkOrder(list[end]) == trunkOrder(list[begin]) {
			end++
		}
		byWeight(list[begin:end], pick)
		begin = end
	}
	return list
}

// byWeight draws one trunk after the other. Those without weight are put first,
// which gives them the small chance that RFC 2782 wants them to have.
func byWeight(list []*Trunk, pick func(n int) int) {
	slices.SortStableFunc(list, func(a, b *Trunk) int { return cmp.Compare(min(a.weight(), 1), min(b.weight(), 1)) })
	sum := 0
	for _, t := range list {
		sum += t.weight()
	}
	for ; sum > 0 && len(list) > 1; list = list[1:] {
		drawn, running, at := pick(sum+1), 0, 0
		for i, t := range list {
			if running += t.weight(); running >= drawn {
				at = i
				break
			}
		}
		chosen := list[at]
		copy(list[1:at+1], list[:at])
		list[0] = chosen
		sum -= chosen.weight()
	}
}

func (t *Trunk) weight() int {
	if t.Outbound == nil {
		return 0
	}
	return t.Outbound.Weight
}
