package stories_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// beepTone says that a recording begins.
const beepTone = 1400.0

// talking is a call to sales that is up.
func (s *stage) talking() (in, out *phone.Call, id string) {
	s.Helper()
	a, b := s.parties()
	in = s.calls(a, did)
	out = s.answers(b)
	s.until(in, phone.Established)
	return in, out, s.event("call.bridged").str("call_id")
}

// sound is the audio of a recording.
func (s *stage) sound(id string) []byte {
	s.Helper()
	return s.download("/v2/recordings/" + id + "/audio")
}

// Both parties hear that they are recorded; the recording does not.
func TestBeepOfARecording(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		in, out, id := s.talking()
		pass(time.Second)
		rec := s.command(id, "record", `{"beep": true, "format": "wav", "announce": "This call is recorded."}`, http.StatusOK).str("recording_id")
		pass(10 * time.Second)
		for who, c := range map[string]*phone.Call{"caller": in, "sales": out} {
			spans := sound.Tones(c.Heard(), beepTone, -30)
			if len(spans) != 1 || spans[0].Length() < 300*time.Millisecond || spans[0].Length() > 500*time.Millisecond {
				s.Errorf("the %s hears the tone at %v", who, spans)
				continue
			}
			if said := sound.Loud(c.Heard()[:sound.Samples(spans[0].From)], -40, time.Second); len(said) == 0 || said[0].Length() < 500*time.Millisecond {
				s.Errorf("the %s hears before the tone: %v", who, said)
			}
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		pcm := s.clip(s.sound(rec))
		if loud := sound.Loud(pcm, -40, 50*time.Millisecond); len(loud) == 0 || loud[0].From < 9*time.Second {
			s.Errorf("the recording has %v", loud)
		}
	}, undrawn)
}

// A recording that begins with the conversation has nothing of what was before.
func TestRecordingFromTheBridge(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", "")
		s.create("/v2/call-flows", `{"name": "x", "phone_number": "`+did+`", "routing": [`+rule("*", "ivr_main", "ivr_menu")+","+rule("1", sales, "phone_number")+`],
			"recording": {"enabled": true, "format": "wav", "start": "on_bridge"}}`)
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(5 * time.Second)
		if n := s.count("recording.started"); n != 0 {
			s.Errorf("%d recordings in the menu", n)
		}
		s.presses(in, "1")
		out := s.answers(b)
		s.conversation(in, out)
		s.hangsUp(in)
		s.over(out)
		done := s.event("recording.completed")
		s.event("call.completed")
		s.recorded(s.clip(s.sound(done.str("recording_id"))), true, true)
	}, undrawn)
}

// Several recordings of a call are each their own, and as they were asked for.
func TestSeveralRecordingsAtOnce(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		in, out, id := s.talking()
		start := func(how string) string { return s.command(id, "record", how, http.StatusOK).str("recording_id") }
		whole := start(`{"format": "wav", "channels": "dual", "sample_rate": 16000}`)
		skipped := start(`{"sample_rate": 24000, "bitrate": 40000, "pause_mode": "skip"}`)
		which := func(rec string) string { return `{"recording_id": "` + rec + `"}` }
		s.command(id, "record/pause", which(skipped), http.StatusOK)
		pass(4 * time.Second)
		s.command(id, "record/resume", which(skipped), http.StatusOK)
		s.conversation(in, out)
		s.command(id, "record/stop", which(skipped), http.StatusOK)
		s.command(id, "record/stop", which(skipped), http.StatusConflict)
		s.command(id, "record/pause", which("rec_nobody"), http.StatusConflict)
		if row := s.get("/v2/recordings/" + whole); row.str("status") != "recording" {
			s.Errorf("%v", row)
		}
		s.command(id, "record", `{"format": "wav", "bitrate": 64000}`, http.StatusBadRequest)
		s.command(id, "record", `{"sample_rate": 11025}`, http.StatusBadRequest)
		pass(2 * time.Second)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		s.recorded(s.clip(s.sound(skipped)), true, true)
		if row := s.get("/v2/recordings/" + skipped); row.num("sample_rate") != 24000 || row.num("bitrate") != 40000 {
			s.Errorf("%v", row)
		}
		row := s.get("/v2/recordings/" + whole)
		if d := row.num("duration"); d < 12.8 || d > 13.4 || row.num("sample_rate") != 16000 || row.num("channels") != 2 {
			s.Errorf("%v", row)
		}
		if list := s.get("/v2/calls/" + id).list("recordings"); len(list) != 2 {
			s.Errorf("%v", list)
		}
	}, undrawn)
}

