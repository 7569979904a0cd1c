package rump_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
)

// Two kernels on an Ethernet in memory: a web server on one, an http.Client on the other. Neither touches this machine's
// network.
func Example_network() {
	var buses rump.Buses
	host := func(name, address string) *client.Process {
		k, err := rump.New(rump.Config{Components: rump.With("rumpnet_shmif", "rumpnet_netinet"), Hostname: name, Buses: &buses})
		if err != nil {
			log.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			log.Fatal(err)
		}
		p, err := k.Process(name)
		if err != nil {
			log.Fatal(err)
		}
		for _, err := range []error{
			p.CreateInterface("shmif0"),
			p.SetLinkstr("shmif0", "mem:ether"),
			p.AddAddress("shmif0", netip.MustParsePrefix(address)),
		} {
			if err != nil {
				log.Fatal(err)
			}
		}
		return p
	}
	server, visitor := host("server", "10.0.0.1/24"), host("visitor", "10.0.0.2/24")

	l, err := server.Listen(context.Background(), "tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintf(w, "messages from earth, %s", from)
	}))

	c := http.Client{Transport: &http.Transport{DialContext: visitor.DialContext}}
	r, err := c.Get("http://10.0.0.1/")
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Status, string(text))
	// Output: 200 OK messages from earth, 10.0.0.2
}
