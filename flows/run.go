package flows

import "context"

// Run walks the call through env.Flow from its arrival to its end. With no flow
// the call rings for API control. When all routing attempts failed the caller
// has been told (Caller.Apologise) by the time it returns. Otherwise it returns
// when there is nothing more to do, and an answered call is to be hung up.
func Run(ctx context.Context, env Env) Ending {
	w := newWalk(ctx, &env)
	var ending Ending
	if env.Flow == nil {
		ending = w.finish(w.unrouted())
	} else {
		ending = w.finish(w.flow(env.Flow))
	}
	if ending.Failed {
		env.Caller.Apologise(ctx, ending.Last)
	}
	return ending
}

// RunDestination takes the call to one destination, with its fallback: a
// transfer, or a device that calls a number. The pattern and the conditions of
// d are not looked at; env.Flow only gives the digit rules and the time zone,
// and may be nil. A failure is left to whoever asked, who may give the call back
// to the API or end it: nobody apologises here.
func RunDestination(ctx context.Context, env Env, d Rule) Ending {
	w := newWalk(ctx, &env)
	return w.finish(w.requested(d))
}
