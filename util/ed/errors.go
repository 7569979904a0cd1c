package ed

// editError is what the command h explains.
type editError string

func (e editError) Error() string { return string(e) }

// Errors of commands, in the words of NetBSD's ed.
const (
	errAddress      editError = "invalid address"
	errNoAddress    editError = "unexpected address"
	errNumber       editError = "number out of range"
	errMark         editError = "invalid mark character"
	errCommand      editError = "unknown command"
	errSuffix       editError = "invalid command suffix"
	errNoSuffix     editError = "unexpected command suffix"
	errDestination  editError = "invalid destination"
	errFilename     editError = "invalid filename"
	errLongFilename editError = "filename too long"
	errNoFilename   editError = "no current filename"
	errRedirection  editError = "invalid redirection"
	errOpenInput    editError = "cannot open input file"
	errReadInput    editError = "cannot read input file"
	errOpenOutput   editError = "cannot open output file"
	errWriteOutput  editError = "cannot write file"
	errCloseOutput  editError = "cannot close output file"
	errEOF          editError = "unexpected end-of-file"
	errNested       editError = "cannot nest global commands"
	errDelimiter    editError = "invalid pattern delimiter"
	errBrackets     editError = "unbalanced brackets ([])"
	errBackslash    editError = `trailing backslash (\)`
	errNoPattern    editError = "no previous pattern"
	errNoMatch      editError = "no match"
	errNoSubst      editError = "no previous substitution"
	errEmptyMatch   editError = "infinite substitution loop"
	errNoCommand    editError = "no previous command"
	errShell        editError = "shell access restricted"
	errCrypt        editError = "crypt unavailable"
	errUndo         editError = "nothing to undo"
	errSpace        editError = "out of memory"
	errModified     editError = "warning: file modified"
	errInterrupt    editError = "interrupt"
)

// Errors of commands that NetBSD's ed does not have.
const (
	errSyntax editError = "shell syntax: use sh -c"
	errQuotes editError = "unbalanced quotes"
)

// Ends of the session: nothing explains them.
const (
	errQuit   editError = "quit"
	errHangUp editError = "hangup"
	errOutput editError = "cannot write stdout"
)
