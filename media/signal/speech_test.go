package signal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"b2bua/media/audio"
)

// texts are spoken in their languages.
var texts = map[string]string{
	"en": "Hello, this is a message for the service desk. I have been waiting for a very long time, and nobody came. Please call me back on oh two oh, seven nine four six, oh nine five eight. You do know who I am. Soon, soon, do come soon. Thank you, and goodbye.",
	"de": "Guten Tag, hier spricht jemand aus der Buchhaltung. Ich rufe wegen der Rechnung vom zweiten Juni an, die du uns zugeschickt hast. Ruf mich bitte unter null drei null, fünf fünf fünf, zurück. Ja, ja, gut, tschüss.",
	"fr": "Bonjour, je vous appelle au sujet de la commande de lundi. Où en êtes-vous ? Nous voulons tout savoir, vous nous le direz un jour ou l'autre. Rappelez-moi au zéro un, vingt-deux. Merci beaucoup et au revoir.",
	"es": "Hola, buenas tardes. Llamo por la cita del martes, no podré acudir porque mi coche no funciona. Uno, dos, tres, cuatro, cinco. Llámeme cuando pueda, por favor. Muchas gracias y hasta luego.",
	"it": "Buongiorno, sono io. Volevo sapere se domani possiamo vederci un'ora prima, perché poi devo andare a scuola a prendere i bambini. Uno, due, tre. Fammi sapere, ciao, ciao.",
	"ru": "Здравствуйте, это снова я. Хотел узнать, готов ли мой заказ, и сколько он стоит. Перезвоните мне, пожалуйста, завтра утром. Большое спасибо, до свидания.",
	"tr": "Merhaba, dün konuştuğumuz konu için arıyorum. Bugün ofiste değilim, ama beni cepten arayabilirsiniz. Bir, iki, üç, dört. Teşekkürler, görüşmek üzere.",
	"pl": "Dzień dobry, dzwonię w sprawie ogłoszenia. Proszę o telefon, najlepiej po południu. Jeden, dwa, trzy, cztery. Dziękuję bardzo i do usłyszenia.",
	"fi": "Hyvää päivää, soitan huomisesta kokouksesta. Muuttuuko kellonaika? Puhuin jo muiden kanssa, he tulevat kuuden jälkeen. Kuulemiin, soitellaan.",
	"hi": "नमस्ते, मैं कल की बैठक के बारे में फ़ोन कर रहा हूँ। कृपया मुझे वापस फ़ोन करें। एक, दो, तीन, चार। धन्यवाद।",
}

// talk is somebody who speaks.
type talk struct {
	name string
	argv []string
	text string
}

// talks are many voices, languages, speeds and pitches.
func talks() (all []talk) {
	variants := []string{"", "+f2", "+m3", "+f4", "+croak", "+whisper"}
	languages := make([]string, 0, len(texts))
	for l := range texts {
		languages = append(languages, l)
	}
	slices.Sort(languages)
	for i, l := range languages {
		for v := range 2 {
			voice := l + variants[(2*i+v)%len(variants)]
			speed, pitch := 110+20*((i+3*v)%6), 20+15*((i+2*v)%6)
			all = append(all, talk{
				fmt.Sprintf("espeak-ng %s at %d, pitch %d", voice, speed, pitch),
				[]string{"espeak-ng", "-v", voice, "-s", fmt.Sprint(speed), "-p", fmt.Sprint(pitch), "--stdin", "-w"}, texts[l],
			})
		}
	}
	for _, v := range []string{"slt", "kal", "awb", "rms"} {
		all = append(all, talk{"flite " + v, []string{"flite", "-voice", v, "-f", "-", "-o"}, texts["en"]})
	}
	return all
}

// spoken is the sound of all talks at 16 kHz, made once.
var spoken = sync.OnceValues(func() (map[string][]int16, error) {
	dir, err := os.MkdirTemp("", "speech")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	all := map[string][]int16{}
	for i, k := range talks() {
		file := filepath.Join(dir, fmt.Sprint(i, ".wav"))
		argv := slices.Concat(k.argv, []string{file})
		if k.argv[0] == "flite" { // it does not read from standard input
			argv[slices.Index(argv, "-f")] = "-t"
			argv[slices.Index(argv, "-")] = k.text
		}
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdin = strings.NewReader(k.text)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", k.name, err, out)
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		clip, err := audio.Decode(f, audio.Limits{})
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
		all[k.name] = clip.Resample(16000).Samples
	}
	return all, nil
})

// levelled brings speech to an active level, in dBm0.
func levelled(pcm []int16, level float64) []int16 {
	var sum, n float64
	for at := 0; at+160 <= len(pcm); at += 160 {
		if l := Level(pcm[at : at+160]); l > -45 {
			for _, s := range pcm[at : at+160] {
				sum += float64(s) * float64(s)
				n++
			}
		}
	}
	gain := math.Sqrt(power(level) / (sum / max(n, 1)))
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(max(math.MinInt16, min(math.MaxInt16, float64(s)*gain)))
	}
	return out
}

func narrow(pcm []int16) []int16 { return audio.Clip{Rate: 16000, Samples: pcm}.Resample(8000).Samples }

