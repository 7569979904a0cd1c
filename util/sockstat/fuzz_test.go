package sockstat

import (
	"bytes"
	"context"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// FuzzPrint: whatever a kernel lists is printed or left out.
func FuzzPrint(f *testing.F) {
	f.Add((&abi.KinfoPcb{Family: abi.AF_LOCAL, Type: 99, Conn: 1}).Append(nil))
	f.Add((&abi.KinfoPcb{Family: abi.AF_INET6, Protocol: 99, Tstate: -1}).Append(nil))
	f.Add((&abi.KinfoPcb{Family: 77}).Append(nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		c := &command{ctx: context.Background(), env: &util.Env{Stdout: new(bytes.Buffer)}, numeric: true}
		c.ports, c.listening = []portRange{{1, 1024}}, true
		list := kinfo.DecodeSockets(b)
		for i := range list {
			c.wants(&list[i])
			protocol(&list[i])
			c.address(&list[i], &list[i].S)
		}
	})
}
