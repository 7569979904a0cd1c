package harness

import (
	"fmt"
	"strings"
)

// Step is a command of a transcript with what it prints, or a comment.
//
//	# what this is about, ahead of the first command
//	$ command            one line; one bash runs the whole file
//	expected output
//	[1]                  its exit status, where it is not 0
type Step struct {
	Line    int    // in the file, the first is 1
	Command string // without "$ "; empty for a comment
	Output  []string
}

// Text returns the step as it stands in a file.
func (s Step) Text() string {
	lines := s.Output
	if s.Command != "" {
		lines = append([]string{"$ " + s.Command}, lines...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// Parse reads a transcript. Empty lines at the end of an output do not count.
func Parse(text string) []Step {
	var steps []Step
	for i, line := range strings.Split(text, "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, Step{Line: i + 1, Command: command})
			continue
		}
		if len(steps) == 0 {
			steps = append(steps, Step{Line: i + 1})
		}
		last := &steps[len(steps)-1]
		last.Output = append(last.Output, line)
	}
	for i := range steps {
		steps[i].Output = trimEmpty(steps[i].Output)
	}
	return steps
}

// trimEmpty cuts empty lines off the end.
func trimEmpty(lines []string) []string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// Difference is an output that differs from the original's for a reason.
type Difference struct {
	Transcript string // name of the file
	Line       int    // of the command in it
	Why        string
	Step       Step // the command, and what it prints here
	used       bool
}

// ParseDifferences reads a file of differences:
//
//	== core-02-tutorial.txt 41
//	why: one line, or several that begin so
//	$ the command
//	what it prints here
func ParseDifferences(text string) ([]Difference, error) {
	var list []Difference
	blocks := strings.Split("\n"+text, "\n== ")
	for _, block := range blocks[1:] {
		head, body, _ := strings.Cut(block, "\n")
		d := Difference{}
		if _, err := fmt.Sscanf(head, "%s %d", &d.Transcript, &d.Line); err != nil {
			return nil, fmt.Errorf("bad head %q: %w", head, err)
		}
		why, rest, ok := strings.Cut(body, "\n$ ")
		if !ok || !strings.HasPrefix(why, "why: ") {
			return nil, fmt.Errorf("%s %d: no reason or no command", d.Transcript, d.Line)
		}
		d.Why = strings.ReplaceAll(strings.TrimPrefix(why, "why: "), "\nwhy: ", " ")
		d.Step = Parse("$ " + rest)[0]
		list = append(list, d)
	}
	return list, nil
}
