// Package socket is the socket layer, component rumpnet: the system calls of sockets, their options, waiting, control messages
// and readiness, over protocols that never wait.
//
// It knows no protocol: domains (package local, route, inet) register themselves in the Layer. Start reading at Protocol, which
// is what a domain implements, then at Socket, which is what a protocol sees of the layer above.
//
// The division of labour: a Protocol says at once what it can do now, abi.EWOULDBLOCK if that is nothing, and calls
// Socket.NotifyRead or NotifyWrite when that may have changed. Blocking calls, timeouts, MSG_WAITALL, MSG_DONTWAIT, poll, select,
// kqueue, the low-water marks, SIGPIPE and SIGIO are this package's, once for all.
package socket
