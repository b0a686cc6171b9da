package stories_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/media/audio"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// conversation is one after the other and both at once: the caller at 1 s, the
// other party at 3 s, both at 5 s, each for a second; it lasts 7 s.
func (s *stage) conversation(in, out *phone.Call) {
	pass(time.Second)
	in.SendTone(callerTone, toneLevel, time.Second)
	pass(2 * time.Second)
	out.SendTone(salesTone, toneLevel, time.Second)
	pass(2 * time.Second)
	in.SendTone(callerTone, toneLevel, time.Second)
	out.SendTone(salesTone, toneLevel, time.Second)
	pass(2 * time.Second)
}

// recorded holds one channel of a recorded conversation to what was said.
func (s *stage) recorded(pcm []int16, caller, sales bool) {
	s.Helper()
	for _, party := range []struct {
		name  string
		tone  float64
		there bool
		alone time.Duration
	}{{"caller", callerTone, caller, time.Second}, {"sales", salesTone, sales, 3 * time.Second}} {
		for _, at := range []time.Duration{time.Second, 3 * time.Second, 5 * time.Second} {
			w := sound.Window(pcm, at+250*time.Millisecond, 500*time.Millisecond)
			if party.there && (at == party.alone || at == 5*time.Second) {
				s.level(party.name+" at "+at.String(), w, party.tone, toneLevel)
			} else {
				s.quiet(party.name+" at "+at.String(), w, party.tone)
			}
		}
		if party.there {
			for _, span := range sound.Tones(pcm[:min(len(pcm), sound.Samples(4500*time.Millisecond))], party.tone, toneLevel-3) {
				if d := span.From - party.alone; d < -100*time.Millisecond || d > 100*time.Millisecond {
					s.Errorf("%s begins at %v", party.name, span.From)
				}
			}
		}
	}
	if d := sound.Time(len(pcm)); d < 6900*time.Millisecond || d > 7300*time.Millisecond {
		s.Errorf("the recording lasts %v", d)
	}
}

// The page's PATCH, and the call after it.
func TestRecordingOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		made := s.create("/v2/call-flows", `{"call_flow_id": "cf_abc123", "name": "Support Line", "phone_number": "`+did+`", "routing": [`+toSales+`]}`)
		path, body := s.fromPage(http.MethodPatch, "recording")
		if got := s.api(http.MethodPatch, path, body, http.StatusOK); got.num("revision") != made.num("revision")+1 {
			s.Errorf("%v", got)
		}
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.conversation(in, out)
		s.hangsUp(in)
		s.over(out)
		done := s.event("recording.completed")
		s.event("call.completed")
		if told := strings.Join(s.told(), " "); strings.Index(told, "recording.started") > strings.Index(told, "recording.completed") {
			s.Errorf("told in this order: %s", told)
		}
		row := s.get("/v2/recordings/" + done.str("recording_id"))
		if row.str("status") != "completed" || row.str("format") != "mp3" || row.num("channels") != 1 || row.str("call_id") != done.str("call_id") ||
			row.num("duration") < 6.9 || row.num("duration") > 7.3 {
			s.Errorf("%v", row)
		}
		file := s.download(row.str("audio_url"))
		if float64(len(file)) != row.num("size") {
			s.Errorf("%d bytes, want %v", len(file), row.num("size"))
		}
		s.recorded(s.clip(file), true, true)
		if list := s.get("/v2/calls/" + done.str("call_id")).list("recordings"); len(list) != 1 || list[0] != done.str("recording_id") {
			s.Errorf("%v", list)
		}
	})
}

