package posix

import "strings"

// Counts are what became of checks. Failed ones are the rest, and fail the test.
type Counts struct {
	Cases, Checks int
	// Passed gave what they must.
	Passed int
	// Differ gave what exceptions.txt says instead.
	Differ int
	// LeftOut were not made, as exceptions.txt says.
	LeftOut int
}

// Failed are those that gave something else.
func (c Counts) Failed() int { return c.Checks - c.Passed - c.Differ - c.LeftOut }

// Add adds others.
func (c *Counts) Add(o Counts) {
	c.Cases += o.Cases
	c.Checks += o.Checks
	c.Passed += o.Passed
	c.Differ += o.Differ
	c.LeftOut += o.LeftOut
}

// Reason is why checks are exceptions, and how many.
type Reason struct {
	Title, Source string
	Checks        int
}

// Result is what became of the checks in a file system.
type Result struct {
	// Tables are by the names of pjdfstest's folders: "rename".
	Tables map[string]*Counts
	// Reasons are the exceptions by title.
	Reasons map[string]*Reason
}

func newResult() Result { return Result{Tables: map[string]*Counts{}, Reasons: map[string]*Reason{}} }

// of are the counts of the table that a case is in.
func (r Result) of(c *testCase) *Counts {
	table, _, _ := strings.Cut(c.name, "/")
	if r.Tables[table] == nil {
		r.Tables[table] = &Counts{}
	}
	return r.Tables[table]
}

// except counts a check that is an exception; a step is none.
func (r Result) except(count *int, e *exception, w *row) {
	if w.num == 0 {
		return
	}
	*count++
	why := r.Reasons[e.reason.title]
	if why == nil {
		why = &Reason{Title: e.reason.title, Source: e.reason.source}
		r.Reasons[why.Title] = why
	}
	why.Checks++
}

// Total are the counts of all tables.
func (r Result) Total() Counts {
	var sum Counts
	for _, c := range r.Tables {
		sum.Add(*c)
	}
	return sum
}
