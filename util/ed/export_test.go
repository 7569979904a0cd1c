package ed

import (
	"context"
	"os"

	"github.com/rumpctrl/rumpctrl/util"
)

// Limited is ed with less room.
func Limited(lines, bytes int) *util.Utility {
	u := newUtility(limits{lines, bytes})
	return &u
}

// WithSignals is ed that gets its signals from a channel.
func WithSignals(signals chan os.Signal) *util.Utility {
	u := Utility
	u.Main = func(ctx context.Context, env *util.Env) int {
		in := newInput(ctx, env.Stdin)
		in.signals = signals
		return newEditor(ctx, env, in, limits{1000, 1 << 20}).session()
	}
	return &u
}
