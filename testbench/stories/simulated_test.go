package stories_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// clockOnly is what only a clock can know of an attempt.
var clockOnly = regexp.MustCompile(` after [0-9.]+[a-zµ]*s?\b`)

// traceLines is what a trace says.
func traceLines(d doc) string {
	var lines []string
	for _, step := range d.list("steps") {
		step := doc(step.(map[string]any))
		lines = append(lines, step.str("kind")+": "+clockOnly.ReplaceAllString(step.str("text"), ""))
	}
	return strings.Join(lines, "\n")
}

// scenario is a call that is made and simulated.
type scenario struct {
	name, routing string
	options       string // of ivr_main
	keys          string
	far           []int // what the far ends say: 200 talks and hangs up
}

// What a simulation says is what a call does: for each of these the trace of a
// real call and that of the simulated one are the same, step by step.
func TestSimulatedTraceIsThatOfTheCall(t *testing.T) {
	fallback := func(rule, kind, to string) string {
		return strings.TrimSuffix(rule, "}") + fmt.Sprintf(`, "fallback": {"timeout": 5, "action": %q, "action_id": %q}}`, kind, to)
	}
	where := func(rule, conditions string) string {
		return strings.TrimSuffix(rule, "}") + `, "conditions": ` + conditions + `}`
	}
	menu, number, bye := rule("*", "ivr_main", "ivr_menu"), rule("*", sales, "phone_number"), rule("*", "bye", "hangup")
	scenarios := []scenario{
		{"a number that answers", number, "", "", []int{200}},
		{"busy", number, "", "", []int{486}},
		{"busy with a fallback", fallback(number, "phone_number", support), "", "", []int{486, 200}},
		{"busy, then the next rule", number + "," + rule("*", support, "phone_number"), "", "", []int{486, 200}},
		{"refused, and so is the fallback", fallback(number, "phone_number", support), "", "", []int{603, 404}},
		{"unreachable, then hung up", fallback(number, "hangup", "later"), "", "", []int{503}},
		{"a key that is an option", menu, option("1", sales, "phone_number"), "1", []int{200}},
		{"a key that is a rule", menu + "," + rule("2", sales, "phone_number"), option("1", support, "phone_number"), "2", []int{200}},
		{"a short and a long pattern", menu + "," + rule("1", sales, "phone_number") + "," + rule("1[0-9]", support, "phone_number"), "", "15", []int{200}},
		{"the short one after a wait", menu + "," + rule("1", sales, "phone_number") + "," + rule("1[0-9]", support, "phone_number"), "", "1", []int{200}},
		{"a key whose number is busy, then its next rule", menu + "," + rule("1", sales, "phone_number") + "," + rule("1", support, "phone_number"), "", "1", []int{486, 200}},
		{"a key that hangs up", menu, option("1", "done", "hangup"), "1", nil},
		{"silence to the end", menu + "," + bye, option("1", sales, "phone_number"), "", nil},
		{"silence with a fallback", fallback(menu, "phone_number", sales), option("1", support, "phone_number"), "", []int{200}},
		{"a rejected caller", where(rule("*", "busy", "reject"), `{"blocked_numbers": ["`+caller+`"]}`) + "," + number, "", "", nil},
		{"a screen that lets the caller pass", where(rule("*", "busy", "reject"), `{"blocked_numbers": ["+49*"]}`) + "," + number, "", "", []int{200}},
		{"a menu that does not exist", rule("*", "nowhere", "ivr_menu") + "," + number, "", "", []int{200}},
		{"hours that do not hold", where(bye, `{"calendar": "never"}`) + "," + number, "", "", []int{200}},
	}
	for _, code := range []int{403, 404, 410, 480, 484, 486, 500, 503, 600, 603, 604, 607} {
		scenarios = append(scenarios,
			scenario{fmt.Sprintf("%d and nothing behind it", code), number, "", "", []int{code}},
			scenario{fmt.Sprintf("%d with a fallback", code), fallback(number, "phone_number", support), "", "", []int{code, 200}},
			scenario{fmt.Sprintf("%d, then the next rule hangs up", code), number + "," + bye, "", "", []int{code}},
			scenario{fmt.Sprintf("%d of a key, then the next rule", code), menu + "," + rule("1", support, "phone_number"), option("1", sales, "phone_number"), "1", []int{code, 200}})
	}
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.create("/v2/calendars", `{"calendar_id": "never", "name": "never", "timezone": "UTC", "hours": []}`)
				s.menu("ivr_main", "Hello.", `, "max_attempts": 1, "options": [`+c.options+`]`)
				flow := s.flow(c.routing).str("call_flow_id")
				a, b := s.parties()
				in := s.calls(a, did)
				if c.keys != "" {
					s.until(in, phone.Established)
					pass(time.Second)
					_ = in.SendDigits(s.soon(), c.keys) // a key may end the call while it is pressed
				}
				outcomes := map[string][]string{}
				for _, code := range c.far {
					out := s.next(b)
					to := sales
					if strings.Contains(out.To(), support) {
						to = support
					}
					outcomes[to] = append(outcomes[to], fmt.Sprint(code))
					if code != 200 {
						s.must(out.Reject(code))
						continue
					}
					s.must(out.Accept())
					s.until(in, phone.Established)
					pass(time.Second)
					s.hangsUp(out)
				}
				s.over(in)
				pass(time.Second)
				record := doc(s.get("/v2/calls").list("data")[0].(map[string]any))
				id := record.str("call_id")
				given, err := json.Marshal(map[string]any{"from": caller, "at": record.str("initiated_at"), "digits": c.keys, "outcomes": outcomes})
				s.must(err)
				real := traceLines(s.get("/v2/calls/" + id + "/trace"))
				simulated := traceLines(s.api(http.MethodPost, "/v2/call-flows/"+flow+"/simulate", string(given), http.StatusOK))
				if real != simulated || real == "" {
					s.Errorf("the call\n%s\nthe simulation\n%s", real, simulated)
				}
				s.counted(flow, given)
			}, undrawn)
		})
	}
}

// counted compares what the call has left in the coverage of its flow with what a
// test of the same call covers.
func (s *stage) counted(flow string, given []byte) {
	s.Helper()
	s.api(http.MethodPatch, "/v2/call-flows/"+flow, `{"tests": [{"name": "the call", "given": `+string(given)+`, "expect": {"avoids": ["elsewhere"]}}]}`, http.StatusOK)
	for _, one := range s.get("/v2/call-flows/" + flow + "/coverage").list("branches") {
		if b := doc(one.(map[string]any)); (b.num("calls") > 0) != (len(b.list("tests")) > 0) || b.num("calls") > 0 && b.time("last_at").IsZero() {
			s.Errorf("%s: %v calls, tests %v", b.str("path"), b.num("calls"), b.list("tests"))
		}
	}
}
