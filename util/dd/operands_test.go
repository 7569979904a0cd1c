package dd

import (
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestParseOperands holds what the operands come to, and the messages, against dd(1), transcript core-08 and
// strsuftoll(3).
func TestParseOperands(t *testing.T) {
	for _, c := range []struct{ args, err string }{
		{"if=/a of=/b bs=4k count=2 skip=1 seek=0", ""},
		{"ibs=1 obs=2", ""},
		{"bs=0", "block size 0 is less than 1."},
		{"bs=-1", "block size -1 is less than 1."},
		{"bs=5g", "block size 5368709120 is greater than 4294967295."},
		{"bs=x", "block size `x': illegal number"},
		{"count=99999999999999999999", "block count: Result too large or too small"},
		{"nonsense=1", "unknown operand nonsense"},
		{"nonsense", "unknown operand nonsense"},
		{"if=", "no value specified for if"},
		{"bs=1 bs=1", "bs: illegal argument combination or already set"},
		{"bs=1 ibs=1", "ibs: illegal argument combination or already set"},
		{"seek=1 oseek=1", "oseek: illegal argument combination or already set"},
		{"conv=osync bs=1", "bs: illegal argument combination or already set"},
		{"bs=1 conv=osync", "osync: illegal conversion combination"},
		{"conv=lcase,ucase", "ucase: illegal conversion combination"},
		{"conv=ascii,ibm", "ibm: illegal conversion combination"},
		{"conv=none", "unknown conversion none"},
		{"conv=block", "record operations require cbs"},
		{"cbs=4", "cbs meaningless if not doing record operations"},
		{"cbs=4 conv=ascii", ""},
		{"oflag=none", "unknown oflag none"},
		{"of=/b oflag=trunc seek=1", "oflag=trunc is incompatible with seek or oseek operands, giving up."},
		{"of=/b oflag=trunc conv=notrunc", "oflag=trunc is incompatible with conv=notrunc operand, giving up."},
		{"files=2", "files is not supported for non-tape devices"},
		{"msgfmt=%z", "unknown specifier 'z' in msgfmt string"},
		{"msgfmt=human", ""},
	} {
		_, err := parseOperands(strings.Fields(c.args))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.err {
			t.Errorf("dd %s: %q, want %q", c.args, got, c.err)
		}
	}
}

// TestWarnings checks flags that make no sense for one of the ends.
func TestWarnings(t *testing.T) {
	o, err := parseOperands([]string{"oflag=rdwr,creat,rsync", "iflag=append,direct"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"rdonly, rdwr and wronly are ignored for oflag",
		"rsync set for oflag but makes no sense",
		"append set for iflag but makes no sense",
	}
	if strings.Join(o.warnings, "|") != strings.Join(want, "|") {
		t.Errorf("warnings %q, want %q", o.warnings, want)
	}
	if o.oflag != abi.O_CREAT|abi.O_RSYNC || o.iflag != abi.O_APPEND|abi.O_DIRECT {
		t.Errorf("oflag %#x, iflag %#x", o.oflag, o.iflag)
	}
}

// TestWhole checks when an input block becomes an output block as it is: POSIX (dd), bs=.
func TestWhole(t *testing.T) {
	for args, want := range map[string]bool{
		"":                               false,
		"bs=4":                           true,
		"bs=4 conv=sync,noerror,notrunc": true,
		"bs=4 conv=ucase":                false,
		"bs=4 conv=sparse":               false,
	} {
		o, err := parseOperands(strings.Fields(args))
		if err != nil || o.whole() != want {
			t.Errorf("dd %s: whole %v, want %v; %v", args, o.whole(), want, err)
		}
	}
}

// TestSummary holds the texts against dd(1), transcript core-08 and humanize_number(3).
func TestSummary(t *testing.T) {
	for _, c := range []struct {
		msgfmt string
		st     counts
		ms     int64
		want   string
	}{
		{"", counts{inPart: 1, outPart: 1, bytes: 15}, 0,
			"0+1 records in\n0+1 records out\n15 bytes transferred in 0.001 secs (15000 bytes/sec)\n"},
		{"posix", counts{inPart: 1, outPart: 1, bytes: 15, odd: 1}, 1500,
			"0+1 records in\n0+1 records out\n1 odd length swab block\n15 bytes transferred in 1.500 secs (10 bytes/sec)\n"},
		{"", counts{odd: 2, truncated: 1, sparse: 3}, 1,
			"0+0 records in\n0+0 records out\n2 odd length swab blocks\n1 truncated block\n3 sparse output blocks\n" +
				"0 bytes transferred in 0.001 secs (0 bytes/sec)\n"},
		{"human", counts{inFull: 1, outFull: 1, bytes: 1 << 20}, 1000,
			"1+0 records in\n1+0 records out\n1048576 bytes (1.0 MB) transferred in 1.000 secs (1048576 bytes/sec - 1.0 MB/sec)\n"},
		{"quiet", counts{inFull: 1}, 1, ""},
		{"%b of %O+%o%% %P%", counts{bytes: 7, outFull: 3, outPart: 1, sparse: 1}, 1, "7 of 3+1% block"},
	} {
		if got := c.st.summary(c.msgfmt, elapsed(time.Duration(c.ms)*time.Millisecond)); got != c.want {
			t.Errorf("%q: %q, want %q", c.msgfmt, got, c.want)
		}
	}
}

// TestRate checks that a rate is exact where the bytes in milliseconds would overflow.
func TestRate(t *testing.T) {
	if got := clock(3).rate(1 << 54); got != 6004799503160661333 {
		t.Errorf("rate %d", got)
	}
}