// Who is on the recording, and how.
func TestKindsOfRecording(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/call-flows", `{"call_flow_id": "cf_rec", "name": "x", "phone_number": "`+did+`", "routing": [`+toSales+`]}`)
		a, b := s.parties()
		for settings, on := range map[string][]string{
			`"participant": "caller"`:                  {"caller"},
			`"participant": "callee"`:                  {"sales"},
			`"format": "wav"`:                          {"both"},
			`"format": "wav", "channels": "dual"`:      {"caller", "sales"},
			`"format": "mp3", "channels": "dual"`:      {"caller", "sales"},
			`"format": "mp3", "participant": "all"`:    {"both"},
			`"format": "wav", "participant": "caller"`: {"caller"},
		} {
			// null takes away what the settings before had said (RFC 7396).
			s.api(http.MethodPatch, "/v2/call-flows/cf_rec", `{"recording": null}`, http.StatusOK)
			s.api(http.MethodPatch, "/v2/call-flows/cf_rec", `{"recording": {"enabled": true, `+settings+`}}`, http.StatusOK)
			in := s.calls(a, did)
			out := s.answers(b)
			s.until(in, phone.Established)
			s.conversation(in, out)
			s.hangsUp(in)
			s.over(out)
			file := s.download("/v2/recordings/" + s.event("recording.completed").str("recording_id") + "/audio")
			s.event("call.completed")
			channels := s.channels(file)
			if len(channels) != len(on) {
				s.Errorf("%s: %d channels", settings, len(channels))
				continue
			}
			for i, who := range on {
				s.recorded(channels[i], who != "sales", who != "caller")
			}
			s.customer.forget()
		}
	}, undrawn)
}

// channels decodes all channels of a file.
func (s *stage) channels(file []byte) (all [][]int16) {
	s.Helper()
	snd, err := audio.DecodeSound(bytes.NewReader(file), audio.Limits{})
	s.must(err)
	for c := range snd.Channels {
		one := audio.Clip{Rate: snd.Rate}
		for i := c; i < len(snd.Samples); i += snd.Channels {
			one.Samples = append(one.Samples, snd.Samples[i])
		}
		all = append(all, one.Resample(sound.Rate).Samples)
	}
	return all
}

// wav is a file with a tone.
func wav(freq, level float64, length time.Duration) []byte {
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, audio.Clip{Rate: sound.Rate, Samples: sound.Tone(freq, level, length)}); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.Bytes()
}

// The API records, pauses, goes on and stops. What is said in the pause is not
// kept, and keeps its place.
func TestRecordingByCommand(t *testing.T) {
	story(t, func(s *stage) {
		a, _ := s.parties()
		in, id := s.taken(a)
		if e := s.command(id, "record/stop", "", http.StatusConflict); e.str("error") != "invalid_call_state" {
			s.Errorf("%v", e)
		}
		started := s.command(id, "record", `{"format": "mp3"}`, http.StatusOK)
		rec := started.str("recording_id")
		say := func() { in.SendTone(callerTone, toneLevel, time.Second); pass(2 * time.Second) }
		pass(time.Second)
		say()
		s.command(id, "record/pause", "", http.StatusOK)
		if row := s.get("/v2/recordings/" + rec); row.str("status") != "paused" {
			s.Errorf("%v", row)
		}
		say()
		s.command(id, "record/resume", "", http.StatusOK)
		say()
		s.command(id, "record/stop", "", http.StatusOK)
		say()
		s.command(id, "record/start", `{"format": "wav"}`, http.StatusOK)
		pass(time.Second)
		s.hangsUp(in)
		s.event("call.completed")
		pcm := s.clip(s.download("/v2/recordings/" + rec + "/audio"))
		for i, there := range []bool{true, false, true} {
			at := time.Second + time.Duration(i)*2*time.Second
			w := sound.Window(pcm, at+250*time.Millisecond, 500*time.Millisecond)
			if there {
				s.level("at "+at.String(), w, callerTone, toneLevel)
			} else {
				s.quiet("at "+at.String(), w, callerTone)
			}
		}
		if d := sound.Time(len(pcm)); d < 6900*time.Millisecond || d > 7300*time.Millisecond {
			s.Errorf("the recording lasts %v", d)
		}
		var told []string
		for _, e := range s.told() {
			if strings.HasPrefix(e, "recording.") {
				told = append(told, strings.TrimPrefix(e, "recording."))
			}
		}
		if got := strings.Join(told, " "); got != "started paused resumed completed started completed" {
			s.Errorf("told of %s", got)
		}
		if list := s.get("/v2/recordings?call_id=" + id).list("data"); len(list) != 2 {
			s.Errorf("%d recordings", len(list))
		}
	}, undrawn)
}
