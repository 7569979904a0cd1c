package inpcb

import (
	"reflect"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
)

// errnos are the NetBSD errors of the stack's, by their types. ErrConnectionAborted and ErrAborted are what a connection ends with
// that this kernel itself resets.
var errnos = errnoTable(map[tcpip.Error]abi.Errno{
	&tcpip.ErrAborted{}:                      abi.ECONNABORTED,
	&tcpip.ErrAddressFamilyNotSupported{}:    abi.EAFNOSUPPORT,
	&tcpip.ErrAlreadyBound{}:                 abi.EINVAL,
	&tcpip.ErrAlreadyConnected{}:             abi.EISCONN,
	&tcpip.ErrAlreadyConnecting{}:            abi.EALREADY,
	&tcpip.ErrBadAddress{}:                   abi.EFAULT,
	&tcpip.ErrBadBuffer{}:                    abi.EFAULT,
	&tcpip.ErrBadLocalAddress{}:              abi.EADDRNOTAVAIL,
	&tcpip.ErrBroadcastDisabled{}:            abi.EACCES,
	&tcpip.ErrClosedForReceive{}:             abi.ESHUTDOWN,
	&tcpip.ErrClosedForSend{}:                abi.EPIPE,
	&tcpip.ErrConnectStarted{}:               abi.EINPROGRESS,
	&tcpip.ErrConnectionAborted{}:            abi.ECONNABORTED,
	&tcpip.ErrConnectionRefused{}:            abi.ECONNREFUSED,
	&tcpip.ErrConnectionReset{}:              abi.ECONNRESET,
	&tcpip.ErrDestinationRequired{}:          abi.EDESTADDRREQ,
	&tcpip.ErrDuplicateAddress{}:             abi.EEXIST,
	&tcpip.ErrInvalidEndpointState{}:         abi.EINVAL,
	&tcpip.ErrInvalidOptionValue{}:           abi.EINVAL,
	&tcpip.ErrMalformedHeader{}:              abi.EINVAL,
	&tcpip.ErrMessageTooLong{}:               abi.EMSGSIZE,
	&tcpip.ErrNetworkUnreachable{}:           abi.ENETUNREACH,
	&tcpip.ErrNoBufferSpace{}:                abi.ENOBUFS,
	&tcpip.ErrNoPortAvailable{}:              abi.EAGAIN,
	&tcpip.ErrHostUnreachable{}:              abi.EHOSTUNREACH,
	&tcpip.ErrHostDown{}:                     abi.EHOSTDOWN,
	&tcpip.ErrNoNet{}:                        abi.ENETDOWN,
	&tcpip.ErrNoSuchFile{}:                   abi.ENOENT,
	&tcpip.ErrNotConnected{}:                 abi.ENOTCONN,
	&tcpip.ErrNotPermitted{}:                 abi.EPERM,
	&tcpip.ErrNotSupported{}:                 abi.EOPNOTSUPP,
	&tcpip.ErrPortInUse{}:                    abi.EADDRINUSE,
	&tcpip.ErrQueueSizeNotSupported{}:        abi.EOPNOTSUPP,
	&tcpip.ErrTimeout{}:                      abi.ETIMEDOUT,
	&tcpip.ErrUnknownDevice{}:                abi.ENXIO,
	&tcpip.ErrUnknownNICID{}:                 abi.ENXIO,
	&tcpip.ErrUnknownProtocol{}:              abi.EPROTONOSUPPORT,
	&tcpip.ErrUnknownProtocolOption{}:        abi.ENOPROTOOPT,
	&tcpip.ErrWouldBlock{}:                   abi.EWOULDBLOCK,
	&tcpip.ErrMulticastInputCannotBeOutput{}: abi.EINVAL,
	&tcpip.ErrEndpointBusy{}:                 abi.EBUSY,
})

func errnoTable(m map[tcpip.Error]abi.Errno) map[reflect.Type]abi.Errno {
	t := make(map[reflect.Type]abi.Errno, len(m))
	for err, errno := range m {
		t[reflect.TypeOf(err)] = errno
	}
	return t
}

// errnoOf is an error of the stack as NetBSD has it; nil for none.
func errnoOf(err tcpip.Error) error {
	if err == nil {
		return nil
	}
	if e, ok := errnos[reflect.TypeOf(err)]; ok {
		return e
	}
	return abi.EIO
}

// controlErrnos are what the errors of ICMP and ICMPv6 mean to a socket: inetctlerrmap and inet6ctlerrmap.
var controlErrnos = map[stack.TransportErrorKind]abi.Errno{
	stack.PacketTooBigTransportError:                  abi.EMSGSIZE,
	stack.DestinationHostUnreachableTransportError:    abi.EHOSTUNREACH,
	stack.DestinationPortUnreachableTransportError:    abi.ECONNREFUSED,
	stack.DestinationNetworkUnreachableTransportError: abi.EHOSTUNREACH,
	stack.DestinationProtoUnreachableTransportError:   abi.ECONNREFUSED,
	stack.SourceRouteFailedTransportError:             abi.EHOSTUNREACH,
	stack.SourceHostIsolatedTransportError:            abi.EHOSTUNREACH,
	stack.DestinationHostDownTransportError:           abi.EHOSTUNREACH,
}
