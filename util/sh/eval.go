package sh

import (
	"context"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/abi"
)

const sigpipe = abi.SIGPIPE

// stmts carries out a list of statements.
func (s *shell) stmts(list []*syntax.Stmt) {
	for _, st := range list {
		if s.stopped() {
			return
		}
		s.stmt(st)
	}
}

// stopped runs the traps of signals that have come, and tells whether no statement follows.
func (s *shell) stopped() bool {
	s.runTraps()
	if s.ctx.Err() != nil && !s.flow.ended() {
		if sig := causeSignal(s.ctx); sig != 0 {
			s.status = exitSignal + sig
		}
		s.flow.abort()
	}
	return s.flow.leaving()
}

// stmt carries out a statement and sets the exit status.
func (s *shell) stmt(st *syntax.Stmt) {
	switch {
	case s.opts.on('n') && !s.interactive:
	case st.Background:
		s.background(st)
	case st.Negated:
		s.tested++
		s.command(st)
		s.tested--
		s.status = boolStatus(s.status != 0)
	default:
		s.command(st)
		s.checkErrexit(st)
	}
}

// checkErrexit ends the shell after a command that failed, with set -e.
func (s *shell) checkErrexit(st *syntax.Stmt) {
	if s.status == 0 || s.tested > 0 || s.flow.leaving() || !s.opts.on('e') {
		return
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr, *syntax.Subshell, nil:
		s.flow.exit()
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.Pipe {
			s.flow.exit()
		}
	}
}

// command carries out a command with its redirections.
func (s *shell) command(st *syntax.Stmt) {
	if call, ok := st.Cmd.(*syntax.CallExpr); ok || st.Cmd == nil {
		if call == nil {
			call = new(syntax.CallExpr)
		}
		s.simple(call, st.Redirs)
		return
	}
	if decl, ok := st.Cmd.(*syntax.FuncDecl); ok {
		s.define(decl)
		return
	}
	if len(st.Redirs) == 0 {
		s.compound(st.Cmd)
		return
	}
	before := s.fds.copy()
	if s.redirect(st.Redirs) {
		s.compound(st.Cmd)
	} else {
		s.status = exitError
	}
	s.restore(before)
}

// restore puts descriptors back to what they were before a redirection.
func (s *shell) restore(before descriptors) {
	s.fds.release()
	s.fds = before
}

// define defines a function.
func (s *shell) define(decl *syntax.FuncDecl) {
	if decl.Name == nil {
		s.abort("syntax error: a function needs a name")
		return
	}
	if b, ok := s.builtins[decl.Name.Value]; ok && b.special {
		s.abort("%s: is a special builtin", decl.Name.Value)
		return
	}
	s.funcs[decl.Name.Value] = decl.Body
	s.status = 0
}

// compound carries out a compound command.
func (s *shell) compound(cmd syntax.Command) {
	switch cmd := cmd.(type) {
	case *syntax.Block:
		s.stmts(cmd.Stmts)
	case *syntax.Subshell:
		s.subshell(cmd.Stmts)
	case *syntax.BinaryCmd:
		s.binary(cmd)
	case *syntax.IfClause:
		s.ifClause(cmd)
	case *syntax.WhileClause:
		s.whileClause(cmd)
	case *syntax.ForClause:
		s.forClause(cmd)
	case *syntax.CaseClause:
		s.caseClause(cmd)
	default:
		s.abort("syntax error: %T is not of the POSIX shell", cmd)
	}
}

// subshell carries out statements in a subshell, and waits for it. A shell that ends with them is one already.
func (s *shell) subshell(list []*syntax.Stmt) {
	if s.last {
		s.last = false
		s.stmts(list)
		return
	}
	ctx, done := s.foreground()
	defer done()
	child, err := s.fork(ctx)
	if err != nil {
		s.status = s.cannotFork(err)
		return
	}
	s.status = child.run(list)
}

func (s *shell) binary(cmd *syntax.BinaryCmd) {
	switch cmd.Op {
	case syntax.AndStmt, syntax.OrStmt:
		s.test(func() { s.stmt(cmd.X) })
		if !s.stopped() && (s.status == 0) == (cmd.Op == syntax.AndStmt) {
			s.stmt(cmd.Y)
		}
	case syntax.Pipe:
		s.pipeline(cmd)
	default:
		s.abort("syntax error: %v is not of the POSIX shell", cmd.Op)
	}
}

// test carries out what is a condition: set -e does not apply.
func (s *shell) test(do func()) {
	s.tested++
	do()
	s.tested--
}

