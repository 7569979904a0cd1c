package ls

// appendRight appends a field and spaces to its left, and a space.
func appendRight(b []byte, field string, width int) []byte {
	b = appendSpaces(b, width-len(field))
	b = append(b, field...)
	return append(b, ' ')
}

// appendLeft appends a field and spaces to its right.
func appendLeft(b []byte, field string, width int) []byte {
	b = append(b, field...)
	return appendSpaces(b, width-len(field))
}

func appendSpaces(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, ' ')
	}
	return b
}

// appendName appends a name and what -i, -s, -F and -p add, and returns how many columns that takes.
func (t *table) appendName(b []byte, r *row) ([]byte, int) {
	start := len(b)
	b = t.appendNumbers(b, r)
	columns := len(b) - start + r.columns + len(r.mark)
	b = append(b, r.name...)
	return append(b, r.mark...), columns
}

// appendNumbers appends what -i and -s say.
func (t *table) appendNumbers(b []byte, r *row) []byte {
	if t.inode > 0 {
		b = appendRight(b, r.inode, t.inode)
	}
	if t.blocks > 0 {
		b = appendRight(b, r.blocks, t.blocks)
	}
	return b
}

// appendTotal appends the line with the number of blocks in a directory.
func (t *table) appendTotal(b []byte) []byte {
	if t.total == "" {
		return b
	}
	return append(append(append(b, "total "...), t.total...), '\n')
}

// printSingle is -1.
func (t *table) printSingle() []byte {
	var b []byte
	for i := range t.rows {
		b, _ = t.appendName(b, &t.rows[i])
		b = append(b, '\n')
	}
	return b
}

// printLong is -l.
func (l *lister) printLong(t *table) []byte {
	var b []byte
	if !l.leaves {
		b = t.appendTotal(b)
	}
	for i := range t.rows {
		r := &t.rows[i]
		b = t.appendNumbers(b, r)
		b = append(b, r.mode...)
		b = appendRight(append(b, ' '), r.links, t.links)
		if !l.groupOnly {
			b = append(appendLeft(b, r.user, t.user), "  "...)
		}
		b = append(appendLeft(b, r.group, t.group), "  "...)
		if l.fileFlags {
			b = append(appendLeft(b, r.flags, t.flags), ' ')
		}
		b = t.appendSize(b, r)
		b = append(append(b, r.time...), ' ')
		b = append(append(append(b, r.name...), r.mark...), r.target...)
		b = append(b, '\n')
	}
	return b
}

// appendSize appends the size of a file or the number of a device.
func (t *table) appendSize(b []byte, r *row) []byte {
	if r.major == "" {
		return appendRight(b, r.size, t.size)
	}
	b = appendSpaces(b, t.major-len(r.major))
	b = append(append(b, r.major...), ", "...)
	return appendRight(b, r.minor, t.minor)
}

// extra is how many columns -i and -s take.
func (t *table) extra() int {
	n := 0
	for _, w := range []int{t.inode, t.blocks} {
		if w > 0 {
			n += w + 1
		}
	}
	return n
}

// printColumns is -C and -x.
func (l *lister) printColumns(t *table) []byte {
	width := t.name + t.extra() + 1
	if l.markAll || l.markDirs {
		width++
	}
	if l.width < 2*width {
		return t.printSingle()
	}
	cols := l.width / width
	width = l.width / cols // spread out
	b := t.appendTotal(nil)
	if l.layout == across {
		return t.appendAcross(b, cols, width)
	}
	return t.appendDown(b, cols, width)
}

// appendDown fills one column after the other.
func (t *table) appendDown(b []byte, cols, width int) []byte {
	n := len(t.rows)
	lines := (n + cols - 1) / cols
	for line := range lines {
		for i := line; i < n; i += lines {
			var columns int
			b, columns = t.appendName(b, &t.rows[i])
			if i+lines < n {
				b = appendSpaces(b, width-columns)
			}
		}
		b = append(b, '\n')
	}
	return b
}

// appendAcross fills one line after the other.
func (t *table) appendAcross(b []byte, cols, width int) []byte {
	for i := range t.rows {
		if i > 0 && i%cols == 0 {
			b = append(b, '\n')
		}
		var columns int
		b, columns = t.appendName(b, &t.rows[i])
		b = appendSpaces(b, width-columns)
	}
	return append(b, '\n')
}

// printStream is -m.
func (l *lister) printStream(t *table) []byte {
	var b []byte
	extra, at := t.extra(), 0
	if l.markAll {
		extra++
	}
	for i := range t.rows {
		r := &t.rows[i]
		if i > 0 {
			b = append(b, ',')
			if at++; at+1+extra+r.columns >= l.width {
				b, at = append(b, '\n'), 0
			} else {
				b, at = append(b, ' '), at+1
			}
		}
		var columns int
		b, columns = t.appendName(b, r)
		at += columns
	}
	return append(b, '\n')
}
