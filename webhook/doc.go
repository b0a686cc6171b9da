// Package webhook talks HTTP to the customer's systems: it delivers events and
// asks routing webhooks where a call goes.
//
// It owns: the deliverer with its queues, retries and log entries; both
// signature schemes; the routing request with its time budget and breaker; and
// the guarded HTTP client, which is also the one to fetch prompts with.
//
// It does not own: which endpoints there are and what was delivered (store),
// what the events say (events), or what a call does with an answer (flows).
//
// Every connection to an address that a customer named goes through the guard:
// the name is resolved, forbidden addresses (loopback, private, link-local and
// the like) are refused, and the address that was checked is the one dialled,
// so that a name cannot point elsewhere a moment later. Redirects are not
// followed.
//
// Goroutines: Run reads the bus; each endpoint with something to deliver has a
// lane, and a lane at most Config.Parallel requests; one goroutine writes the
// delivery log. Run waits for all of them. A question to a routing webhook runs
// at most two requests, and Ask waits for neither longer than its budget.
package webhook
