package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/ondisk/disklabel"
)

// disks are the components that drives need.
var disks = []string{"-lrumpvfs", "-lrumpdev", "-lrumpdev_disk"}

func openFile(t *testing.T, p *client.Process, name string, flags int) *client.File {
	t.Helper()
	f, err := p.OpenFile(name, flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// devices returns what stat(2) says of a file: type and permissions, and device number.
func modeOf(t *testing.T, p *client.Process, name string) (uint32, uint64) {
	t.Helper()
	var st abi.Stat
	if err := p.Sys().Stat(name, &st); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return st.Mode, st.Rdev
}

// device is a device number of major 197: those of mapped files.
func device(minor uint64) uint64 { return 197<<8 | minor }

// TestDrives is transcript core-04: a host file as block device, character device and regular file.
func TestDrives(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "disk"), make([]byte, 64<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "note"), []byte("hello from the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := startServer(t, dir, append(disks, "-d", "key=/blk,hostpath=disk,size=host",
		"-d", "key=/chr,hostpath=disk,size=32768,type=chr", "-d", "key=/dev/fresh,hostpath=fresh,size=1m",
		"-d", "key=/note,hostpath=note,size=host,type=reg")...)
	p := d.process(t)
	for _, c := range []struct {
		name string
		mode uint32
		dev  uint64
	}{
		{"/blk", abi.S_IFBLK | 0o755, device(0)}, {"/chr", abi.S_IFCHR | 0o755, device(0)},
		{"/dev/fresh", abi.S_IFBLK | 0o755, device(1)},
	} {
		if mode, dev := modeOf(t, p, c.name); mode != c.mode || dev != c.dev {
			t.Errorf("%s: mode %o, device %x; want %o, %x", c.name, mode, dev, c.mode, c.dev)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "fresh"))
	if err != nil || info.Size() != 1<<20 || info.Mode() != 0o644 {
		t.Errorf("the host's file that was made: %v, %v", info, err)
	}
	checkReg(t, p, filepath.Join(dir, "note"))
	checkChr(t, p)
	checkBlk(t, p)
	for _, name := range []string{"/blk", "/chr", "/note"} {
		if !listed(t, p, "/", name[1:]) {
			t.Errorf("%s is not listed", name)
		}
		if err := p.Remove(name); err == nil {
			t.Errorf("%s was removed", name)
		}
	}
	if err := p.Sys().Reboot(0, ""); err != nil {
		t.Error(err)
	}
	disk, err := os.ReadFile(filepath.Join(dir, "disk"))
	if err != nil || !bytes.Equal(disk[1234:1240], []byte("by blk")) || !bytes.Equal(disk[512:518], []byte("by chr")) {
		t.Errorf("the disk has not what was written: %v", err)
	}
}

func listed(t *testing.T, p *client.Process, dir, name string) bool {
	t.Helper()
	entries, err := p.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == name {
			return true
		}
	}
	return false
}

// checkReg: the regular file is the host's, and keeps its size.
func checkReg(t *testing.T, p *client.Process, note string) {
	if b, err := p.ReadFile("/note"); err != nil || string(b) != "hello from the host\n" {
		t.Errorf("note: %q, %v", b, err)
	}
	f := openFile(t, p, "/note", abi.O_WRONLY|abi.O_TRUNC)
	if _, err := f.Write([]byte("changed\n")); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(note); string(b) != "changed\nom the host\n" {
		t.Errorf("the host's note: %q", b)
	}
	if n, err := f.WriteAt(make([]byte, 10), 15); n != 5 || !errors.Is(err, abi.ENOSPC) {
		t.Errorf("writing past the end: %d, %v; want 5, ENOSPC", n, err)
	}
}

// checkChr: a character device takes whole sectors, and is as large as the block device on its other side.
func checkChr(t *testing.T, p *client.Process) {
	f := openFile(t, p, "/chr", abi.O_RDWR)
	for _, n := range []int{1, 100, 511, 513} {
		if _, err := f.ReadAt(make([]byte, n), 0); !errors.Is(err, abi.EINVAL) {
			t.Errorf("reading %d bytes: %v, want EINVAL", n, err)
		}
	}
	sector := make([]byte, 512)
	copy(sector, "by chr")
	if _, err := f.WriteAt(sector, 512); err != nil {
		t.Error(err)
	}
	if n, err := f.WriteTo(io.Discard); n != 64<<10 || err != nil {
		t.Errorf("the character device has %d bytes, %v; want 65536", n, err)
	}
}

