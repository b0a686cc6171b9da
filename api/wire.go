package api

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/events"
	"b2bua/sip/capture"
)

// Wire remembers the SIP messages of calls, while there is room.
type Wire interface {
	Messages(callIDs ...string) []capture.Message
}

// wireMessage is one SIP message of a call, in short.
type wireMessage struct {
	At        time.Time      `json:"at" doc:"When it crossed our socket"`
	Direction string         `json:"direction" enum:"sent,received" doc:"Seen from the switch"`
	Transport string         `json:"transport" doc:"udp, tcp, tls, ws or wss"`
	Remote    netip.AddrPort `json:"remote" doc:"Address of the far end"`
	SIPCallID string         `json:"sip_call_id" doc:"The leg it belongs to"`
	Summary   string         `json:"summary" doc:"Method and Request-URI, or status code and reason"`
}

// legs are the Call-IDs of a call, each with a name for its far end.
func legs(r *events.CallRecord) (callIDs []string, names map[string]string) {
	names = map[string]string{}
	add := func(callID, name string) {
		if callID == "" || names[callID] != "" {
			return
		}
		callIDs = append(callIDs, callID)
		names[callID] = name
	}
	add(r.SIPCallID, "caller")
	for _, id := range r.ReplacedBy {
		add(id, "caller's other phone")
	}
	for _, a := range r.Attempts {
		add(a.SIPCallID, a.Destination)
	}
	return callIDs, names
}

// onWire is what is remembered of a call's messages, and the ladder of them.
func (s *Server) onWire(r *events.CallRecord) (list []wireMessage, ladder string) {
	list = []wireMessage{}
	if s.Wire == nil {
		return list, ""
	}
	callIDs, names := legs(r)
	ends := map[netip.AddrPort]string{}
	var all []capture.Message
	for _, id := range callIDs {
		for _, m := range s.Wire.Messages(id) {
			if ends[m.Remote] == "" {
				ends[m.Remote] = names[id]
			}
			direction := "received"
			if m.Out {
				direction = "sent"
			}
			all = append(all, m)
			list = append(list, wireMessage{At: m.At.UTC(), Direction: direction, Transport: m.Network, Remote: m.Remote,
				SIPCallID: id, Summary: m.Summary()})
		}
	}
	slices.SortStableFunc(list, func(a, b wireMessage) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(all, func(a, b capture.Message) int { return a.At.Compare(b.At) })
	return list, capture.Ladder(all, func(at netip.AddrPort) string {
		if ends[at] == "" {
			return ""
		}
		return ends[at] + " " + at.String()
	})
}

func (s *Server) wireRoutes() {
	get := operation{method: http.MethodGet, path: callsPath + "/{id}/pcap", id: "getCallPCAP", tag: "Calls", noun: "Call",
		summary: "Get a call's SIP messages as a pcap file"}
	get.description = "For Wireshark and the like. Each message is one UDP datagram, whatever carried it. Answers to digest challenges, " +
		"SRTP keys and digits are blanked. The numbers of callers who withhold " +
		"them are not, so this needs a key with the scope admin. Messages are kept in memory, the newest calls first: an old call may have none left (404)."
	register(s, get, s.callPCAP)
}

func (s *Server) callPCAP(_ context.Context, in *ByID) (*huma.StreamResponse, error) {
	r, err := s.callRecord(in.ID)
	if err != nil {
		return nil, err
	}
	var messages []capture.Message
	if s.Wire != nil {
		callIDs, _ := legs(r)
		messages = s.Wire.Messages(callIDs...)
	}
	if len(messages) == 0 {
		return nil, notFound("Capture")
	}
	var file bytes.Buffer
	if err := capture.WritePCAP(&file, messages); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/vnd.tcpdump.pcap")
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+in.ID+`.pcap"`)
		_, _ = ctx.BodyWriter().Write(file.Bytes()) // the client is gone: nobody to tell
	}}, nil
}
