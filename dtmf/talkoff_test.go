package dtmf

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"b2bua/media/audio"
	"b2bua/media/codec"
)

var seed = flag.Uint64("seed", 7, "another seed, other sound")

var minutes = flag.Float64("minutes", 2, "how much sound without digits TestTalkOff listens to")

// TestTalkOff listens to sound in which nobody presses a key: speech by
// espeak-ng and flite, several speaking at once, music, the tones of exchanges.
//
//	go test -run TalkOff -v ./dtmf -args -minutes 80
func TestTalkOff(t *testing.T) {
	classes := []struct {
		name  string
		share float64 // of the minutes
		most  float64 // per cent of the time that may be suspected
		make  func(r *rand.Rand, n int) ([]float64, error)
	}{
		{"espeak-ng", 0.45, 2, espeak},
		{"flite", 0.25, 1, flite},
		{"babble", 0.1, 2, babble},
		{"music", 0.15, 5, music},
		{"call progress", 0.05, 0.1, progress},
	}
	for i, c := range classes {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			want := int(c.share * *minutes * 60 * 8000)
			r := rand.New(rand.NewPCG(uint64(i), *seed))
			var total, suspect, pieces int
			var hits []string
			for total < want {
				pieces++
				x, err := c.make(r, pieces-1)
				if err != nil {
					t.Fatal(err)
				}
				law := []string{codec.PCMA, codec.PCMU}[pieces%2]
				pcm := levelled(x, -26+18*r.Float64(), law)
				var d Detector
				for f := 0; f+160 <= len(pcm); f += 160 {
					for _, p := range d.Push(nil, pcm[f:f+160]) {
						hits = append(hits, fmt.Sprintf("%c in piece %d at %.2f s", p.Symbol, pieces-1, float64(p.Began)/8000))
					}
					if d.Suspect() {
						suspect++
					}
				}
				total += len(pcm)
			}
			if part := 16000 * float64(suspect) / float64(total); part > c.most {
				t.Errorf("%.2f %% of the time suspected, more than %v", part, c.most)
			}
			t.Logf("%-14s %6.1f minutes in %d pieces: %d keys heard, %.2f %% of the time suspected", c.name, float64(total)/480000, pieces, len(hits), 16000*float64(suspect)/float64(total))
			for _, h := range hits {
				t.Errorf("%s", h)
			}
		})
	}
}

// levelled brings sound to a level and sends it through G.711.
func levelled(x []float64, dbm0 float64, law string) []int16 {
	var energy float64
	for _, v := range x {
		energy += v * v
	}
	gain := 0.0
	if energy > 0 {
		gain = amplitude(dbm0) / math.Sqrt(2*energy/float64(len(x)))
	}
	pcm := make([]int16, len(x))
	for i, v := range x {
		pcm[i] = int16(max(-32768, min(32767, math.Round(gain*v))))
	}
	return g711(pcm, law)
}

var espeakVoices = strings.Fields("en-us en-gb en-gb-scotland en-029 de fr-fr es es-419 it pt pt-br nl sv da nb fi is pl cs sk sl hr sr bg ru uk ro hu el tr ar he fa hi bn ta te ur cmn yue ja ko vi id ms sw af ca eu cy ga la eo et lv lt sq hy ka az kk")

var espeakVariants = strings.Fields("m1 m2 m3 m4 m5 m6 m7 f1 f2 f3 f4 f5 klatt klatt2 klatt3 Annie Andy Linda Mike Steph Alicia Boris Gene Henrique Jacky Lee grandpa croak")

var fliteVoices = strings.Fields("slt rms awb kal kal16")

var sentences = []string{
	"Thank you for calling. If you know the extension of the person you are calling, you may dial it at any time.",
	"Our office hours are from eight in the morning until half past five in the afternoon, Monday to Friday.",
	"Oh, hello? Can you hear me now? No, I said no, do not go there alone, the road is closed below the old stone bridge.",
	"One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, star, pound, zero, zero, zero.",
	"Would you leave your name, your number and a short message after the tone? We will return your call as soon as we can.",
	"Mama and papa are at home in Ohio, humming a slow tune, moaning about the weather and eating melons.",
	"The account ends in four oh nine seven; the balance is nineteen thousand two hundred and six dollars and eighty one cents.",
	"Guten Tag, mein Name ist Weber. Ich möchte bitte einen Termin für nächsten Donnerstag vereinbaren, wenn das möglich ist.",
	"Bonjour, vous êtes bien au cabinet du docteur Moreau. Nous sommes fermés jusqu'à lundi, merci de rappeler plus tard.",
	"Buenos días, todos nuestros operadores están ocupados. Por favor, permanezca en línea y le atenderemos en breve.",
	"Alle onze medewerkers zijn in gesprek. Er zijn nog drie wachtenden voor u. Een ogenblik geduld alstublieft.",
	"You you you, who who who, why why why, are we really, really, really going away? Wow! Yeah, yeah, yeah. Mmm. Uh huh.",
}

func espeak(r *rand.Rand, n int) ([]float64, error) {
	voice := espeakVoices[n%len(espeakVoices)] + "+" + espeakVariants[r.IntN(len(espeakVariants))]
	return say(exec.Command("espeak-ng", "-v", voice, "-s", strconv.Itoa(90+r.IntN(260)), "-p", strconv.Itoa(r.IntN(100)), "--stdout", text(r)), "")
}

func flite(r *rand.Rand, n int) ([]float64, error) {
	stretch := 0.6 + 1.2*r.Float64()
	pitch := 70 + 200*r.Float64()
	return say(exec.Command("flite", "-voice", fliteVoices[n%len(fliteVoices)], "--setf", fmt.Sprintf("duration_stretch=%.2f", stretch),
		"--setf", fmt.Sprintf("int_f0_target_mean=%.0f", pitch), "-t", text(r), "-o", "/dev/stdout"), "")
}

func text(r *rand.Rand) string {
	var b strings.Builder
	for range 3 {
		b.WriteString(sentences[r.IntN(len(sentences))])
		b.WriteByte('\n')
	}
	return b.String()
}

func say(cmd *exec.Cmd, text string) ([]float64, error) {
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = strings.NewReader(text), &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%v: %w", cmd.Args, err)
	}
	clip, err := audio.Decode(&out, audio.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%v: %w", cmd.Args, err)
	}
	clip = clip.Resample(8000)
	x := make([]float64, len(clip.Samples))
	for i, v := range clip.Samples {
		x[i] = float64(v)
	}
	return x, nil
}

// babble is four people talking at once.
func babble(r *rand.Rand, n int) ([]float64, error) {
	var sum []float64
	for i := range 4 {
		from := espeak
		if i == 3 {
			from = flite
		}
		x, err := from(r, 4*n+i)
		if err != nil {
			return nil, err
		}
		if sum == nil {
			sum = x
			continue
		}
		for j := range min(len(x), len(sum)) {
			sum[j] += x[j]
		}
	}
	return sum, nil
}

var melody = sync.OnceValue(func() []float64 {
	clip := audio.Melody(8000)
	x := make([]float64, len(clip.Samples))
	for i, v := range clip.Samples {
		x[i] = float64(v)
	}
	return x
})
