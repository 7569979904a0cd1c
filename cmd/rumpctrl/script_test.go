//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/internal/harness"
)

// shells has how each shell is started without its user's files, and how it shows a prompt.
var shells = []struct {
	name   string
	args   []string
	prompt string
}{
	{"bash", []string{"--norc", "--noprofile"}, `printf '%s\n' "${PS1@P}"`},
	{"dash", nil, `eval "printf '%s\n' \"$PS1\""`},
	{"zsh", []string{"-f"}, `print -P -- "$PS1"`},
}

// scripts are run in each shell, in the directory above the installation; what they print is the same in all. The host has
// programs a and b, and of these a is a utility too.
var scripts = []struct {
	name, script, want string
}{
	{
		"url", `. ./i/rumpctrl.sh; echo "${RUMP_SERVER-none}"; prompt
			RUMP_SERVER=unix://later; prompt`,
		"none\nrumpctrl (NULL)$ \nrumpctrl (unix://later)$ \n",
	},
	{
		"argument", `set -- tcp://127.0.0.1:1234; . ./i/rumpctrl.sh; env | grep ^RUMP_SERVER; prompt`,
		"RUMP_SERVER=tcp://127.0.0.1:1234\nrumpctrl (tcp://127.0.0.1:1234)$ \n",
	},
	{
		"socket", `set -- -u csock; . ./i/rumpctrl.sh; env | grep ^RUMP_SERVER`,
		"RUMP_SERVER=unix://csock\n",
	},
	{
		"bad arguments", `set -- csock; . ./i/rumpctrl.sh; rumpctrl_unload; set -- -u; . ./i/rumpctrl.sh; echo "${RUMP_SERVER-none}"`,
		"rumpctrl: 'csock' is not a URL\nrumpctrl: -u needs the path of a socket\nnone\n",
	},
	{
		"twice", `. ./i/rumpctrl.sh; . ./i/rumpctrl.sh; echo $?`,
		"rumpctrl env already loaded!\n1\n",
	},
	{
		"path", `. ./i/rumpctrl.sh; a; b; rumpctrl_hostcmd a; rumpctrl_hostcmd b x 'y z'; rumpctrl_hostcmd nosuch 2>/dev/null; echo $?`,
		"rumpctrl as a\nhost b\nhost a\nhost b x y z\n127\n",
	},
	{
		"has", `. ./i/rumpctrl.sh; rumpctrl_hascmd a && echo yes; rumpctrl_hascmd b || echo no; rumpctrl_hascmd rumpctrl; rumpctrl_hascmd; rumpctrl_hascmd ../bin/a`,
		"#t\nyes\n#f\nno\n#f\n#f\n#f\n",
	},
	{
		"list", `. ./i/rumpctrl.sh; rumpctrl_listcmds`,
		"rumpctrl list\n",
	},
	{
		"cd", `. ./i/rumpctrl.sh; cd /tmp; echo $?; cd; rumpctrl_unload; cd /; pwd`,
		"ERROR: cd not available in rumpctrl mode /tmp\n1\nERROR: cd not available in rumpctrl mode\n/\n",
	},
	{
		"aliases", `alias two='echo "2"' one=echo; . ./i/rumpctrl.sh; alias | grep one; rumpctrl_unload; alias | grep -c -e one= -e two=`,
		"2\n",
	},
	{
		"unload", `PS1='me> '; RUMP_SERVER=unix://mine; p=$PATH; . ./i/rumpctrl.sh unix://other; RUMP_SERVER=unix://third
			rumpctrl_unload; echo "$PS1$RUMP_SERVER"; [ "$p" = "$PATH" ] && echo same; a
			set | grep '^_*rumpctrl'; type rumpctrl_unload >/dev/null 2>&1 || echo gone
			. ./i/rumpctrl.sh; prompt`,
		"me> unix://mine\nsame\nhost a\ngone\nrumpctrl (unix://mine)$ \n",
	},
	{
		"unload unset", `unset PS1 RUMP_SERVER; set -u; . ./i/rumpctrl.sh; rumpctrl_unload; echo "${PS1-no prompt} ${RUMP_SERVER-no server}"`,
		"no prompt no server\n",
	},
	{
		"errexit", `set -eu; . ./i/rumpctrl.sh; rumpctrl_unload; echo still here`,
		"still here\n",
	},
}

// TestScript sources rumpctrl.sh in each shell: what its head says, and what the original's did.
func TestScript(t *testing.T) {
	dir := t.TempDir()
	installed := filepath.Join(dir, "i")
	if err := installIn(installed, nil); err != nil {
		t.Fatal(err)
	}
	fake(t, filepath.Join(installed, "bin", "a"), "rumpctrl as a")
	fake(t, filepath.Join(installed, "bin", self), "rumpctrl")
	fake(t, filepath.Join(dir, "host", "a"), "host a")
	fake(t, filepath.Join(dir, "host", "b"), "host b")
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			path := harness.Tool(t, sh.name)
			for _, tool := range []string{"grep", "sed", "env"} {
				link := filepath.Join(dir, "host", tool)
				os.Remove(link)
				if err := os.Symlink(harness.Tool(t, tool), link); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range scripts {
				t.Run(s.name, func(t *testing.T) {
					cmd := exec.Command(path, sh.args...)
					cmd.Dir = dir
					cmd.Env = []string{"PATH=" + filepath.Join(dir, "host"), "HOME=" + dir}
					cmd.Stdin = strings.NewReader("prompt() {\n" + sh.prompt + "\n}\n" + s.script + "\n")
					var out bytes.Buffer
					cmd.Stdout, cmd.Stderr = &out, &out
					var exit *exec.ExitError
					if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
						t.Fatal(err)
					}
					if out.String() != s.want {
						t.Errorf("printed:\n%s\nwant:\n%s", out.String(), s.want)
					}
				})
			}
		})
	}
}

// fake makes a program that says who it is and what its arguments are.
func fake(t *testing.T, path, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	script := "#!/bin/sh\necho " + name + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}
