package util

import "fmt"

// message is the text of a message.
type message string

func (m message) Error() string { return string(m) }

// Messagef returns an error whose text is a message of a C program, whole: it may begin with a capital letter and end
// with a period. Errors among the arguments are printed as [ErrorText] has them.
func Messagef(format string, args ...any) error {
	for i, a := range args {
		if err, is := a.(error); is {
			args[i] = ErrorText(err)
		}
	}
	return message(fmt.Sprintf(format, args...))
}
