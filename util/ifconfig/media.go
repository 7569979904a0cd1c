package ifconfig

import (
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// mediaWord is a name of a part of a media word, ifmedia(4): the first of those with a value is what is printed.
type mediaWord struct {
	value int32
	names string // separated by spaces
}

// The types, subtypes and options of media words. An interface of another type is shown by its numbers.
var (
	mediaTypes = []mediaWord{
		{abi.IFM_ETHER, "Ethernet ether"}, {abi.IFM_TOKEN, "TokenRing token"}, {abi.IFM_FDDI, "FDDI"},
		{abi.IFM_IEEE80211, "IEEE802.11"}, {abi.IFM_CARP, "CARP"},
	}
	mediaSubtypes = []mediaWord{{abi.IFM_AUTO, "autoselect auto"}, {abi.IFM_MANUAL, "manual"}, {abi.IFM_NONE, "none"}}
	etherSubtypes = []mediaWord{
		{abi.IFM_10_T, "10baseT 10baseT/UTP UTP 10UTP 10BASE-T"}, {abi.IFM_10_2, "10base2 10base2/BNC BNC 10BNC 10BASE2"},
		{abi.IFM_10_5, "10base5 10base5/AUI AUI 10AUI 10BASE5"}, {abi.IFM_100_TX, "100baseTX 100TX 100BASE-TX"},
		{abi.IFM_100_FX, "100baseFX 100FX 100BASE-FX"}, {abi.IFM_100_T4, "100baseT4 100T4 100BASE-T4"},
		{abi.IFM_100_VG, "100baseVG 100VG 100VG-AnyLAN"}, {abi.IFM_100_T2, "100baseT2 100T2 100BASE-T2"},
		{abi.IFM_1000_SX, "1000baseSX 1000SX 1000BASE-SX"}, {abi.IFM_10_STP, "10baseSTP STP 10STP 10BASE-STP"},
		{abi.IFM_10_FL, "10baseFL FL 10FL 10BASE-FL"}, {abi.IFM_1000_LX, "1000baseLX 1000LX 1000BASE-LX"},
		{abi.IFM_1000_CX, "1000baseCX 1000CX 1000BASE-CX"}, {abi.IFM_1000_BX10, "1000BASE-BX10"},
		{abi.IFM_1000_T, "1000baseT 1000T 1000BASE-T"}, {abi.IFM_HPNA_1, "HomePNA1 HPNA1"},
		{abi.IFM_10G_LR, "10GbaseLR 10GLR 10GBASE-LR"}, {abi.IFM_10G_SR, "10GbaseSR 10GSR 10GBASE-SR"},
		{abi.IFM_10G_LRM, "10Gbase-LRM"}, {abi.IFM_10G_TWINAX, "10Gbase-Twinax"}, {abi.IFM_10G_TWINAX_LONG, "10Gbase-Twinax-Long"},
		{abi.IFM_10G_T, "10Gbase-T"}, {abi.IFM_10G_CX4, "10GbaseCX4 10GCX4 10GBASE-CX4"}, {abi.IFM_2500_SX, "2500baseSX 2500SX"},
	}
	mediaOptions = []mediaWord{
		{abi.IFM_FDX, "full-duplex fdx"}, {abi.IFM_HDX, "half-duplex hdx"}, {abi.IFM_FLOW, "flowcontrol flow"},
		{abi.IFM_FLAG0, "flag0"}, {abi.IFM_FLAG1, "flag1"}, {abi.IFM_FLAG2, "flag2"}, {abi.IFM_LOOP, "loopback hw-loopback"},
	}
	etherOptions = []mediaWord{
		{abi.IFM_ETH_MASTER, "master"}, {abi.IFM_ETH_RXPAUSE, "rxpause"}, {abi.IFM_ETH_TXPAUSE, "txpause"},
	}
)

func subtypes(typ int32) []mediaWord {
	if typ == abi.IFM_ETHER {
		return append(etherSubtypes[:len(etherSubtypes):len(etherSubtypes)], mediaSubtypes...)
	}
	return mediaSubtypes
}

func options(typ int32) []mediaWord {
	if typ == abi.IFM_ETHER {
		return append(mediaOptions[:len(mediaOptions):len(mediaOptions)], etherOptions...)
	}
	return mediaOptions
}

// mediaName is the printed name of a value.
func mediaName(table []mediaWord, v int32) string {
	for _, w := range table {
		if w.value == v {
			name, _, _ := strings.Cut(w.names, " ")
			return name
		}
	}
	return fmt.Sprintf("<unknown %#x>", v)
}

// mediaValue is the value that a name has, whatever its case.
func mediaValue(table []mediaWord, name string) (int32, bool) {
	for _, w := range table {
		for n := range strings.FieldsSeq(w.names) {
			if strings.EqualFold(n, name) {
				return w.value, true
			}
		}
	}
	return 0, false
}

// mediaText is a media word's subtype and options, with sep before the first option.
func mediaText(word int32, sep string) string {
	typ := word & abi.IFM_NMASK
	s := mediaName(subtypes(typ), word&abi.IFM_TMASK)
	for _, o := range options(typ) {
		if word&o.value != 0 {
			name, _, _ := strings.Cut(o.names, " ")
			s += sep + name
			sep = ","
		}
	}
	if inst := uint32(word) >> abi.IFM_ISHIFT; inst != 0 {
		s += fmt.Sprintf(" instance %d", inst)
	}
	return s
}

// mediaChange is what the words say of media.
type mediaChange struct {
	subtype, mode string
	instance      int64
	set, clear    []string // options
	any, hasInst  bool
}

func readMedia(c *config, args []string) (action, error) {
	c.media.any, c.media.subtype = true, args[0]
	return nil, nil
}

func readMediaMode(c *config, args []string) (action, error) {
	c.media.any, c.media.mode = true, args[0]
	return nil, nil
}

func readMediaInstance(c *config, args []string) (action, error) {
	n, err := integer(args[0], 0, abi.IFM_INST_MAX)
	c.media.any, c.media.hasInst, c.media.instance = true, true, n
	return nil, err
}

func readMediaopt(set bool) func(*config, []string) (action, error) {
	return func(c *config, args []string) (action, error) {
		c.media.any = true
		list := strings.Split(args[0], ",")
		if set {
			c.media.set = append(c.media.set, list...)
		} else {
			c.media.clear = append(c.media.clear, list...)
		}
		return nil, nil
	}
}

// maxMedia bounds what a kernel may say that it has.
const maxMedia = 4096

// queryMedia asks what the medium is and, with all, which there are.
func (c *config) queryMedia(all bool) (m abi.Ifmediareq, list []int32, err error) {
	q := make([]byte, abi.SizeofIfmediareq)
	if err := c.ioctl(abi.AF_UNSPEC, abi.SIOCGIFMEDIA, q); err != nil {
		return m, nil, err
	}
	if err := m.Decode(q); err != nil || !all || m.Count <= 0 || m.Count > maxMedia {
		return m, nil, err
	}
	fd, err := c.sock(abi.AF_UNSPEC)
	if err != nil {
		return m, nil, err
	}
	words := make([]byte, 4*m.Count)
	err = c.sys.IoctlFunc(fd, abi.SIOCGIFMEDIA, func(l client.Lender) []byte {
		m.Ulist = l.Out(words)
		q = m.Append(nil)
		return q
	})
	for i := 0; err == nil && i < len(words); i += 4 {
		list = append(list, int32(le.Uint32(words[i:])))
	}
	return m, list, err
}

// commitMedia sets the medium.
func (c *config) commitMedia() error {
	if !c.media.any {
		return nil
	}
	m, _, err := c.queryMedia(false)
	if err != nil && err != abi.E2BIG {
		return failed(err, "SIOCGIFMEDIA")
	}
	typ := m.Current & abi.IFM_NMASK
	if typ == 0 {
		return fmt.Errorf("%s: no link type?", c.name)
	}
	current, err := c.media.apply(m.Current, typ)
	if err != nil {
		return err
	}
	_, err = c.ifreqNumber(abi.SIOCSIFMEDIA, int(current))
	return failed(err, "SIOCSIFMEDIA")
}

// apply changes a media word of a type.
func (m *mediaChange) apply(word, typ int32) (int32, error) {
	unknown := func(what, name string) error {
		return fmt.Errorf("unknown %s media %s: %s", mediaName(mediaTypes, typ), what, name)
	}
	if m.mode != "" {
		return 0, unknown("mode", m.mode)
	}
	if m.subtype != "" {
		v, ok := mediaValue(subtypes(typ), m.subtype)
		if !ok {
			return 0, unknown("subtype", m.subtype)
		}
		word = typ | v | word&^int32(abi.IFM_NMASK|abi.IFM_TMASK|abi.IFM_OMASK|abi.IFM_GMASK)
	}
	if m.hasInst {
		word = word&(1<<abi.IFM_ISHIFT-1) | int32(uint32(m.instance)<<abi.IFM_ISHIFT)
	}
	for i, list := range [][]string{m.set, m.clear} {
		for _, name := range list {
			v, ok := mediaValue(options(typ), name)
			if !ok {
				return 0, unknown("option", name)
			}
			if word &^= v; i == 0 {
				word |= v
			}
		}
	}
	return word, nil
}

// showMedia prints the medium, on interfaces that have such, and with -m all that there are.
func (c *config) showMedia() {
	m, list, err := c.queryMedia(true)
	if err != nil {
		return
	}
	if m.Count == 0 {
		c.env.Warnx("%s: no media types?", c.name)
		return
	}
	out := c.env.Stdout
	typ := m.Current & abi.IFM_NMASK
	fmt.Fprintf(out, "\tmedia: %s %s", mediaName(mediaTypes, typ), mediaText(m.Current, " "))
	if m.Active != m.Current {
		fmt.Fprintf(out, " (%s)", mediaText(m.Active, " "))
	}
	fmt.Fprintln(out)
	if m.Status&abi.IFM_AVALID != 0 {
		status := "no carrier"
		if m.Status&abi.IFM_ACTIVE != 0 {
			status = "active"
		}
		fmt.Fprintf(out, "\tstatus: %s\n", status)
	}
	if c.flags.has("m") {
		c.listMedia(list)
	}
}

// listMedia prints all media by their types.
func (c *config) listMedia(list []int32) {
	for _, t := range mediaTypes {
		title := false
		for _, word := range list {
			if word&abi.IFM_NMASK != t.value || strings.HasPrefix(t.names, "token") {
				continue
			}
			if !title {
				fmt.Fprintf(c.env.Stdout, "\tsupported %s media:\n", mediaName(mediaTypes, t.value))
				title = true
			}
			fmt.Fprintf(c.env.Stdout, "\t\tmedia %s\n", mediaText(word, " mediaopt "))
		}
	}
}

// connected says whether the interface may be connected: it is not known to be without a carrier.
func (c *config) connected() bool {
	m, _, err := c.queryMedia(false)
	return err != nil || m.Status&abi.IFM_AVALID == 0 || m.Status&abi.IFM_ACTIVE != 0
}

// carrierStatus is -s with an interface: whether it is connected is the exit status.
func (c *config) carrierStatus() (int, error) {
	if _, err := c.ifflags(); err != nil {
		return 0, err
	}
	if !c.connected() {
		return 1, nil
	}
	return 0, nil
}
