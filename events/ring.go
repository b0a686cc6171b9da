package events

// ring remembers the last events.
type ring struct {
	size  int
	items []Event
	next  int // where the oldest stands once the ring is full
}

func (r *ring) add(e Event) {
	if len(r.items) < r.size {
		r.items = append(r.items, e)
		return
	}
	r.items[r.next] = e
	r.next = (r.next + 1) % r.size
}

// after lists what came behind the event with this id, oldest first.
func (r *ring) after(id string) (later []Event, found bool) {
	for i := range r.items {
		e := r.items[(r.next+i)%len(r.items)]
		if found {
			later = append(later, e)
		} else if e.ID == id {
			found = true
		}
	}
	return later, found
}
