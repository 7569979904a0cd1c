package ed

import "fmt"

// quit is the commands q and Q.
func (e *editor) quit(c *command) error {
	if c.letter == 'q' && e.modified && !e.scripted {
		return errModified
	}
	return errQuit
}

// explainLast is the command h.
func (e *editor) explainLast(*command) error {
	if e.lastError != nil {
		fmt.Fprintln(e.env.Stderr, e.lastError)
	}
	return nil
}

// toggleExplain is the command H.
func (e *editor) toggleExplain(c *command) error {
	if e.explain = !e.explain; e.explain {
		return e.explainLast(c)
	}
	return nil
}

// togglePrompt is the command P.
func (e *editor) togglePrompt(*command) error {
	e.prompting = !e.prompting
	return nil
}

// encrypt is the command x, which is refused.
func (e *editor) encrypt(*command) error { return errCrypt }
