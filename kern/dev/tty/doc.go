// Package tty is terminals: the line discipline of termios(4), the requests of tty(4), and controlling terminals with the job control that
// hangs on them.
//
// It knows no hardware. A Driver stands behind each TTY: it gives what the line receives to Input and takes what is to be sent with
// Take. Package pty has the drivers of pseudo terminals; Ctty here is the driver of /dev/tty, which leads to
// whatever terminal the calling process has.
//
// Signals are posted to processes while the TTY is locked and raised when it is unlocked: whoever gets one may call back.
// A process in the background that reads gets SIGTTIN and then waits until it is in the foreground, for a rump kernel cannot stop its clients.
//
// Start reading with TTY (tty.go), then input.go for what a typed character does.
package tty
