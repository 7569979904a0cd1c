package ifnet

func (ifp *Interface) input(pkts []*Packet) {
	for _, p := range pkts {
		p.Release()
	}
}

func (ifp *Interface) output(pkts []*Packet) error {
	return ifp.Driver.Transmit(ifp, pkts)
}