// No speech is taken for a tone, and speech is marked as such, loud and soft,
// over a quiet line and a noisy one, at both rates.
func TestSpeechIsNoTone(t *testing.T) {
	all, err := spoken()
	if err != nil {
		t.Fatal(err)
	}
	var heard, active, marked, silence, wrong time.Duration
	lines := []struct {
		rate         int
		level, noise float64
	}{{16000, -20, -70}, {8000, -30, -60}, {8000, -15, -65}, {8000, -20, -45}}
	for n, k := range talks() {
		name, pcm := k.name, all[k.name]
		for i, line := range lines[2*(n%2) : 2*(n%2)+2] {
			say := levelled(pcm, line.level)
			if line.rate == 8000 {
				say = narrow(say)
			}
			lead := make([]int16, 2*line.rate)
			sound := aLaw(noisy(slices.Concat(lead, say, lead), line.noise, uint64(i)))
			l := &Listener{}
			for at := 0; at+line.rate/50 <= len(sound); at += line.rate / 50 {
				l.Write(line.rate, sound[at:at+line.rate/50])
				heard += 20 * time.Millisecond
				was := at - len(lead)
				switch {
				case was >= 0 && was+line.rate/50 <= len(say) && Level(say[was:was+line.rate/50]) > line.level-8:
					active += 20 * time.Millisecond
					if l.Speaking() {
						marked += 20 * time.Millisecond
					}
				case was < 0 && at > line.rate/2 || was > len(say)+line.rate/2:
					silence += 20 * time.Millisecond
					if l.Speaking() {
						wrong += 20 * time.Millisecond
					}
				}
			}
			if f, ok := l.Tone(); ok {
				t.Errorf("%s at %d Hz, %.0f dBm0: %s after %v, %.0f Hz", name, line.rate, line.level, f.Kind, f.From, f.Hertz)
			}
			last := len(say)
			for last > line.rate/50 && Level(say[last-line.rate/50:last]) < max(line.level-20, voiceLeast+2, line.noise+voiceAbove) {
				last -= line.rate / 50
			}
			ago := time.Duration(len(say)-last)*time.Second/time.Duration(line.rate) + 2*time.Second
			if q := l.Quiet(); q < ago-300*time.Millisecond || q > ago+150*time.Millisecond {
				t.Errorf("%s at %d Hz, %.0f dBm0 over %.0f: the end was %v ago, not %v", name, line.rate, line.level, line.noise, q, ago)
			}
		}
	}
	t.Logf("%v of speech by %d voices: no tone; %.1f %% of loud speech marked, %.2f %% of silence", heard, len(all),
		100*float64(marked)/float64(active), 100*float64(wrong)/float64(silence))
	if float64(marked) < 0.99*float64(active) {
		t.Errorf("%v of %v marked", marked, active)
	}
	if float64(wrong) > 0.01*float64(silence) {
		t.Errorf("%v of %v marked", wrong, silence)
	}
}

// Noise of any level and colour is no tone, and no speech once it is known.
func TestNoiseIsNeither(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, level := range []float64{-65, -55, -48, -42, -36} {
		for _, colour := range []float64{0, 0.5, 0.9} {
			pcm, y := make([]int16, 30*8000), 0.0
			gain := math.Sqrt(power(level) * (1 - colour*colour))
			for i := range pcm {
				y = colour*y + r.NormFloat64()*gain
				pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, y)))
			}
			l := hears(8000, pcm)
			if f, ok := l.Tone(); ok {
				t.Errorf("noise at %.0f dBm0, colour %.1f: %s", level, colour, f.Kind)
			}
			if s := l.Speech(); s > 500*time.Millisecond {
				t.Errorf("noise at %.0f dBm0, colour %.1f: %v of speech", level, colour, s)
			}
		}
	}
}

// Music is no tone: ours, and notes of the octaves that tones lie in, of any
// length, plucked, blown and bowed.
func TestMusicIsNoTone(t *testing.T) {
	m := audio.Melody(8000)
	l := hears(m.Rate, m.Samples)
	if f, ok := l.Tone(); ok {
		t.Errorf("the music on hold: %s after %v", f.Kind, f.From)
	}
	r := rand.New(rand.NewPCG(5, 6))
	heard := 0
	for piece := range 20 {
		pcm := make([]int16, 20*8000)
		for at := 0; at < len(pcm); {
			n := int(8000 * (0.1 + 0.15*float64(r.IntN(6))))
			hz := 440 * math.Pow(2, float64(r.IntN(24)-14)/12)
			timbre, decay, vibrato := 0.3+r.Float64(), float64(piece%3), 0.004*r.Float64()
			for i := range min(n, len(pcm)-at) {
				s := float64(i) / 8000
				w := 2*math.Pi*hz*s + hz*vibrato/5.5*math.Sin(2*math.Pi*5.5*s)
				v := math.Sin(w) + timbre*math.Sin(2*w) + timbre*timbre*0.5*math.Sin(3*w)
				v *= math.Min(1, float64(i)/80) * math.Min(1, float64(n-i)/160) * math.Exp(-decay*s*3)
				pcm[at+i] = int16(4000 * v)
			}
			at += n
		}
		heard += 20
		if f, ok := hears(8000, pcm).Tone(); ok {
			t.Errorf("piece %d: %s after %v, %.0f Hz", piece, f.Kind, f.From, f.Hertz)
		}
	}
	t.Logf("%d s of music", heard)
}
