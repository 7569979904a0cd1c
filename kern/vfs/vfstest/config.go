package vfstest

import (
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/kern"
)

// Config says how to get at a file system and what it lacks.
type Config struct {
	// Boot makes a kernel with a fresh file system mounted, and says where. Its root directory belongs to root and has
	// mode 0755.
	Boot func(t testing.TB) (k *kern.Kernel, dir string)
	// BootSmall is Boot for a file system that holds a few megabytes at most; nil leaves out the tests that fill it.
	BootSmall func(t testing.TB) (k *kern.Kernel, dir string)
	// Remount changes the mount at dir with MNT_UPDATE and other MNT_* flags; nil leaves out the tests of mount flags.
	Remount func(t testing.TB, k *kern.Kernel, dir string, flags int)
	// Lacks are the features that the file system does not have: cases that need them are left out.
	Lacks []Feature
	// Differs names cases that the file system answers otherwise, each with the reason.
	Differs map[string]string
	// Quotas says that the file system has quotas, quotactl(2).
	Quotas bool
	// NameMax is the longest name in bytes; 0 means 255.
	NameMax int
	// TimeGranularity is how far apart two times must be to be told from each other; 0 means a nanosecond.
	TimeGranularity time.Duration
}

// Feature is something that a file system may lack.
type Feature string

// The features.
const (
	HardLinks Feature = "hardlinks"
	Symlinks  Feature = "symlinks"
	// Special are devices and fifos.
	Special Feature = "special"
	// Owners are user, group and permissions of each file.
	Owners Feature = "owners"
	// Flags are chflags(2)'s.
	Flags Feature = "flags"
	// Times are access, change and birth times of their own.
	Times Feature = "times"
	// CaseSensitive names differ by case.
	CaseSensitive Feature = "case"
	// Sparse files take no space for their holes.
	Sparse Feature = "sparse"
	// LargeFiles go past 4 GiB.
	LargeFiles Feature = "large"
	// Reserve is reserving space and giving it back, posix_fallocate(2) and fdiscard(2).
	Reserve Feature = "reserve"
	// Handles are getfh(2)'s.
	Handles Feature = "handles"
	// Whiteouts are names that hide those of a layer below, mount_union(8).
	Whiteouts Feature = "whiteouts"
	// ExtAttrs are extended attributes.
	ExtAttrs Feature = "extattrs"
)

// lacks says whether the file system lacks any of the features.
func (c *Config) lacks(features ...Feature) bool {
	for _, f := range features {
		for _, l := range c.Lacks {
			if f == l {
				return true
			}
		}
	}
	return false
}

func (c *Config) nameMax() int {
	if c.NameMax == 0 {
		return 255
	}
	return c.NameMax
}

func (c *Config) granularity() time.Duration { return max(c.TimeGranularity, time.Nanosecond) }

// Run checks a file system. It takes a few seconds, more under the race detector.
func Run(t *testing.T, c Config) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *Config)
	}{
		{"Tables", runTables},
		{"MountFlags", runMountFlags},
		{"ReadDir", runReadDir},
		{"Space", runSpace},
		{"Model", runModel},
		{"Integrity", runIntegrity},
		{"RenameRace", runRenameRace},
		{"Locks", runLocks},
		{"Revoke", runRevoke},
		{"Quotas", runQuotas},
		{"Handles", runHandles},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, &c) })
	}
}
