package traceroute

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/util"
)

// defaultASServer has the routes of the internet; $RA_SERVER names another.
const defaultASServer = "whois.radb.net"

// asTimeout is how long the server may take for an answer.
const asTimeout = 10 * time.Second

// asServer is a routing registry that says which autonomous system an address is in. As names of hosts it is found in the host's network:
// a kernel's may be one of its own.
type asServer struct {
	conn net.Conn
	r    *bufio.Reader
}

// dialAS connects to a server.
func dialAS(ctx context.Context, env *util.Env, server string) (*asServer, error) {
	server = cmp.Or(server, env.Getenv("RA_SERVER"), defaultASServer)
	d := net.Dialer{Timeout: asTimeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(server, "43"))
	if err != nil {
		return nil, util.Messagef("connect: %s", err)
	}
	return newASServer(conn)
}

// newASServer asks the server for a connection of many questions.
func newASServer(conn net.Conn) (*asServer, error) {
	s := &asServer{conn, bufio.NewReader(io.LimitReader(conn, 1<<20))}
	if err := s.write("!!\n"); err != nil {
		conn.Close()
		return nil, util.Messagef("connect: %s", err)
	}
	return s, nil
}

func (s *asServer) write(text string) error {
	s.conn.SetDeadline(time.Now().Add(asTimeout)) //nolint:errcheck // the write tells
	_, err := io.WriteString(s.conn, text)
	return err
}

// lookup is the number of the autonomous system of the first route to an address, 0 for none. The answer is a letter, A with the length
// of what follows before its end, which is a letter again.
func (s *asServer) lookup(a netip.Addr) (as uint32) {
	if s.write(fmt.Sprintf("!r%s/%d,l\n", a, a.BitLen())) != nil {
		return 0
	}
	line, err := s.r.ReadString('\n')
	var left int
	if err != nil || !strings.HasPrefix(line, "A") {
		return 0
	}
	if _, err := fmt.Sscanf(line, "A%d", &left); err != nil {
		return 0
	}
	for left > 0 {
		if line, err = s.r.ReadString('\n'); err != nil {
			return as
		}
		left -= len(line)
		if key, value, _ := strings.Cut(line, ":"); as == 0 && strings.EqualFold(key, "origin") {
			fmt.Sscanf(strings.TrimSpace(value), "AS%d", &as) //nolint:errcheck // 0 is what it is then
		}
	}
	s.r.ReadString('\n') //nolint:errcheck // the end of the answer
	return as
}

func (s *asServer) close() {
	s.write("!q\n") //nolint:errcheck // a courtesy
	s.conn.Close()
}
