package harness

import (
	"regexp"
	"strings"
)

// normal replaces what differs from run to run: times, addresses, names of hosts, directories.
type normal struct {
	words    *strings.Replacer
	patterns []replacement
}

type replacement struct {
	pattern *regexp.Regexp
	word    string
}

// volatile has the patterns in the order in which they are replaced.
var volatile = [...]struct{ pattern, word string }{
	{`\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b`, "<mac>"},
	{`fe80::[0-9a-f:]*[0-9a-f]%shmif0  +`, "<linklocal>%shmif0     "}, // a column: zeroes in the address make it longer or shorter
	{`fe80::[0-9a-f:]*[0-9a-f]`, "<linklocal>"},
	{`\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d+ +(\d\d:\d\d|\d{4})(:\d\d)?( \d{4})?`, "<date>"},
	{`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) <date>`, "<date>"},
	{`rump-\d+\.[\w.-]+|rump-\d+`, "<host>"},
	{`in \d+\.\d+ secs \(\d+ bytes/sec\)`, "in <time>"},
	{`time=[\d.]+ ms`, "time=<ms>"},
	{`= [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms`, "= <rtt> ms"},
}

func newNormal(p *Programs, cwd string) *normal {
	n := &normal{words: strings.NewReplacer(p.Util, "<util>", p.Server, "<server>", cwd, "<cwd>")}
	for _, v := range volatile {
		n.patterns = append(n.patterns, replacement{regexp.MustCompile(v.pattern), v.word})
	}
	return n
}

// line returns a line without what is volatile and without blanks at its end.
func (n *normal) line(s string) string {
	s = n.words.Replace(s)
	for _, r := range n.patterns {
		s = r.pattern.ReplaceAllLiteralString(s, r.word)
	}
	return strings.TrimRight(s, " \t\r\n\v\f")
}
