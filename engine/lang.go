package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Interpreter answers the Command that Eval runs code with, to be completed with an input and the like.
func (sb *Sandbox) Interpreter(lang, code string) (Command, error) {
	args, ok := sb.image.Langs[lang]
	if !ok {
		return Command{}, fmt.Errorf("%w %q: image %q has %s", ErrUnknownLanguage, lang, sb.image.Name,
			strings.Join(sortedKeys(sb.image.Langs), ", "))
	}
	return Command{Args: append(slices.Clone(args), code)}, nil
}

// ReplayTicks answers how many ticks Replay's clock counts as d.
func ReplayTicks(d time.Duration) int64 { return int64(d) * ticksPerNanosecond }
