#!/usr/bin/python3
"""As read.c, with what Python has."""

import glob
import mmap
import os
import pathlib
import subprocess
import sys


def attempt(name, address, read):
    try:
        value = read()
        value = value.encode() if isinstance(value, str) else value
        print(f"{name}.{address}\t{value.hex()}")
    except OSError as error:
        print(f"{name}.{address}\t!{error.errno}")


def content(path):
    with open(path, "rb") as file:
        return file.read()


def lines(names):
    return "".join(name + "\n" for name in sorted(names))


def in_directory(directory, read):
    os.chdir(directory)
    try:
        return read()
    finally:
        os.chdir("/")


def with_directory(path, read):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return read(directory)
    finally:
        os.close(directory)


def descriptor(path, read, **options):
    file = os.open(path, os.O_RDONLY, **options)
    try:
        return read(file)
    finally:
        os.close(file)


def whole(file):
    return os.read(file, 65536)


def preadv(file):
    parts = [bytearray(2), bytearray(2)]
    os.preadv(file, parts, 0)
    return b"".join(parts)


def mapped(file):
    with mmap.mmap(file, 0, prot=mmap.PROT_READ) as page:
        return page[:]


def below(top):
    for directory, _, names in os.walk(top):
        if "vendor" in names:
            yield f"{directory}/vendor"


def write(path):
    try:
        os.close(os.open(path, os.O_WRONLY))
        return "opened"
    except OSError as error:
        return "none" if isinstance(error, FileNotFoundError) else "refused"


def read_all(address):
    bus = f"/sys/bus/pci/devices/{address}"
    vendor = f"{bus}/vendor"
    for name, read in {
        "read": lambda: content(vendor),
        "config": lambda: pathlib.Path(bus, "config").read_bytes(),
        "uevent": lambda: pathlib.Path(bus, "uevent").read_bytes(),
        "driver-alias": lambda: content(f"/sys/bus/pci/drivers/nvidia/{address}/vendor"),
        "proc": lambda: content("/proc/driver/nvidia/version"),
        "proc-gpu": lambda: content(f"/proc/driver/nvidia/gpus/{address}/information"),
        "dots": lambda: content(f"/sys/bus/pci/devices/../devices/{address}/vendor"),
        "dots-through-link": lambda: content(f"{bus}/../{address}/vendor"),
        "slashes": lambda: content(f"//sys//bus/pci///devices/{address}//vendor"),
        "proc-self-root": lambda: content(f"/proc/self/root{vendor}"),
        "not-of-the-device": lambda: content(f"{bus}/virtio0"),
        "dirfd": lambda: with_directory(
            bus, lambda fd: descriptor("vendor", whole, dir_fd=fd)),
        "dirfd-above": lambda: with_directory(
            "/sys/bus/pci", lambda fd: descriptor(f"devices/{address}/vendor", whole, dir_fd=fd)),
        "chdir": lambda: in_directory(bus, lambda: content("vendor")),
        "chdir-above": lambda: in_directory(
            "/sys/bus", lambda: content(f"pci/devices/{address}/vendor")),
        "getcwd": lambda: in_directory(bus, os.getcwd),
        "pread": lambda: descriptor(f"{bus}/config", lambda fd: os.pread(fd, 4, 0x2c)),
        "preadv": lambda: descriptor(f"{bus}/config", preadv),
        "mmap": lambda: descriptor(vendor, mapped),
        "readdir": lambda: lines(os.listdir(bus)),
        "readdir-all": lambda: lines(os.listdir("/sys/bus/pci/devices")),
        "readdir-drivers": lambda: lines(os.listdir("/sys/bus/pci/drivers")),
        "readdir-proc": lambda: lines(os.listdir("/proc/driver")),
        "fdopendir": lambda: with_directory(f"{bus}/power", lambda fd: lines(os.listdir(fd))),
        "scandir": lambda: lines(entry.name for entry in os.scandir("/sys/bus/pci/devices")),
        "glob": lambda: lines(glob.glob("/sys/bus/pci/devices/*/vendor")),
        "nftw": lambda: lines(below("/sys/devices")),
        "readlink-bus": lambda: os.readlink(bus),
        "readlink-driver": lambda: os.readlink(f"{bus}/driver"),
        "realpath": lambda: os.path.realpath(vendor, strict=True),
        "realpath-driver": lambda: os.path.realpath(f"{bus}/driver", strict=True),
        "size": lambda: str(os.stat(f"{bus}/modalias").st_size),
        "write": lambda: write(vendor),
    }.items():
        attempt(name, address, read)


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        sys.exit(subprocess.run([sys.executable, sys.argv[0], *sys.argv[2:]], env={}).returncode)
    for function in sys.argv[1:]:
        read_all(function)
