//go:build !unix || solaris || aix

package host

import "os"

func startAgain(*os.File) (*os.Process, error) { return nil, ErrNoDetach }

func toDevNull(...int) error { return ErrNoDetach }

func takePipe(int) bool { return false }
