// Package bench holds the benchmarks of whole paths: a client in one process and a kernel in another, beside
// a raw net.Conn echo of equal sizes as the yardstick, and the same calls on a kernel in the same process.
//
//	go test -run '^$' -bench . ./internal/bench
//
// docs/speed.md has what was measured. No test passes or fails by these figures.
package bench
