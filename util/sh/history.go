package sh

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	historyName = ".rump_history" // in the home directory of the host's user
	historyMax  = 1000            // entries
	historySize = 1 << 20         // bytes of the file that are read
)

// history is the lines of earlier sessions and of this one, the latest first. If there is a home directory they are in
// a file there that only its user can read; otherwise they last as long as the session.
type history struct {
	entries []string // the latest last
	file    *os.File // nil if there is none
}

// openHistory reads the history.
func openHistory() *history {
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return &history{}
	}
	return openHistoryFile(filepath.Join(home, historyName))
}

func openHistoryFile(path string) *history {
	h := &history{}
	if fi, err := os.Lstat(path); err == nil && !fi.Mode().IsRegular() {
		return h
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return h
	}
	h.file = f
	h.load()
	return h
}

// load reads the end of the file, and cuts the file to that if it is long.
func (h *history) load() {
	fi, err := h.file.Stat()
	if err != nil {
		return
	}
	skipped := max(fi.Size()-historySize, 0)
	lines := bufio.NewScanner(io.NewSectionReader(h.file, skipped, historySize))
	for lines.Scan() {
		if skipped > 0 { // a part of a line
			skipped = 0
			continue
		}
		h.remember(lines.Text())
	}
	if fi.Size() > historySize && h.file.Truncate(0) == nil {
		h.file.WriteString(strings.Join(h.entries, "\n") + "\n") //nolint:errcheck // the next session has less to remember
	}
}

// remember adds an entry, and drops the oldest if there are too many.
func (h *history) remember(entry string) bool {
	if strings.TrimSpace(entry) == "" || len(h.entries) > 0 && h.entries[len(h.entries)-1] == entry {
		return false
	}
	h.entries = append(h.entries, entry)
	if len(h.entries) > historyMax {
		h.entries = slices.Delete(h.entries, 0, len(h.entries)-historyMax)
	}
	return true
}

// Add adds an entry, unless it is blank or the same as the last one.
func (h *history) Add(entry string) {
	if h.remember(entry) && h.file != nil {
		h.file.WriteString(entry + "\n") //nolint:errcheck // the next session has less to remember
	}
}

// Len returns how many entries there are.
func (h *history) Len() int { return len(h.entries) }

// At returns an entry, 0 is the latest.
func (h *history) At(i int) string { return h.entries[len(h.entries)-1-i] }

// close closes the file.
func (h *history) close() {
	if h.file != nil {
		h.file.Close()
	}
}
