package mount

import (
	"path"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// labelTypes are the types of file systems by the numbers that disk labels have for them: FS_* of
// <sys/disklabel.h>.
var labelTypes = [256]string{
	abi.FS_V7: "v7fs", abi.FS_BSDFFS: "ffs", abi.FS_MSDOS: "msdos", abi.FS_BSDLFS: "lfs", abi.FS_ISO9660: "cd9660",
	abi.FS_ADOS: "ados", abi.FS_FILECORE: "filecore", abi.FS_EX2FS: "ext2fs", abi.FS_NTFS: "ntfs",
	abi.FS_APPLEUFS: "ffs", abi.FS_UDF: "udf", abi.FS_SYSVBFS: "sysvbfs", abi.FS_EFS: "efs", abi.FS_NILFS: "nilfs",
}

// labelType returns the type of the file system on a device by the label of its disk, or nothing if that says
// none. Errors: those of open(2). A device that is in use is known by its raw one.
func labelType(sys *client.Sys, device string) (string, error) {
	fd, err := sys.Open(device, abi.O_RDONLY, 0)
	if err == abi.EBUSY {
		dir, name := path.Split(device)
		if fd, err = sys.Open(dir+"r"+name, abi.O_RDONLY, 0); err != nil {
			return "", nil
		}
	}
	if err != nil {
		return "", err
	}
	defer sys.Close(fd)
	b := make([]byte, max(abi.SizeofDkwedgeInfo, abi.SizeofDisklabel))
	var wedge abi.DkwedgeInfo
	if sys.Ioctl(fd, abi.DIOCGWEDGEINFO, b[:abi.SizeofDkwedgeInfo]) == nil && wedge.Decode(b) == nil {
		return abi.CString(wedge.Ptype[:]), nil
	}
	var label abi.Disklabel
	if sys.Ioctl(fd, abi.DIOCGDINFO, b[:abi.SizeofDisklabel]) != nil || label.Decode(b) != nil || device == "" {
		return "", nil
	}
	part := strings.IndexByte("abcdefghijklmnop", device[len(device)-1])
	if part < 0 || part >= int(label.Npartitions) || part >= len(label.Partitions) {
		return "", nil
	}
	return labelTypes[label.Partitions[part].Fstype], nil
}
