"""What a program that sees the virtual devices has to print, from the tree and the host."""

import errno
import os


def hexadecimal(value):
    return (value.encode() if isinstance(value, str) else value).hex()


def lines(names):
    return "".join(f"{name}\n" for name in sorted(names))


def below(top, name):
    """The files of that name, without following links."""
    return [os.path.join(directory, name) for directory, _, names in os.walk(top)
            if name in names]


def of_device(tree, address, addresses):
    """Pattern to what is printed for it. `tree` is a directory that vgpu-run write-tree made."""
    def link(path):
        return os.readlink(tree + path)

    def directory_of(function):
        path = os.path.join("/sys/bus/pci/devices", link(f"/sys/bus/pci/devices/{function}"))
        return os.path.normpath(path)

    function = directory_of(address)

    def content(path):
        with open(tree + path, "rb") as file:
            return file.read()

    def shown(path, ours):
        return lines({*os.listdir(path), *ours})

    vendor = content(f"{function}/vendor")
    config = content(f"{function}/config")
    modalias = len(content(f"{function}/modalias"))
    devices = {*os.listdir("/sys/bus/pci/devices"), *addresses}
    owned = [directory_of(other) for other in addresses]
    vendors = [path for path in below("/sys/devices", "vendor")
               if not any(path.startswith(f"{ours}/") for ours in owned)]
    vendors += [f"{ours}/vendor" for ours in owned]
    values = dict.fromkeys(
        ("read", "canonical", "driver-alias", "dots", "dots-through-link", "slashes", "dot",
         "proc-self-root", "own-link", "dirfd", "dirfd-up", "dirfd-above", "proc-self-fd",
         "proc-self-cwd", "chdir", "chdir-above", "chdir-up", "fchdir", "mmap", "sendfile",
         "fgets", "getline", "raw-openat", "raw-openat2", "libc-read"), vendor)
    values |= dict.fromkeys(("readdir-all", "scandir"), lines(devices))
    values |= dict.fromkeys(("nftw", "fts"), lines(vendors))
    values |= dict.fromkeys(("pread", "lseek"), config[0x2c:0x30])
    values |= dict.fromkeys(("preadv", "readv"), config[:4])
    values |= {
        "config": config,
        "uevent": content(f"{function}/uevent"),
        "proc": content("/proc/driver/nvidia/version"),
        "proc-gpu": content(f"/proc/driver/nvidia/gpus/{address}/information"),
        "freopen": content(f"{function}/device"),
        "dup": config[:64],
        "fscanf": f"{int(vendor, 16):x}",
        "readdir": lines(os.listdir(tree + function)),
        "fdopendir": lines(os.listdir(f"{tree}{function}/power")),
        "readdir-driver": lines(os.listdir(f"{tree}/sys/bus/pci/drivers/nvidia")),
        "readdir-drivers": shown("/sys/bus/pci/drivers", ["nvidia"]),
        "readdir-proc": shown("/proc/driver", ["nvidia"]),
        "glob": lines(f"/sys/bus/pci/devices/{name}/vendor" for name in devices),
        "readlink-bus": link(f"/sys/bus/pci/devices/{address}"),
        "readlink-driver": link(f"{function}/driver"),
        "readlinkat": link(f"{function}/subsystem"),
        "realpath": f"{function}/vendor",
        "realpath-driver": "/sys/bus/pci/drivers/nvidia",
        "getcwd": function,
        "size": str(modalias),
        "stat": f"100444 {modalias}",
        "fstatat": f"100444 {modalias}",
        "statx": f"100444 {modalias}",
        "stat-directory": "40755 0",
        "lstat": "120777 0",
        "access": "0 0 -1",
        "faccessat": "0",
        "write": "refused",
    }
    answers = {name: hexadecimal(value) for name, value in values.items()}
    # What the host's function has there, and the virtual one has not.
    answers["not-of-the-device"] = f"!{errno.ENOENT}"
    return answers
