package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"b2bua/flows/picture"
)

type (
	pictureInput struct {
		ByID
		View     string    `query:"view" doc:"A week, or a year" enum:"week,year" default:"week"`
		From     time.Time `query:"from" doc:"Day to begin with, for a year its month; today when left out"`
		Caller   string    `query:"caller" doc:"Number of the caller; one that is in no list when left out"`
		Revision int       `query:"revision" doc:"Revision to look at; the newest when left out" minimum:"0"`
	}
	pictureReply struct {
		ContentType string `header:"Content-Type"`
		Security    string `header:"Content-Security-Policy"`
		Body        []byte
	}
)

// pictureRoutes are drawings of flows.
func (s *Server) pictureRoutes() {
	row := func(path, id, summary, about string) operation {
		return operation{method: http.MethodGet, path: flowsPath + "/{id}" + path, id: id, summary: summary, description: about,
			tag: "Call flows", noun: "Call flow", replyType: "image/svg+xml", reply: reflect.TypeFor[string]()}
	}
	register(s, row("/graph", "drawCallFlow", "Draw a call flow",
		"An SVG picture of its rules, and of the menus, queues and flows that they lead to, light or dark as the reader prefers."),
		func(_ context.Context, in *ByID) (*pictureReply, error) {
			plan := s.Store.Plan()
			f := plan.Flow(in.ID)
			if f == nil {
				return nil, notFound("Call flow")
			}
			return svg(picture.Graph(plan, f)), nil
		})
	register(s, row("/calendar.svg", "drawCallFlowCalendar", "Draw where calls go over a week or a year",
		"The same as GET …/calendar, as an SVG picture: hours from top to bottom, holidays and changes of clocks marked."), s.drawCalendar)
}

func svg(body []byte) *pictureReply {
	// Nothing in it runs or is loaded, even if a browser is led to it.
	return &pictureReply{"image/svg+xml; charset=utf-8", "default-src 'none'; style-src 'unsafe-inline'", body}
}

func (s *Server) drawCalendar(ctx context.Context, in *pictureInput) (*pictureReply, error) {
	plan := s.Store.Plan()
	f := plan.Flow(in.ID)
	if f == nil {
		return nil, notFound("Call flow")
	}
	now := s.now()
	if in.From.IsZero() {
		in.From = now
	}
	zone := plan.Zone(f)
	year, month, day := in.From.In(zone).Date()
	span := timelineInput{ByID: in.ByID, Caller: in.Caller, Revision: in.Revision}
	span.From, span.To = time.Date(year, month, day, 0, 0, 0, 0, zone), time.Date(year, month, day+7, 0, 0, 0, 0, zone)
	if in.View == "year" {
		span.From, span.To = time.Date(year, month, 1, 0, 0, 0, 0, zone), time.Date(year+1, month, 1, 0, 0, 0, 0, zone)
	}
	out, err := s.timeline(ctx, &span)
	if err != nil {
		return nil, err
	}
	t := out.Body
	if in.View == "year" {
		return svg(picture.Year(f.Name, &t, zone)), nil
	}
	return svg(picture.Week(f.Name, &t, zone)), nil
}
