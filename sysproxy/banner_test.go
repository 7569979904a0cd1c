package sysproxy

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestBanner(t *testing.T) {
	for _, tt := range []struct {
		line string
		want Banner
	}{
		// As a C server sends it (wire/*.jsonl).
		{"RUMPSP-0.4-NetBSD-7.99.34/amd64\n", Banner{0, 4, "NetBSD", "7.99.34", "amd64", nil}},
		{"RUMPSP-0.4-NetBSD-7.99.34/amd64 +prefetch +more", Banner{0, 4, "NetBSD", "7.99.34", "amd64", []string{"+prefetch", "+more"}}},
		{"RUMPSP-0.3-NetBSD-5.99.48/i386", Banner{0, 3, "NetBSD", "5.99.48", "i386", nil}},
		{"RUMPSP-0.4-NetBSD-8.0_BETA-x/evbarm", Banner{0, 4, "NetBSD", "8.0_BETA-x", "evbarm", nil}},
	} {
		got, err := ParseBanner(tt.line)
		if len(got.Words) == 0 {
			got.Words = nil
		}
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %+v, %v", tt.line, got, err)
		}
		if got.String() != strings.TrimSuffix(tt.line, "\n") {
			t.Errorf("%q becomes %q", tt.line, got)
		}
	}
	for _, line := range []string{
		"", "\n", "SSH-2.0-x", "RUMPSP-", "RUMPSP-0.4", "RUMPSP-0.4-NetBSD", "RUMPSP-0.4-NetBSD-7",
		"RUMPSP-1.0-NetBSD-7/amd64", "RUMPSP-x.4-NetBSD-7/amd64", "RUMPSP-04-NetBSD-7/amd64",
		"RUMPSP-0.4-NetBSD-" + strings.Repeat("7", 100) + "/amd64",
	} {
		_, err := ParseBanner(line)
		var pe *ProtocolError
		if !errors.As(err, &pe) {
			t.Errorf("%q: %v", line, err)
		}
	}
	for _, b := range []Banner{
		{OS: "Net-BSD"}, {OS: "a b"}, {Release: "7 8"}, {Machine: "amd64/x"}, {Machine: strings.Repeat("x", 90)},
		{Words: []string{"two words"}}, {Major: 1},
	} {
		if _, err := NewServer(newToyKernel(), ServerConfig{Banner: b}); err == nil {
			t.Errorf("a server is %+v", b)
		}
	}
	srv, err := NewServer(newToyKernel(), ServerConfig{})
	if err != nil || srv.Banner().String() != "RUMPSP-0.4-NetBSD-7.99.34/amd64 +prefetch" {
		t.Errorf("%v, %v", srv.Banner(), err)
	}
}
