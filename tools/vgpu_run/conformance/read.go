// As read.c, with what Go has. Its os and syscall packages ask the kernel without libc, with cgo too.
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

var address string

// Reads by libc; nil where there is no cgo.
var readByLibc func(path string) ([]byte, error)

func try(name string, read func() (string, error)) {
	value, err := read()
	var number syscall.Errno
	if errors.As(err, &number) {
		fmt.Printf("%s.%s\t!%d\n", name, address, int(number))
	} else if err != nil {
		fmt.Printf("%s.%s\t!%s\n", name, address, err)
	} else {
		fmt.Printf("%s.%s\t%s\n", name, address, hex.EncodeToString([]byte(value)))
	}
}

func read(path string) func() (string, error) {
	return func() (string, error) {
		value, err := os.ReadFile(path)
		return string(value), err
	}
}

func lines(names []string) string {
	sort.Strings(names)
	return strings.Join(names, "\n") + "\n"
}

func list(path string) func() (string, error) {
	return func() (string, error) {
		entries, err := os.ReadDir(path)
		if err != nil {
			return "", err
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return lines(names), nil
	}
}

func all() {
	bus := "/sys/bus/pci/devices/" + address
	try("read", read(bus+"/vendor"))
	try("config", read(bus+"/config"))
	try("uevent", read(bus+"/uevent"))
	try("driver-alias", read("/sys/bus/pci/drivers/nvidia/"+address+"/vendor"))
	try("proc", read("/proc/driver/nvidia/version"))
	try("proc-gpu", read("/proc/driver/nvidia/gpus/"+address+"/information"))
	try("dots", read("/sys/bus/pci/devices/../devices/"+address+"/vendor"))
	try("dots-through-link", read(bus+"/../"+address+"/vendor"))
	try("slashes", read("//sys//bus/pci///devices/"+address+"//vendor"))
	try("proc-self-root", read("/proc/self/root"+bus+"/vendor"))
	try("not-of-the-device", read(bus+"/virtio0"))
	try("dirfd", func() (string, error) {
		directory, err := syscall.Open(bus, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if err != nil {
			return "", err
		}
		defer syscall.Close(directory)
		file, err := syscall.Openat(directory, "vendor", syscall.O_RDONLY, 0)
		if err != nil {
			return "", err
		}
		defer syscall.Close(file)
		bytes := make([]byte, 4096)
		size, err := syscall.Read(file, bytes)
		if err != nil {
			return "", err
		}
		return string(bytes[:size]), nil
	})
	try("pread", func() (string, error) {
		file, err := os.Open(bus + "/config")
		if err != nil {
			return "", err
		}
		defer file.Close()
		bytes := make([]byte, 4)
		_, err = file.ReadAt(bytes, 0x2c)
		return string(bytes), err
	})
	try("mmap", func() (string, error) {
		file, err := os.Open(bus + "/vendor")
		if err != nil {
			return "", err
		}
		defer file.Close()
		page, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_PRIVATE)
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(page), "\x00"), nil
	})
	try("readdir", list(bus))
	try("readdir-all", list("/sys/bus/pci/devices"))
	try("readdir-drivers", list("/sys/bus/pci/drivers"))
	try("readdir-proc", list("/proc/driver"))
	try("glob", func() (string, error) {
		names, err := filepath.Glob("/sys/bus/pci/devices/*/vendor")
		return lines(names), err
	})
	try("nftw", func() (string, error) {
		var names []string
		err := filepath.WalkDir("/sys/devices", func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.Name() == "vendor" {
				names = append(names, path)
			}
			return nil
		})
		return lines(names), err
	})
	try("readlink-bus", func() (string, error) { return os.Readlink(bus) })
	try("readlink-driver", func() (string, error) { return os.Readlink(bus + "/driver") })
	try("realpath", func() (string, error) { return filepath.EvalSymlinks(bus + "/vendor") })
	try("realpath-driver", func() (string, error) { return filepath.EvalSymlinks(bus + "/driver") })
	try("size", func() (string, error) {
		status, err := os.Stat(bus + "/modalias")
		if err != nil {
			return "", err
		}
		return strconv.FormatInt(status.Size(), 10), nil
	})
	try("chdir-above", func() (string, error) {
		if err := os.Chdir("/sys/bus"); err != nil {
			return "", err
		}
		return read("pci/devices/" + address + "/vendor")()
	})
	try("chdir", func() (string, error) {
		if err := os.Chdir(bus); err != nil {
			return "", err
		}
		return read("vendor")()
	})
	try("getcwd", func() (string, error) {
		if err := os.Chdir(bus); err != nil {
			return "", err
		}
		return syscall.Getwd()
	})
	os.Chdir("/")
	if readByLibc != nil {
		try("libc-read", func() (string, error) {
			value, err := readByLibc(bus + "/vendor")
			return string(value), err
		})
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--child" {
		child := exec.Command(os.Args[0], os.Args[2:]...)
		child.Env = []string{}
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	for _, address = range os.Args[1:] {
		all()
	}
}
