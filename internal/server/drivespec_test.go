package server

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/rump"
)

// TestParseDrive has rump_server(1)'s drivespecs, with dd(1)'s suffixes as the manual page says.
func TestParseDrive(t *testing.T) {
	for _, c := range []struct {
		spec string
		want rump.Drive
	}{
		{"key=/a,hostpath=h,size=1024", rump.Drive{Key: "/a", HostPath: "h", Size: 1024}},
		{"size=2b,hostpath=h,key=/a", rump.Drive{Key: "/a", HostPath: "h", Size: 1024}},
		{"key=/a,hostpath=h,size=3k,offset=1m", rump.Drive{Key: "/a", HostPath: "h", Size: 3 << 10, Offset: 1 << 20}},
		{"key=/a,hostpath=h,size=2g,type=blk", rump.Drive{Key: "/a", HostPath: "h", Size: 2 << 30}},
		{"key=/a,hostpath=h,size=1t,type=chr", rump.Drive{Key: "/a", HostPath: "h", Size: 1 << 40, Type: rump.Chr}},
		{"key=/a,hostpath=h,size=4x2kx3", rump.Drive{Key: "/a", HostPath: "h", Size: 24 << 10}},
		{"key=/a,hostpath=h,size=host,type=reg", rump.Drive{Key: "/a", HostPath: "h", Size: rump.SizeHost, Type: rump.Reg}},
		{"key=/a,hostpath=h,type=reg", rump.Drive{Key: "/a", HostPath: "h", Type: rump.Reg}},
		{"key=/a,hostpath=h,disklabel=e", rump.Drive{Key: "/a", HostPath: "h", Disklabel: 'e'}},
		{"key=/a,hostpath=h=i,size=1,", rump.Drive{Key: "/a", HostPath: "h=i", Size: 1}},
		{"key=/a,hostpath=h,size=0,size=1", rump.Drive{Key: "/a", HostPath: "h", Size: 1}},
	} {
		got, err := parseDrive(c.spec)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.spec, got, err, c.want)
		}
	}
}

// TestParseDriveErrors has the messages of the original's option -d; those of numbers are strsuftoll(3)'s.
func TestParseDriveErrors(t *testing.T) {
	const ok = "key=/a,hostpath=h,"
	for spec, want := range map[string]string{
		"":                               "incomplete drivespec",
		"key=/a":                         "incomplete drivespec",
		"hostpath=h,size=1":              "incomplete drivespec",
		ok + "size=0":                    "incomplete drivespec",
		ok + "type=blk":                  "incomplete drivespec",
		"bogus=1":                        "invalid dtoken",
		"key=/a,,size=1":                 "invalid dtoken",
		"key":                            "key needs a value",
		ok + "key=/b":                    "key already given",
		ok + "hostpath=i":                "hostpath already given",
		ok + "size=1,size=2":             "size already given",
		ok + "size=host,size=2":          "size already given",
		ok + "offset=1,offset=2":         "offset already given",
		ok + "size=host,offset=512":      "cannot specify offset with size=host",
		ok + "offset=512,size=host":      "cannot specify offset with size=host",
		ok + "size=1,disklabel=a":        "disklabel needs to be used alone",
		ok + "offset=1,disklabel=a":      "disklabel needs to be used alone",
		ok + "disklabel=a,size=1":        "disklabel needs to be used alone",
		ok + "disklabel=a,offset=1":      "disklabel needs to be used alone",
		ok + "disklabel=A":               "invalid label part",
		ok + "disklabel=ab":              "invalid label part",
		ok + "disklabel=":                "invalid label part",
		ok + "size=1,type=nope":          "invalid type nope",
		ok + "size=1,type=":              "invalid type ",
		ok + "type=blk,type=chr":         "type already specified",
		ok + "size=ten":                  "-d size `ten': illegal number",
		ok + "size=1q":                   "-d size `1q': illegal number",
		ok + "size=":                     "-d size `': illegal number",
		ok + "size=-5":                   "-d size -5 is less than 0.",
		ok + "offset=-1k,size=1":         "-d offset -1024 is less than 0.",
		ok + "size=9999999t":             "-d size: Result too large or too small",
		ok + "size=99999999999999999999": "-d size: Result too large or too small",
	} {
		if _, err := parseDrive(spec); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
}

func FuzzParseDrive(f *testing.F) {
	for _, s := range []string{"key=/a,hostpath=h,size=1k", "key=/a,hostpath=h,disklabel=a", "size=2x3x4k,offset=1b", ",,="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		d, err := parseDrive(spec)
		if err != nil {
			return
		}
		if d.Key == "" || d.HostPath == "" || d.Offset < 0 || d.Size < rump.SizeHost || strings.Contains(d.Key, ",") {
			t.Errorf("%q is %+v", spec, d)
		}
	})
}
