package all_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/component/all"
	"github.com/rumpctrl/rumpctrl/kern"
)

// names are the components of the original, by kind: the list of its librump*.so.
var names = map[string]string{
	"rump":      " vfs dev net", // rump itself is the first
	"rumpkern_": "crypto sysproxy tty z sljit sys_linux solaris",
	"rumpvfs_":  "aio fifofs layerfs",
	"rumpfs_": "cd9660 efs ext2fs fdesc ffs hfs kernfs lfs mfs msdos nfs nfsserver nilfs ntfs null ptyfs smbfs syspuffs " +
		"sysvbfs tmpfs udf umap union v7fs zfs",
	"rumpdev_": "audio bpf cgd disk dm drvctl fss md netsmb opencrypto pad pud putter raidframe rnd scsipi sysmon ubt ucom " +
		"ugenhc ulpt umass usb vnd wscons",
	"rumpnet_": "agr bpfjit bridge config gif local net net80211 netbt netinet netinet6 netmpls npf pppoe shmif sockin tap virtif",
}

// ours are those that the original makes no library of, though its sources have them.
const ours = "rumpfs_overlay rumpnet_vlan rumpnet_tun"

// TestEntries checks that the table has all of the original's components, once, and nothing else but ours, and that needs are entries.
func TestEntries(t *testing.T) {
	want := strings.Fields(ours)
	for prefix, list := range names {
		for _, name := range strings.Split(list, " ") {
			want = append(want, prefix+name)
		}
	}
	var got []string
	for _, e := range all.Entries() {
		got = append(got, e.Name)
		if e.Doc == "" {
			t.Errorf("%s has no line of documentation", e.Name)
		}
		if e.Component != nil && (e.Component.Name != e.Name || !slices.Equal(e.Component.Needs, e.Needs)) {
			t.Errorf("%s differs from its component", e.Name)
		}
		for _, n := range e.Needs {
			if _, ok := all.Lookup(n); !ok || n == e.Name {
				t.Errorf("%s needs %s", e.Name, n)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestClosure: the oracle is what rump_wmd of the original prints.
func TestClosure(t *testing.T) {
	for wanted, want := range map[string]string{
		"rumpfs_ffs":        "rumpdev rumpdev_disk rumpvfs rumpfs_ffs",
		"rumpfs_tmpfs":      "rumpvfs rumpfs_tmpfs",
		"rumpdev_cgd":       "rumpkern_crypto rumpvfs rumpdev_disk rumpdev rumpdev_cgd",
		"rumpdev_raidframe": "rumpvfs rumpdev rumpdev_disk rumpdev_raidframe",
		"rumpnet_netinet":   "rumpnet rumpnet_net rumpnet_netinet",
		"rumpnet_shmif":     "rumpnet rumpnet_net rumpnet_shmif",
		"rumpnet_npf":       "rumpnet_net rumpnet rumpdev_bpf rumpnet_npf",
	} {
		set, err := all.Closure(wanted)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]string, len(set))
		for i, e := range set {
			got[i] = e.Name
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", wanted, s, want)
		}
	}
	if set, err := all.Closure("rumpnosuch"); err == nil {
		t.Errorf("an unknown component gives %v", set)
	}
}

// TestOrder checks that the whole table, those to come included, has no circles.
func TestOrder(t *testing.T) {
	var list []*kern.Component
	for _, e := range all.Entries() {
		list = append(list, &kern.Component{Name: e.Name, Needs: e.Needs})
	}
	if _, err := kern.Order(list); err != nil {
		t.Error(err)
	}
}

// TestBoot boots a kernel of each component with what it needs, one of all of them, and a second beside it.
func TestBoot(t *testing.T) {
	boot := func(components []*kern.Component) {
		t.Helper()
		k, err := kern.New(kern.Config{Components: components})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(k.Halt)
	}
	for _, e := range all.Entries() {
		if e.Component == nil {
			continue
		}
		set, err := all.Closure(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		var components []*kern.Component
		for _, s := range set {
			if s.Component == nil {
				t.Fatalf("%s is there, but not %s, which it needs", e.Name, s.Name)
			}
			components = append(components, s.Component)
		}
		boot(components)
	}
	boot(all.Components())
	boot(all.Components())
}
