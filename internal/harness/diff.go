package harness

import (
	"slices"
	"strings"
)

// diff returns where two outputs differ, with a line of both around: "-" marks want's lines, "+" got's.
func diff(want, got []string) string {
	type line struct{ mark, text string }
	var lines []line
	common := lengths(want, got)
	for i, j := 0, 0; i < len(want) || j < len(got); {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			lines = append(lines, line{" ", want[i]})
			i++
			j++
		case j == len(got) || i < len(want) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, line{"-", want[i]})
			i++
		default:
			lines = append(lines, line{"+", got[j]})
			j++
		}
	}
	var b strings.Builder
	for i, l := range lines {
		near := lines[max(i-1, 0):min(i+2, len(lines))]
		if slices.ContainsFunc(near, func(l line) bool { return l.mark != " " }) {
			b.WriteString("\t" + l.mark + l.text + "\n")
		}
	}
	return b.String()
}

// lengths returns how many lines the ends of two outputs from i and j on have in common.
func lengths(a, b []string) [][]int {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}
