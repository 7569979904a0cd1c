// Package ifnet is the interfaces of a kernel, the lower half of component rumpnet_net: the list of interfaces, cloning, flags,
// statistics, addresses, the generic ioctls of interfaces (SIOC*), Ethernet input and output, taps for bpf.
//
// It knows no network protocol: package inet takes packets by ethertype (Net.HandleProtocol) and answers the ioctls of its addresses,
// package route observes what changes and tells routing sockets. Drivers (component/net/...) implement Driver; lo is package loop. Start reading
// at Interface and Packet, then Interface.Input and Output, which packets take, and Net.Ioctl, which programs configure by.
//
// # Locks
//
// What configures (attach, detach, addresses, flags, cloning) holds Net.Config, the outermost lock of the network; package route
// and package inet rely on it too. The paths of packets take none of it: they read atomics.
package ifnet