// checkBlk: a block device is read and written at any offset, and shows what the character device wrote.
func checkBlk(t *testing.T, p *client.Process) {
	f := openFile(t, p, "/blk", abi.O_RDWR)
	if _, err := f.WriteAt([]byte("by blk"), 1234); err != nil {
		t.Error(err)
	}
	b := make([]byte, 6)
	if _, err := f.ReadAt(b, 512); err != nil || string(b) != "by chr" {
		t.Errorf("the block device has %q, %v", b, err)
	}
	if n, err := f.ReadAt(make([]byte, 100), 64<<10-30); n != 30 || err != io.EOF {
		t.Errorf("reading at the end: %d, %v; want 30, EOF", n, err)
	}
}

// TestPartitions maps partitions by letter, rump_server(1): [offset, offset+size) of the label.
func TestPartitions(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		dir := t.TempDir()
		writeLabelled(t, filepath.Join(dir, "img"), order)
		d := startServer(t, dir, append(disks, "-d", "key=/a,hostpath=img,disklabel=a,type=chr",
			"-d", "key=/e,hostpath=img,disklabel=e")...)
		p := d.process(t)
		for _, c := range []struct {
			name string
			size int64
			byte byte
		}{{"/a", 4 * 512, 'a'}, {"/e", 3 * 512, 'e'}} {
			b := make([]byte, c.size+512)
			f := openFile(t, p, c.name, abi.O_RDWR)
			n, err := f.ReadAt(b, 0)
			if err != io.EOF || !bytes.Equal(b[:n], bytes.Repeat([]byte{c.byte}, int(c.size))) {
				t.Errorf("%v %s: %d bytes, %v; want %d", order, c.name, n, err, c.size)
			}
			if _, err := f.WriteAt(bytes.Repeat([]byte{'W'}, 512), 0); err != nil {
				t.Errorf("%v %s: %v", order, c.name, err)
			}
		}
		d.signal(syscall.SIGTERM)
		d.wait(t)
		img, err := os.ReadFile(filepath.Join(dir, "img"))
		if err != nil || img[20*512-1] != 0 || img[20*512] != 'W' || img[21*512] != 'e' || img[10*512] != 'W' || img[11*512] != 'a' {
			t.Errorf("%v: the image has not what was written: %v", order, err)
		}
	}
}

