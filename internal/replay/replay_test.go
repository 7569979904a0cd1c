package replay

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// played counts what a session came to.
type played struct {
	calls, agree, known, pending int
	bad                          []string
}

// TestReplay plays every session of the plan; the oracle is what the C kernel answered. A call that only a component of a later
// issue serves is pending, and so are calls on the descriptors that it would have returned.
func TestReplay(t *testing.T) {
	plan, err := LoadPlan("testdata/plan.txt")
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := LoadLayouts("../../abi/netbsd-amd64.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // where the bus is made
	sessions, agreed := 0, 0
	for _, kp := range plan.Kernels {
		r := newRig(t, kp, &Comparer{Layouts: layouts})
		r.data = data
		for i := range kp.Steps {
			s := &kp.Steps[i]
			if s.Verb != "play" {
				r.prepare(t, s)
				continue
			}
			sessions++
			t.Run(s.Arg, func(t *testing.T) {
				p := r.play(t, s)
				t.Logf("%s: %d of %d calls agree, %d with a known difference, %d pending", s.Arg, p.agree, p.calls, p.known, p.pending)
				for _, b := range p.bad {
					t.Error(b)
				}
				if len(p.bad) == 0 {
					agreed++
				}
				for _, k := range s.Known {
					if !k.Used {
						t.Errorf("known difference of %s is not seen any more: %s", k.Call, k.Text)
					}
				}
			})
		}
	}
	t.Logf("%d of %d sessions agree; %d are pending", agreed, sessions, len(plan.Pending))
}

// TestPlanIsWhole checks that no recording is forgotten: each is played or pending, once.
func TestPlanIsWhole(t *testing.T) {
	plan, err := LoadPlan("testdata/plan.txt")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, k := range plan.Kernels {
		for _, s := range k.Steps {
			if s.Verb == "play" {
				count[s.Arg]++
			}
		}
	}
	for _, p := range plan.Pending {
		count[p.Session]++
	}
	files, err := filepath.Glob("testdata/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".jsonl.gz")
		if count[name] != 1 {
			t.Errorf("%s stands %d times in the plan", name, count[name])
		}
		delete(count, name)
		if _, err := Load(name, f); err != nil {
			t.Error(err)
		}
	}
	for name := range count {
		t.Errorf("%s has no recording", name)
	}
}

// rig is a kernel that serves on a socket.
type rig struct {
	kernel *rump.Kernel
	socket string
	serves []int
	cmp    *Comparer
	data   string // where the recordings are
}

func newRig(t *testing.T, kp *KernelPlan, c *Comparer) *rig {
	k, err := rump.New(rump.Config{Components: kp.Components, Hostname: "rump-05431.vm"})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	dir, err := os.MkdirTemp("", "replay") // short: a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	if _, err := k.Listen("unix://" + socket); err != nil {
		t.Fatal(err)
	}
	return &rig{kernel: k, socket: socket, serves: k.Kernel().Syscalls(), cmp: c}
}

func (r *rig) prepare(t *testing.T, s *Step) {
	p, err := r.kernel.Process("prepare")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	switch s.Verb {
	case "run":
		runUtility(t, p, strings.Fields(s.Arg))
	case "lladdr":
		setLinkAddr(t, p, strings.Fields(s.Arg))
	case "mkdir":
		err = p.Mkdir(s.Arg, 0o755)
	case "mount_tmpfs":
		args := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755}
		err = p.Sys().Mount("tmpfs", s.Arg, 0, args.Append(nil))
	}
	if err != nil {
		t.Fatalf("%s %s: %v", s.Verb, s.Arg, err)
	}
}

// runUtility runs a utility in a process.
func runUtility(t *testing.T, p *client.Process, args []string) {
	t.Helper()
	var out bytes.Buffer
	status := util.Run(context.Background(), all.Lookup(args[0]), &util.Env{
		Args: args, Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }, Proc: p, Set: all.Set{},
	})
	if status != 0 {
		t.Errorf("%v: status %d: %s", args, status, out.String())
	}
}

// setLinkAddr gives an interface a link-level address in place of its own.
func setLinkAddr(t *testing.T, p *client.Process, args []string) {
	t.Helper()
	ifp, err := p.InterfaceByName(args[0])
	if err != nil {
		t.Fatal(err)
	}
	runUtility(t, p, []string{"ifconfig", args[0], "link", args[1], "active"})
	runUtility(t, p, []string{"ifconfig", args[0], "link", ifp.LinkAddr.String(), "-alias"})
}

// play plays one session on a connection of its own.
func (r *rig) play(t *testing.T, s *Step) (p played) {
	session, err := Load(s.Arg, filepath.Join(r.data, s.Arg+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	conn, err := d.DialContext(context.Background(), "unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	player, err := NewPlayer(conn, session.Program)
	if err != nil {
		t.Fatal(err)
	}
	r.cmp.Begin()
	var missing []uint64 // descriptors that pending calls returned in the recording
	for i, rec := range session.Calls {
		p.calls++
		if !rec.Done {
			p.pending++
			continue
		}
		if !slices.Contains(r.serves, rec.Num) || len(rec.Args) >= 8 && slices.Contains(missing, rec.Arg(0)) {
			p.pending++
			missing = r.track(missing, rec)
			continue
		}
		got, err := player.Play(rec)
		if err != nil {
			p.bad = append(p.bad, err.Error())
			return p
		}
		p.count(s, i, rec, r.cmp.Diff(rec, got))
	}
	return p
}

// track keeps the list of descriptors that are there only in the recording.
func (r *rig) track(missing []uint64, rec *Call) []uint64 {
	switch {
	case rec.Num == abi.SYS___socket30 && rec.Errno == 0:
		return append(missing, rec.Ret)
	case rec.Num == abi.SYS_close:
		return slices.DeleteFunc(missing, func(fd uint64) bool { return fd == rec.Arg(0) })
	}
	return missing
}

func (p *played) count(s *Step, i int, rec *Call, diffs []string) {
	known := 0
	for _, d := range diffs {
		if s.expected(rec.Name(), d) {
			known++
			continue
		}
		p.bad = append(p.bad, sprintCall(i, rec)+": "+d)
	}
	switch {
	case len(diffs) == 0:
		p.agree++
	case known == len(diffs):
		p.known++
	}
}
