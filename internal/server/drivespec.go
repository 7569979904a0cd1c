package server

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
)

// driveTokens are what a drivespec consists of: rump_server(1), option -d.
var driveTokens = map[string]func(d *drivespec, value string) error{
	"key":       (*drivespec).setKey,
	"hostpath":  (*drivespec).setHostPath,
	"size":      (*drivespec).setSize,
	"offset":    (*drivespec).setOffset,
	"disklabel": (*drivespec).setDisklabel,
	"type":      (*drivespec).setType,
}

// driveTypes are the words of type=.
var driveTypes = map[string]rump.DriveType{"blk": rump.Blk, "chr": rump.Chr, "reg": rump.Reg}

// drivespec is an argument of -d while it is read.
type drivespec struct {
	rump.Drive
	typed bool
	sized bool
}

// parseDrive reads an argument of -d. The errors have the original's texts.
func parseDrive(spec string) (rump.Drive, error) {
	var d drivespec
	for token := range strings.SplitSeq(strings.TrimSuffix(spec, ","), ",") {
		if spec == "" {
			break
		}
		name, value, given := strings.Cut(token, "=")
		set := driveTokens[name]
		if set == nil {
			return rump.Drive{}, errors.New("invalid dtoken")
		}
		if !given {
			return rump.Drive{}, fmt.Errorf("%s needs a value", name)
		}
		if err := set(&d, value); err != nil {
			return rump.Drive{}, err
		}
	}
	whole := d.Type == rump.Reg // a regular file without a size is the whole host file
	if d.Key == "" || d.HostPath == "" || !d.sized && d.Disklabel == 0 && !whole {
		return rump.Drive{}, errors.New("incomplete drivespec")
	}
	return d.Drive, nil
}

func (d *drivespec) setKey(value string) error {
	if d.Key != "" {
		return errors.New("key already given")
	}
	d.Key = value
	return nil
}

func (d *drivespec) setHostPath(value string) error {
	if d.HostPath != "" {
		return errors.New("hostpath already given")
	}
	d.HostPath = value
	return nil
}

var (
	errHostOffset = errors.New("cannot specify offset with size=host")
	errLabelAlone = errors.New("disklabel needs to be used alone")
)

func (d *drivespec) setSize(value string) (err error) {
	switch {
	case d.sized:
		return errors.New("size already given")
	case d.Disklabel != 0:
		return errLabelAlone
	case value == "host" && d.Offset != 0:
		return errHostOffset
	case value == "host":
		d.Size = rump.SizeHost
	default:
		d.Size, err = util.ParseNumber("-d size", value, 0, math.MaxInt64)
		if err == nil && d.Size == 0 {
			return nil // as good as not given
		}
	}
	d.sized = err == nil
	return err
}

func (d *drivespec) setOffset(value string) (err error) {
	switch {
	case d.Offset != 0:
		return errors.New("offset already given")
	case d.Disklabel != 0:
		return errLabelAlone
	case d.Size == rump.SizeHost:
		return errHostOffset
	}
	d.Offset, err = util.ParseNumber("-d offset", value, 0, math.MaxInt64)
	return err
}

func (d *drivespec) setDisklabel(value string) error {
	if d.Offset != 0 || d.sized {
		return errLabelAlone
	}
	if len(value) != 1 || value[0] < 'a' || value[0] > 'z' {
		return errors.New("invalid label part")
	}
	d.Disklabel = value[0]
	return nil
}

func (d *drivespec) setType(value string) error {
	if d.typed {
		return errors.New("type already specified")
	}
	t, ok := driveTypes[value]
	if !ok {
		return fmt.Errorf("invalid type %s", value)
	}
	d.Type, d.typed = t, true
	return nil
}