// writeLabelled makes an image with partitions a (sectors 10 to 13), b (empty) and e (20 to 22), each full of its
// letter.
func writeLabelled(t *testing.T, path string, order binary.ByteOrder) {
	t.Helper()
	l := disklabel.Label{Order: order}
	l.Disk.Secsize, l.Disk.Npartitions = 512, 5
	l.Disk.Partitions[0] = abi.Partition{Offset: 10, Size: 4}
	l.Disk.Partitions[4] = abi.Partition{Offset: 20, Size: 3}
	raw, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	img := make([]byte, 100*512)
	copy(img[512:], raw)
	copy(img[10*512:], bytes.Repeat([]byte("a"), 4*512))
	copy(img[20*512:], bytes.Repeat([]byte("e"), 3*512))
	if err := os.WriteFile(path, img, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBadPartitions: ENOENT for what is not there, and the image stays as it is.
func TestBadPartitions(t *testing.T) {
	programs, dir := programsDir(t), t.TempDir()
	img := filepath.Join(dir, "img")
	writeLabelled(t, img, binary.LittleEndian)
	good, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	corrupt := bytes.Clone(good)
	corrupt[512+60] ^= 1
	for _, c := range []struct {
		name, letter string
		content      []byte
		want         string
	}{
		{"no such partition", "f", good, "partition not available: No such file or directory\n  img: No such file or directory\n"},
		{"empty partition", "b", good, "partition not available: No such file or directory\n  img: No such file or directory\n"},
		{"corrupt label", "a", corrupt, "disklabel not found: No such file or directory\n  img: the disk label at byte 512 is damaged: its checksum is wrong\n"},
	} {
		if err := os.WriteFile(img, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := command(programs, dir, "rump_server", append(disks, "-d", "key=/a,hostpath=img,disklabel="+c.letter, "unix://csock")...)
		if text, status := runProgram(t, cmd); text != c.want || status != 2 {
			t.Errorf("%s: status %d\n%swant 2\n%s", c.name, status, text, c.want)
		}
		if after, _ := os.ReadFile(img); !bytes.Equal(after, c.content) {
			t.Errorf("%s: the image has changed", c.name)
		}
	}
}

// TestInUse: two servers cannot have the same host file, until the first has halted.
func TestInUse(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	img := filepath.Join(dir, "img")
	args := append(disks, "-d", "key=/d,hostpath="+img+",size=64k")
	first := startServer(t, dir, args...)
	text, status := runProgram(t, command(programsDir(t), other, "rump_server", append(args, "unix://csock")...))
	want := "etfs hostpath open: Device busy\n  " + img + ": in use by another rump kernel\n"
	if text != want || status != 16 {
		t.Errorf("status %d\n%swant 16\n%s", status, text, want)
	}
	if err := first.process(t).Sys().Reboot(0, ""); err != nil {
		t.Fatal(err)
	}
	startServer(t, other, args...)
}

// TestReadOnlyDrive: what the host does not allow to be written can be read, and gives EACCES and EROFS.
func TestReadOnlyDrive(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "img"), bytes.Repeat([]byte("r"), 1024), 0o444); err != nil {
		t.Fatal(err)
	}
	cmd := ordinaryUser(t, dir, command(programsDir(t), dir, "rump_server", append(disks, "-d", "key=/blk,hostpath=img,size=host",
		"-d", "key=/reg,hostpath=img,size=host,type=reg", "unix://csock")...))
	p := startDaemon(t, dir, cmd).process(t)
	if _, err := p.OpenFile("/blk", abi.O_RDWR, 0); !errors.Is(err, abi.EACCES) {
		t.Errorf("opening the disk for writing: %v, want EACCES", err)
	}
	for _, name := range []string{"/blk", "/reg"} {
		if b, err := p.ReadFile(name); err != nil || strings.Trim(string(b), "r") != "" || len(b) != 1024 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	f := openFile(t, p, "/reg", abi.O_RDWR)
	if _, err := f.Write([]byte("w")); !errors.Is(err, abi.EROFS) {
		t.Errorf("writing the file: %v, want EROFS", err)
	}
}

// ordinaryUser has a program run by a user who is not the superuser: by another one where this test's is.
func ordinaryUser(t *testing.T, dir string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		return cmd
	}
	const nobody = 65534
	self, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	cmd.Path = filepath.Join(bin, filepath.Base(cmd.Path))
	if err := os.WriteFile(cmd.Path, self, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, bin} { // both folders, and the test's own above them
		if err := errors.Join(os.Chmod(path, 0o777), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// TestKilled: a server that is killed in the middle of writing has on the host all that it said was synced, and nothing
// in the file is torn: each record is a whole one.
func TestKilled(t *testing.T) {
	const record = 4096
	dir := t.TempDir()
	d := startServer(t, dir, append(disks, "-d", "key=/disk,hostpath=disk,size=4m")...)
	p := d.process(t)
	f := openFile(t, p, "/disk", abi.O_RDWR)
	synced := make(chan int, 1024)
	go func() {
		defer close(synced)
		for i := range 1024 {
			if _, err := f.WriteAt(bytes.Repeat([]byte{byte(i%255 + 1)}, record), int64(i)*record); err != nil {
				return
			}
			if err := f.Sync(); err != nil {
				return
			}
			synced <- i
		}
	}()
	for range 10 {
		<-synced
	}
	d.signal(syscall.SIGKILL)
	d.wait(t)
	last := 9
	for i := range synced {
		last = i
	}
	img, err := os.ReadFile(filepath.Join(dir, "disk"))
	if err != nil || len(img) != 4<<20 {
		t.Fatalf("disk: %d bytes, %v", len(img), err)
	}
	for i := range 1024 {
		got, full := img[i*record:(i+1)*record], bytes.Repeat([]byte{byte(i%255 + 1)}, record)
		untouched := i > last && bytes.Equal(got, make([]byte, record))
		if !untouched && !bytes.Equal(got, full) {
			t.Fatalf("record %d of %d synced ones is torn or missing", i, last+1)
		}
	}
}
