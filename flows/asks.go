package flows

import "slices"

// Webhooks are the routing webhooks that calls to a flow can come to.
func (p *Plan) Webhooks(f *CallFlow) (urls []string) {
	for _, r := range p.askers(f) {
		if !slices.Contains(urls, r.Destination) {
			urls = append(urls, r.Destination)
		}
	}
	return urls
}

// Asks is the rule of a flow that asks a webhook, with its fallback and for any
// call; one made of the option or the fallback that does, when there is none.
func (p *Plan) Asks(f *CallFlow, url string) Rule {
	for _, r := range p.askers(f) {
		if r.Destination == url {
			return r
		}
	}
	return Rule{Pattern: catchAllIs, Destination: url, DestinationType: ToWebhook}
}

func (p *Plan) askers(f *CallFlow) (list []Rule) {
	root := p.compile(f)
	for _, r := range f.Routing {
		if r.DestinationType == ToWebhook {
			list = append(list, Rule{Pattern: catchAllIs, Destination: r.Destination, DestinationType: ToWebhook, Fallback: r.Fallback})
		}
	}
	places := root.places(false)
	for _, m := range p.presents(root) {
		places = append(places, m.places()...)
	}
	for _, d := range places {
		if d.kind == ToWebhook {
			list = append(list, Rule{Pattern: catchAllIs, Destination: d.to, DestinationType: ToWebhook})
		}
	}
	return list
}
