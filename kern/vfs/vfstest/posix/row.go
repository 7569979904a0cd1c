package posix

import (
	"fmt"
	"strconv"
	"strings"
)

// row is a process that makes calls, the loops around it written out.
type row struct {
	line int
	// num is the number of the check; 0 marks a step that is none.
	num int
	// vars are the values of the loops' variables; one of the name jail marks what is to be done in a jail.
	vars map[string]string
	user user
	text string
	// calls are the words of each call.
	calls [][]string
	// keep is the variable that keeps what the last call gives.
	keep string
	// want are the alternatives of what the last call must give; nil for a step that may give anything.
	want []string
}

// user is whom a row runs as; what is not set stays as it is with root.
type user struct {
	uid   *int
	gids  []int
	umask int
}

// row reads one row and adds it, or the rows that it stands for.
func (w *writer) row(l line, vars map[string]string) error {
	text, err := expandVars(l.text, vars)
	if err != nil {
		return err
	}
	r := row{line: l.num, vars: vars, text: text, want: []string{"0"}}
	rest, step := strings.CutPrefix(text, "- ")
	if call, want, ok := strings.Cut(rest, " -> "); ok {
		rest, r.want = call, strings.Split(want, "|")
	}
	if name, call, ok := strings.Cut(rest, " = "); ok && step {
		r.keep, rest, r.want = name, call, nil
	}
	words, err := r.prefixes(strings.Fields(rest))
	if err != nil {
		return err
	}
	if r.calls, err = splitCalls(words); err != nil {
		return err
	}
	all := []row{r}
	if r.calls[0][0] == "make" {
		if all, err = r.made(); err != nil {
			return err
		}
	}
	return w.add(all, step)
}

// splitCalls takes calls apart at ";".
func splitCalls(words []string) ([][]string, error) {
	var calls [][]string
	start := 0
	for i := 0; i <= len(words); i++ {
		if i < len(words) && words[i] != ";" {
			continue
		}
		if start == i {
			return nil, fmt.Errorf("no call")
		}
		calls, start = append(calls, words[start:i]), i+1
	}
	return calls, nil
}

// add numbers rows.
func (w *writer) add(rows []row, step bool) error {
	for _, r := range rows {
		if err := w.spend(); err != nil {
			return err
		}
		if !step {
			r.num = w.next
			w.next++
		}
		w.rows = append(w.rows, r)
	}
	return nil
}

// prefixes takes off what comes before the first call.
func (r *row) prefixes(words []string) ([]string, error) {
	for len(words) > 1 {
		switch words[0] {
		case "jail":
			r.vars = withVars(r.vars)
			r.vars["jail"] = "yes"
			words = words[1:]
			continue
		case "as":
			uid, gids, _ := strings.Cut(words[1], ":")
			if err := r.user.parse(uid, gids); err != nil {
				return nil, err
			}
		case "umask":
			mask, err := strconv.ParseUint(words[1], 8, 9)
			if err != nil {
				return nil, err
			}
			r.user.umask = int(mask)
		default:
			return words, nil
		}
		words = words[2:]
	}
	return words, nil
}

func (u *user) parse(uid, gids string) error {
	if uid != "" {
		n, err := strconv.Atoi(uid)
		if err != nil {
			return err
		}
		u.uid = &n
	}
	if gids == "" {
		return nil
	}
	for _, g := range strings.Split(gids, ",") {
		n, err := strconv.Atoi(g)
		if err != nil {
			return err
		}
		u.gids = append(u.gids, n)
	}
	return nil
}

// made are the rows that "make KIND PATH [MODE] [UID GID]" stands for.
func (r *row) made() ([]row, error) {
	w := r.calls[0][1:]
	if len(w) < 2 || len(w) > 5 {
		return nil, fmt.Errorf("make has a kind, a path, and maybe a mode and an owner")
	}
	kind, path, rest := w[0], w[1], w[2:]
	first := map[string][]string{"none": nil, "regular": {"create", path, "0644"}, "dir": {"mkdir", path, "0755"},
		"fifo": {"mkfifo", path, "0644"}, "block": {"mknod", path, "b", "0644", "1", "2"}, "char": {"mknod", path, "c", "0644", "1", "2"},
		"socket": {"bind", path}, "symlink": {"symlink", "test", path}}
	call, ok := first[kind]
	if !ok {
		return nil, fmt.Errorf("no kind %s", kind)
	}
	if call == nil {
		return nil, nil
	}
	calls := [][]string{call}
	if len(rest)%2 == 1 {
		chmod := "chmod"
		if kind == "symlink" {
			chmod = "lchmod"
		}
		calls, rest = append(calls, []string{chmod, path, rest[0]}), rest[1:]
	}
	if len(rest) == 2 {
		calls = append(calls, []string{"lchown", path, rest[0], rest[1]})
	}
	var rows []row
	for _, words := range calls {
		n := *r
		n.calls, n.text = [][]string{words}, strings.Join(words, " ")
		rows = append(rows, n)
	}
	return rows, nil
}
