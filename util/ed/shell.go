package ed

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// runShell is the command !.
func (e *editor) runShell(*command) error {
	command, err := e.shellCommand()
	if err != nil {
		return err
	}
	if err := e.runUtility(command, e.env.Stdin, e.env.Stdout); err != nil {
		return err
	}
	if !e.scripted {
		fmt.Fprintln(e.env.Stdout, "!")
	}
	return nil
}

// shellCommand takes what follows an exclamation mark: the name of a utility and its arguments. An exclamation mark at its
// beginning stands for the last one, a percent sign for the default name; what they have made of it is printed.
func (e *editor) shellCommand() (string, error) {
	if e.secure {
		return "", errShell
	}
	text, err := e.rest(false)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	replaced := false
	if rest, again := strings.CutPrefix(text, "!"); again {
		if e.shell == "" {
			return "", errNoCommand
		}
		b.WriteString(e.shell)
		text, replaced = rest, true
	}
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			b.WriteString(text[i : i+2])
			i++
		case text[i] != '%':
			b.WriteByte(text[i])
		case e.file == "":
			return "", errNoFilename
		default:
			b.WriteString(file{name: e.file}.path())
			replaced = true
		}
		if b.Len() > maxLine {
			return "", errSpace
		}
	}
	e.shell = b.String()
	if replaced {
		fmt.Fprintln(e.env.Stdout, e.shell)
	}
	return e.shell, nil
}

// runUtility runs a utility and waits for its end, which an interrupt brings about. What it says of itself, its
// status included, is between it and the user.
func (e *editor) runUtility(command string, stdin io.Reader, stdout io.Writer) error {
	words, err := splitWords(command)
	if err != nil || len(words) == 0 {
		return err
	}
	if stdin == nil {
		stdin = e.env.Stdin
	}
	if err := e.env.Flush(); err != nil {
		return errOutput
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	interrupted := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(interrupted)
		select {
		case sig := <-e.in.signals:
			interrupted <- e.in.signal(sig)
			cancel()
		case <-done:
		}
	}()
	child := *e.env
	child.Stdin, child.Stdout = stdin, stdout
	child.Run(ctx, words[0], words[1:]...)
	close(done)
	return <-interrupted
}

// splitWords splits a command into words as the shell does: at blanks, but for those behind a backslash or in quotes.
// What only a shell understands is an error.
func splitWords(command string) ([]string, error) {
	var words []string
	var word []byte
	inWord, quote := false, byte(0)
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && isBlank(c):
			if inWord {
				words, word, inWord = append(words, string(word)), nil, false
			}
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inWord = c, true
		case c == '\\' && quote != '\'' && i+1 < len(command) && (quote == 0 || strings.IndexByte("$`\"\\", command[i+1]) >= 0):
			i++
			word, inWord = append(word, command[i]), true
		case quote == 0 && strings.IndexByte("|&;<>()$`*?[\n", c) >= 0, quote == '"' && (c == '$' || c == '`'):
			return nil, errSyntax
		default:
			word, inWord = append(word, c), true
		}
	}
	if quote != 0 {
		return nil, errQuotes
	}
	if inWord {
		words = append(words, string(word))
	}
	return words, nil
}
