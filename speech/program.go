package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"b2bua/media/audio"
)

const (
	// programTime is how long a program may take; a usual text takes 0.1 s.
	programTime = 10 * time.Second
	// soundBytes and soundTime bound what a program may answer.
	soundBytes = 64 << 20
	soundTime  = 15 * time.Minute
)

// run starts a program without a shell and gives what it wrote. Nothing of the
// switch's environment, which may hold secrets, is handed on.
func run(ctx context.Context, stdin io.Reader, most int, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + os.TempDir()}
	cmd.WaitDelay = time.Second
	out, complaint := &bounded{left: most}, &bounded{left: 1 << 10}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, out, complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("run %s: %w: %s", name, err, strings.TrimSpace(complaint.buf.String()))
	}
	return out.buf.Bytes(), nil
}

// speak runs a program that writes a WAV file.
func speak(ctx context.Context, stdin io.Reader, name string, args ...string) (audio.Clip, error) {
	wav, err := run(ctx, stdin, soundBytes, name, args...)
	if err != nil {
		return audio.Clip{}, err
	}
	clip, err := audio.Decode(bytes.NewReader(wav), audio.Limits{Bytes: soundBytes, Duration: soundTime})
	if err != nil {
		return audio.Clip{}, fmt.Errorf("read the sound of %s: %w", name, err)
	}
	if len(clip.Samples) == 0 {
		return audio.Clip{}, fmt.Errorf("read the sound of %s: empty", name)
	}
	return clip, nil
}

// errTooMuch stops a program that writes without end.
var errTooMuch = errors.New("too much output")

// bounded is a buffer that refuses to grow over its limit. It does not embed
// the buffer, whose ReadFrom would know no limit.
type bounded struct {
	buf  bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, errTooMuch
	}
	b.left -= len(p)
	return b.buf.Write(p)
}
