package sh

// flow is what a command has decided about the commands after it.
type flow struct {
	kind  flowKind
	loops int // that break or continue still has to leave
}

type flowKind int

const (
	flowOn       flowKind = iota // the next command follows
	flowBreak                    // out of loops
	flowContinue                 // to the next round of a loop
	flowReturn                   // out of the function or sourced file
	flowExit                     // out of the shell
	flowAbort                    // out of the shell after an error, or to the next line of a session
)

func (f *flow) exit()  { f.kind = flowExit }
func (f *flow) abort() { f.kind = flowAbort }

// leaving tells whether no command follows here.
func (f *flow) leaving() bool { return f.kind != flowOn }

// ended tells whether the shell ends.
func (f *flow) ended() bool { return f.kind == flowExit || f.kind == flowAbort }

// loopLeft tells, after a round of a loop, whether the loop is left, and counts it.
func (f *flow) loopLeft() bool {
	if f.kind != flowBreak && f.kind != flowContinue {
		return f.leaving()
	}
	f.loops--
	if f.loops > 0 {
		return true
	}
	left := f.kind == flowBreak
	f.kind = flowOn
	return left
}

// returned takes note that a function or sourced file has been left.
func (f *flow) returned() {
	if f.kind == flowReturn || f.kind == flowBreak || f.kind == flowContinue {
		f.kind = flowOn
	}
}
