package inet

import "github.com/rumpctrl/rumpctrl/kern"

func nodes4(in *Inet) []kern.SysctlNode {
	return []kern.SysctlNode{{Path: "net.inet", Num: 2}, {Path: "net.inet.ip", Num: 0}, {Path: "net.inet.ip.forwarding", Num: 1, Value: kern.SysctlIntVar(&in.conf.forwarding, 0, 1)}}
}
func nodes6(in *Inet) []kern.SysctlNode                    { return nil }
func (in *Inet) createNodes(nodes []kern.SysctlNode) error { return in.K.Sysctl().Create(nodes...) }
