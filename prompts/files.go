package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/media/audio"
)

// ours are the names of the files made here; others in the folder are left alone.
var ours = regexp.MustCompile(`^snd_[A-Za-z0-9]+\.(wav|part)$`)

// write makes the file of a prompt and says in p what is in it. It appears whole
// or not at all, and is on the disk before anybody is told of it.
func (l *Library) write(p *flows.Prompt, clip audio.Clip) error {
	p.File, p.Size, p.Duration, p.SampleRate, p.SHA256 = "", 0, 0, 0, ""
	if len(clip.Samples) == 0 {
		return nil
	}
	size := int64(audio.WAVHeaderSize + 2*len(clip.Samples))
	if l.used()+size > l.cfg.Total {
		return ErrFull
	}
	root, err := os.OpenRoot(l.cfg.Dir)
	if err != nil {
		return fmt.Errorf("keep prompt: %w", err)
	}
	defer func() { _ = root.Close() }()
	name := events.NewID("snd_")
	sum := sha256.New()
	if err := writeNew(root, name+".part", io.Writer(sum), clip); err != nil {
		return fmt.Errorf("keep prompt: %w", errors.Join(err, ignoreMissing(root.Remove(name+".part"))))
	}
	if err := root.Rename(name+".part", name+".wav"); err != nil {
		return fmt.Errorf("keep prompt: %w", errors.Join(err, root.Remove(name+".part")))
	}
	p.File, p.Size, p.SampleRate = name+".wav", size, clip.Rate
	p.Duration = float64(clip.Duration().Milliseconds()) / 1000
	p.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func writeNew(root *os.Root, name string, also io.Writer, clip audio.Clip) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	err = audio.WriteWAV(io.MultiWriter(f, also), clip)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// used is how much the files of all prompts take.
func (l *Library) used() (n int64) {
	cursor := ""
	for {
		page, next, err := l.store.Prompts().List(cursor, 100)
		if err != nil {
			return n
		}
		for _, p := range page {
			n += p.Size
		}
		if cursor = next; next == "" {
			return n
		}
	}
}

func (l *Library) remove(file string) error {
	if file == "" {
		return nil
	}
	root, err := os.OpenRoot(l.cfg.Dir)
	if err != nil {
		return fmt.Errorf("remove the sound of a prompt: %w", err)
	}
	defer func() { _ = root.Close() }()
	return ignoreMissing(root.Remove(file))
}

// forget removes a file that no row names any more. Should that fail, the next
// start does it.
func (l *Library) forget(file string) {
	if err := l.remove(file); err != nil {
		l.log.Warn("sound of a prompt stays until the next start", "file", file, "err", err)
	}
}

// Sweep removes files that no prompt has: a process was killed between writing
// one and noting it, or between forgetting and removing. It is to be called
// before anything else is.
func (l *Library) Sweep() error {
	plan := l.store.Plan()
	named := map[string]bool{}
	for _, p := range plan.Prompts() {
		named[p.File] = true
	}
	root, err := os.OpenRoot(l.cfg.Dir)
	if err != nil {
		return fmt.Errorf("look through the prompts: %w", err)
	}
	defer func() { _ = root.Close() }()
	files, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("look through the prompts: %w", err)
	}
	for _, f := range files {
		if !ours.MatchString(f.Name()) || named[f.Name()] {
			continue
		}
		l.log.Info("removing sound that belongs to no prompt", "file", f.Name())
		if err := root.Remove(f.Name()); err != nil {
			return fmt.Errorf("look through the prompts: %w", err)
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
