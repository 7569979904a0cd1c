package replay

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Plan is testdata/plan.txt: on which kernels the sessions are played, in which order, and what is left.
type Plan struct {
	Kernels []*KernelPlan
	Pending []Pending
}

// KernelPlan is a fresh kernel and what is played on it.
type KernelPlan struct {
	Components []string
	Steps      []Step
}

// Step is a session to play, or a file system to prepare before the next one.
type Step struct {
	Verb string // play, mkdir, mount_tmpfs, run, lladdr
	Arg  string // of run: the words of a utility's command line; of lladdr an interface and its address
	// Known are differences that are expected in the session, each with its reason.
	Known []Known
}

// Known is a difference that is expected: in calls of a name, a difference whose text begins so.
type Known struct {
	Call, Text, Reason string
	Used               bool
}

// Pending is a session whose components or utilities come with a later issue.
type Pending struct{ Session, Reason string }

// LoadPlan reads a plan. A line is a verb and its arguments; what comes after " # " is the reason.
func LoadPlan(path string) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &Plan{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, reason, _ := strings.Cut(lines.Text(), " # ")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := p.line(words, reason); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return p, lines.Err()
}

func (p *Plan) line(words []string, reason string) error {
	verb, args := words[0], words[1:]
	switch verb {
	case "kernel":
		p.Kernels = append(p.Kernels, &KernelPlan{Components: args})
		return nil
	case "pending":
		if reason == "" {
			return fmt.Errorf("pending without a reason")
		}
		for _, s := range args {
			p.Pending = append(p.Pending, Pending{s, reason})
		}
		return nil
	}
	if len(p.Kernels) == 0 {
		return fmt.Errorf("%s before a kernel", verb)
	}
	k := p.Kernels[len(p.Kernels)-1]
	switch {
	case verb == "known" && len(k.Steps) > 0 && len(args) > 1 && reason != "":
		s := &k.Steps[len(k.Steps)-1]
		s.Known = append(s.Known, Known{Call: args[0], Text: strings.Join(args[1:], " "), Reason: reason})
	case (verb == "play" || verb == "mkdir" || verb == "mount_tmpfs") && len(args) == 1, verb == "run" && len(args) > 0, verb == "lladdr" && len(args) == 2:
		k.Steps = append(k.Steps, Step{Verb: verb, Arg: strings.Join(args, " ")})
	default:
		return fmt.Errorf("cannot read %q", strings.Join(words, " "))
	}
	return nil
}

// expected finds the known difference that a difference is, and notes that it was seen.
func (s *Step) expected(call, text string) bool {
	for i := range s.Known {
		k := &s.Known[i]
		if (k.Call == call || k.Call == "*") && strings.HasPrefix(text, k.Text) {
			k.Used = true
			return true
		}
	}
	return false
}
