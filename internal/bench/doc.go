// Package bench holds the benchmarks of whole paths: a client in one process and a kernel in another, or kernels of a network in one process and in two, beside
// what the host itself does of the same kind as the yardstick, and the same calls on a kernel in the same process.
//
//	go test -run '^$' -bench . ./internal/bench
//
// docs/speed.md has what was measured. No test passes or fails by these figures.
package bench
