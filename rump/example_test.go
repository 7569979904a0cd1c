package rump_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
)

// A kernel in this program, with a file system in memory.
func Example() {
	k, err := rump.New(rump.Config{Components: rump.With("rumpfs_tmpfs")})
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		log.Fatal(err)
	}
	defer k.Halt()

	p, err := k.Process("example")
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	if err := p.WriteFile("/tmp/greeting", []byte("messages from earth\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	text, err := p.ReadFile("/tmp/greeting")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output: messages from earth
}

// Kernels share nothing: each has its own files and its own name.
func Example_twoKernels() {
	for _, name := range []string{"earth", "moon"} {
		k, err := rump.New(rump.Config{Hostname: name})
		if err != nil {
			log.Fatal(err)
		}
		if err := k.Boot(); err != nil {
			log.Fatal(err)
		}
		defer k.Halt()
		p, err := k.Process("example")
		if err != nil {
			log.Fatal(err)
		}
		_, err = p.Stat("/flag")
		fmt.Printf("%s before: %v\n", name, err)
		if err := p.WriteFile("/flag", []byte(name), 0o644); err != nil {
			log.Fatal(err)
		}
		text, _ := p.ReadFile("/flag")
		host, _ := p.Sysctl().String("kern.hostname")
		fmt.Printf("%s has %s\n", host, text)
	}
	// Output:
	// earth before: stat /flag: No such file or directory
	// earth has earth
	// moon before: stat /flag: No such file or directory
	// moon has moon
}

// A kernel that is served on a socket, and a client of it.
func ExampleKernel_Listen() {
	dir, err := os.MkdirTemp("", "rump")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	k, err := rump.New(rump.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		log.Fatal(err)
	}
	defer k.Halt()
	url, err := k.Listen("unix://" + filepath.Join(dir, "sock"))
	if err != nil {
		log.Fatal(err)
	}

	p, err := client.Dial(context.Background(), url, "example")
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	entries, err := p.ReadDir("/")
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Println(e)
	}
	// Output:
	// d dev/
	// d tmp/
}

// A host file as a regular file of the kernel.
func ExampleDrive() {
	dir, err := os.MkdirTemp("", "rump")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	note := filepath.Join(dir, "note")
	if err := os.WriteFile(note, []byte("hello from the host\n"), 0o644); err != nil {
		log.Fatal(err)
	}

	k, err := rump.New(rump.Config{
		Drives: []rump.Drive{{Key: "/note", HostPath: note, Type: rump.Reg, Size: rump.SizeHost}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		log.Fatal(err)
	}
	defer k.Halt()
	p, err := k.Process("example")
	if err != nil {
		log.Fatal(err)
	}
	text, err := p.ReadFile("/note")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output: hello from the host
}
