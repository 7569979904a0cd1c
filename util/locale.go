package util

import "strings"

// UTF8 tells whether the variables of the environment choose a UTF-8 locale.
func (env *Env) UTF8() bool {
	for _, v := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if l := strings.ToLower(env.Getenv(v)); l != "" {
			return strings.Contains(l, "utf-8") || strings.Contains(l, "utf8")
		}
	}
	return false
}