// What there is of a recording can be had while it goes on, in ranges too; a part
// of what it was is not stuck to a part of what it is.
func TestRecordingIsFetchedAsItGrows(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		in, out, id := s.talking()
		for _, format := range []string{"wav", "mp3"} {
			rec := s.command(id, "record", `{"format": "`+format+`"}`, http.StatusOK).str("recording_id")
			path := "/v2/recordings/" + rec + "/audio"
			in.SendTone(callerTone, toneLevel, 20*time.Second)
			pass(5 * time.Second)
			early := s.request(http.MethodGet, path, "")
			tag, length := early.Header().Get("ETag"), early.Body.Len()
			if d := sound.Time(len(s.clip(early.Body.Bytes()))); d < 4*time.Second || d > 5100*time.Millisecond {
				s.Errorf("%s: %v after 5 s", format, d)
			}
			pass(5 * time.Second)
			for _, ask := range []struct {
				match string
				code  int
			}{{"", http.StatusPartialContent}, {tag, http.StatusOK}} {
				headers := []string{"Range", fmt.Sprintf("bytes=%d-", length)}
				if ask.match != "" {
					headers = append(headers, "If-Range", ask.match)
				}
				got := s.request(http.MethodGet, path, "", headers...)
				if got.Code != ask.code || got.Header().Get("ETag") == tag || got.Body.Len() < length/2 {
					s.Errorf("%s: range if %q: %d, %d bytes, %s", format, ask.match, got.Code, got.Body.Len(), got.Header().Get("ETag"))
				}
			}
			wave := s.get("/v2/recordings/" + rec + "/waveform?points=10")
			if d := wave.num("duration"); d < 4 || d > 10.1 || wave.str("status") != "recording" {
				s.Errorf("%v", wave)
			}
			s.command(id, "record/stop", "", http.StatusOK)
			last := s.request(http.MethodGet, path, "")
			if again := s.request(http.MethodGet, path, "", "If-None-Match", last.Header().Get("ETag")); again.Code != http.StatusNotModified {
				s.Errorf("%s: complete, and asked again: %d", format, again.Code)
			}
			pic := s.request(http.MethodGet, "/v2/recordings/"+rec+"/waveform.svg", "")
			if pic.Code != http.StatusOK || pic.Header().Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(pic.Body.String(), "<svg ") {
				s.Errorf("%s: picture: %d %.100s", format, pic.Code, pic.Body)
			}
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// A flow's own retention counts, and else the configured one; a file that somebody
// else has removed is told as absent.
func TestRecordingsAreKeptAsLongAsAskedFor(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		in, out, id := s.talking()
		start := func(how string) string { return s.command(id, "record", how, http.StatusOK).str("recording_id") }
		long, short, plain := start(`{"retention_days": 9}`), start(`{"retention_days": 1}`), start(`{}`)
		pass(3 * time.Second)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		row := s.get("/v2/recordings/" + long)
		if d := row.time("expires_at").Sub(row.time("started_at")); d != 9*24*time.Hour {
			s.Errorf("%v", row)
		}
		there := func(want ...bool) {
			s.Helper()
			pass(15 * time.Second)
			for i, rec := range []string{long, short, plain} {
				_, err := os.Stat(filepath.Join(s.cfg.RecordingsDir(), rec+".mp3"))
				code := s.request(http.MethodGet, "/v2/recordings/"+rec, "").Code
				if (code == http.StatusOK) != want[i] || (err == nil) != want[i] {
					s.Errorf("recording %d: %d, %v, want it there: %v", i, code, err, want[i])
				}
			}
		}
		there(true, true, true)
		s.setClock(s.now().AddDate(0, 0, 2))
		there(true, false, true)
		s.setClock(s.now().AddDate(0, 0, 3))
		there(true, false, false)
		s.must(os.Remove(filepath.Join(s.cfg.RecordingsDir(), long+".mp3")))
		pass(15 * time.Second)
		if e := s.event("recording.failed"); e.str("status") != "absent" || e.str("recording_id") != long || e.str("call_id") != id {
			s.Errorf("%v", e)
		}
		s.api(http.MethodGet, "/v2/recordings/"+long+"/audio", "", http.StatusNotFound)
		if row := s.get("/v2/recordings/" + long); row.str("status") != "absent" {
			s.Errorf("%v", row)
		}
	}, undrawn, tidy, config(func(c *configs.Config) { c.Recordings.RetentionDays = 4 }))
}

// A folder that cannot be written costs nobody a call; the recording begins when it
// can.
func TestFolderOfRecordingsIsAway(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/call-flows", `{"name": "x", "phone_number": "`+did+`", "routing": [`+toSales+`], "recording": {"enabled": true}}`)
		dir := s.cfg.RecordingsDir()
		s.must(os.Rename(dir, dir+".away"))
		in, out, id := s.talking()
		if e := s.event("recording.failed"); e.str("reason") != "write_failed" || e.str("call_id") != id {
			s.Errorf("%v", e)
		}
		s.command(id, "record", `{}`, http.StatusInternalServerError)
		s.talk(in, out)
		s.must(os.Rename(dir+".away", dir))
		pass(6 * time.Second)
		s.event("recording.started")
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("recording.completed"); e.num("duration") < 1 {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
		if n := s.count("recording.failed"); n != 1 {
			s.Errorf("told of %d failures", n)
		}
	}, undrawn)
}