func (s *shell) ifClause(cmd *syntax.IfClause) {
	for ; cmd != nil; cmd = cmd.Else {
		if len(cmd.Cond) == 0 { // else
			s.stmts(cmd.Then)
			return
		}
		s.test(func() { s.stmts(cmd.Cond) })
		if s.stopped() {
			return
		}
		if s.status == 0 {
			s.stmts(cmd.Then)
			return
		}
	}
	s.status = 0
}

func (s *shell) whileClause(cmd *syntax.WhileClause) {
	status := 0
	s.loops++
	for !s.stopped() {
		s.test(func() { s.stmts(cmd.Cond) })
		next := s.flow.kind == flowContinue
		if s.flow.loopLeft() || !next && (s.status == 0) == cmd.Until {
			break
		}
		if next {
			continue
		}
		s.stmts(cmd.Do)
		status = s.status
		if s.flow.loopLeft() {
			break
		}
	}
	s.loops--
	if !s.flow.leaving() {
		s.status = status
	}
}

func (s *shell) forClause(cmd *syntax.ForClause) {
	iter, ok := cmd.Loop.(*syntax.WordIter)
	if !ok || cmd.Select {
		s.abort("syntax error: this loop is not of the POSIX shell")
		return
	}
	items := s.params
	if iter.InPos.IsValid() {
		var err error
		if items, err = s.fields(iter.Items); err != nil {
			s.giveUp(err)
			return
		}
	}
	s.status = 0
	s.loops++
	for _, item := range items {
		if err := s.vars.set(iter.Name.Value, item); err != nil {
			s.giveUp(err)
		}
		s.stmts(cmd.Do)
		if s.flow.loopLeft() || s.stopped() {
			break
		}
	}
	s.loops--
}

func (s *shell) caseClause(cmd *syntax.CaseClause) {
	word, err := s.literal(cmd.Word)
	if err != nil {
		s.giveUp(err)
		return
	}
	s.status = 0
	for _, item := range cmd.Items {
		for _, p := range item.Patterns {
			pat, err := s.pattern(p)
			if err != nil {
				s.giveUp(err)
				return
			}
			if match(pat, word) {
				s.stmts(item.Stmts)
				return
			}
		}
	}
}

// pipeline carries out commands at once, each in a subshell, the output of each the input of the next.
func (s *shell) pipeline(cmd *syntax.BinaryCmd) {
	list := pipelineStmts(cmd)
	ctx, done := s.foreground()
	defer done()
	children, err := s.pipelineShells(ctx, len(list))
	if err != nil {
		s.status = s.cannotFork(err)
		return
	}
	statuses := make([]int, len(list))
	finished := make(chan int, len(list))
	for i, child := range children {
		child.last = endsShell(list[i])
		go func() {
			statuses[i] = child.run(list[i : i+1])
			finished <- i
		}()
	}
	for range children {
		<-finished
	}
	s.status = statuses[len(statuses)-1]
	if s.opts.on(optPipefail) {
		for _, status := range statuses {
			if status != 0 {
				s.status = status
			}
		}
	}
}

// endsShell tells whether a subshell that runs one statement can do so without another fork.
func endsShell(st *syntax.Stmt) bool {
	switch st.Cmd.(type) {
	case *syntax.CallExpr, *syntax.Subshell:
		return true
	}
	return false
}

// pipelineStmts returns the commands of a pipeline from left to right.
func pipelineStmts(cmd *syntax.BinaryCmd) []*syntax.Stmt {
	var list []*syntax.Stmt
	for {
		list = append(list, cmd.Y)
		left, ok := cmd.X.Cmd.(*syntax.BinaryCmd)
		if !ok || left.Op != syntax.Pipe || len(cmd.X.Redirs) > 0 {
			list = append(list, cmd.X)
			break
		}
		cmd = left
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// pipelineShells forks n subshells and connects them.
func (s *shell) pipelineShells(ctx context.Context, n int) ([]*shell, error) {
	children := make([]*shell, 0, n)
	for range n {
		child, err := s.fork(ctx)
		if err != nil {
			for _, c := range children {
				c.exit()
			}
			return nil, err
		}
		children = append(children, child)
	}
	for i := range n - 1 {
		r, w := newPipe()
		children[i].fds.set(1, newDescription(w))
		children[i+1].fds.set(0, newDescription(r))
	}
	return children, nil
}

func boolStatus(ok bool) int {
	if ok {
		return 0
	}
	return 1
}
