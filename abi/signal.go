package abi

import "strconv"

// SignalName returns the name of a signal with its SIG, as "SIGHUP"; the
// real-time signals are SIGRT0 to SIGRT30 and a number that is no signal is
// returned in decimal.
func SignalName(n int) string {
	switch {
	case 0 < n && n < len(signalName):
		return signalName[n]
	case SIGRTMIN <= n && n <= SIGRTMAX:
		return "SIGRT" + strconv.Itoa(n-SIGRTMIN)
	}
	return strconv.Itoa(n)
}

// SignalText returns the text of strsignal(3) in the C locale.
func SignalText(n int) string {
	switch {
	case n == 0:
		return "Signal 0"
	case 0 < n && n < len(signalText):
		return signalText[n]
	case SIGRTMIN <= n && n <= SIGRTMAX:
		return "Real time signal " + strconv.Itoa(n-SIGRTMIN)
	}
	return "Unknown signal: " + strconv.FormatUint(uint64(uint32(n)), 10)
}
