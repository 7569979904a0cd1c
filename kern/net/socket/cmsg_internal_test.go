package socket

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Oracle: CMSG_LEN, CMSG_SPACE and CMSG_NXTHDR of sys/socket.h on amd64.
func TestControlLayout(t *testing.T) {
	if cmsgSpace(0) != 16 || cmsgSpace(4) != 24 || cmsgSpace(8) != 24 || cmsgSpace(9) != 32 {
		t.Error(cmsgSpace(0), cmsgSpace(4), cmsgSpace(8), cmsgSpace(9))
	}
	messages := []Control{{Level: 1, Type: 2, Data: []byte("abc")}, {Level: abi.SOL_SOCKET, Type: abi.SCM_RIGHTS, Data: []byte{1, 0, 0, 0}}}
	var b []byte
	for i := range messages {
		b = messages[i].append(b)
	}
	if len(b) != 48 {
		t.Errorf("%d bytes", len(b))
	}
	got, err := parseControl(b[:44]) // the last one's padding may be missing
	if err != nil || len(got) != 2 || string(got[0].Data) != "abc" || !got[1].rights() || got[0].rights() {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzParseControl: what has been parsed makes the same messages again.
func FuzzParseControl(f *testing.F) {
	c := Control{Level: abi.SOL_SOCKET, Type: abi.SCM_RIGHTS, Data: []byte{1, 2, 3, 4, 5}}
	f.Add(c.append(c.append(nil)))
	f.Add([]byte{16, 0, 0, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		control, err := parseControl(b)
		if err != nil {
			return
		}
		var again []byte
		for i := range control {
			again = control[i].append(again)
		}
		second, err := parseControl(again)
		if err != nil || len(second) != len(control) {
			t.Fatalf("%d messages, then %d, %v", len(control), len(second), err)
		}
		for i := range control {
			if !bytes.Equal(control[i].Data, second[i].Data) || control[i].Type != second[i].Type {
				t.Errorf("message %d: %+v, then %+v", i, control[i], second[i])
			}
		}
	})
}
