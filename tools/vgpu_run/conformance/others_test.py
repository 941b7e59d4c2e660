#!/usr/bin/python3 -B
"""Programs that others wrote show the virtual GPUs beside all real devices, and the rest as
before, byte for byte, under vgpu-run by mounts, vgpu-run --notify, and the preloaded library."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append("tools/testing")
import cases  # noqa: E402

OCCUPIED, FREE = "0000:00:05.0", "0000:00:1f.7"
ADDRESSES = (OCCUPIED, FREE)
CONFIG = "".join(f'[[device]]\npci_address = "{address}"\n' for address in ADDRESSES)
SCANDIR = ("import os\n"
           "for entry in sorted(os.scandir('/sys/bus/pci/devices'), key=lambda e: e.name):\n"
           "    print(entry.name, entry.is_symlink(), entry.is_dir(), "
           "open(entry.path + '/vendor').read().strip())\n")
GLOB = ("import glob\n"
        "for path in sorted(glob.glob('/sys/bus/pci/devices/*/vendor')):\n"
        "    print(path.split('/')[5], open(path).read().strip())\n")


def stanzas(text):
    """Blocks of lines between empty ones, by the address in each."""
    blocks = {}
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        blocks[address_in(block)] = blocks.get(address_in(block), "") + block + "\n\n"
    return blocks


def lines(text):
    blocks = {}
    for line in text.splitlines(keepends=True):
        blocks[address_in(line)] = blocks.get(address_in(line), "") + line
    return blocks


def address_in(text):
    found = re.search(r"\b(?:0000:)?(00:[0-9a-f]{2}\.[0-7])\b", text)
    return "0000:" + found[1] if found else ""


# The command, how its output falls apart, and what it says of a virtual device.
PROGRAMS = {
    "lspci -nn -k -v": (stanzas, [
        "3D controller [0302]: NVIDIA Corporation", "[10de:2331] (rev a1)",
        "Flags: bus master", "(32-bit, non-prefetchable) [size=16M]",
        "(64-bit, prefetchable) [size=128G]", "Capabilities: [60] Power Management version 3",
        "Capabilities: [68] MSI: Enable-", "Capabilities: [78] Express Endpoint",
        "Kernel driver in use: nvidia"]),
    "lspci -vmm": (stanzas, ["Class:\t3D controller", "Vendor:\tNVIDIA Corporation", "Rev:\ta1"]),
    "lspci -vv": (stanzas, ["LnkSta:\tSpeed 32GT/s, Width x16", "MaxReadReq 512 bytes",
                            "MaxPayload 256 bytes", "Status: D0"]),
    "lshw -quiet -businfo": (lines, ["display", "GH100"]),
    "lstopo-no-graphics --of console --no-collapse": (lines, ["PCI 00:", "(3D)"]),
    "udevadm info --export-db": (stanzas, [
        "V: nvidia", "E: PCI_CLASS=30200", "E: PCI_ID=10DE:2331", "E: DRIVER=nvidia"]),
    "python3 glob": (lines, ["0x10de"]),
    "python3 os.scandir": (lines, ["True True 0x10de"]),
    "find /sys/bus/pci /proc/driver": (lines, ["/sys/bus/pci/devices/"]),
    "grep -r . /sys/bus/pci/devices/ADDRESS/uevent": (lines, ["PCI_SLOT_NAME="]),
}


def command_of(name):
    if name == "python3 glob":
        return [sys.executable, "-c", GLOB]
    if name == "python3 os.scandir":
        return [sys.executable, "-c", SCANDIR]
    if name.startswith("find"):
        return ["sh", "-c", f"{name} | LC_ALL=C sort"]
    if name.startswith("grep"):
        return ["sh", "-c", "LC_ALL=C grep -H . /sys/bus/pci/devices/*/uevent"]
    return name.split()


class Others(unittest.TestCase):
    def setUp(self):
        if not os.path.isdir("/sys/bus/pci/devices"):
            self.skipTest("this kernel shows no PCI bus (/sys/bus/pci/devices)")
        self.directory = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.config = f"{self.directory}/devices.toml"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.vgpu_run = os.path.abspath("tools/vgpu_run/vgpu-run")

    def output(self, command, environment=None, prefix=()):
        done = subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=120,
                              env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                                   "LC_ALL": "C.UTF-8", "VGPU_CONFIG": self.config,
                                   **(environment or {})})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def compare(self, prefix=(), environment=None, but=()):
        for name, (split, wanted) in PROGRAMS.items():
            if name in but:
                continue
            command = command_of(name)
            if not shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
                print(f"{name}: not compared: {command[0]} is not installed here")
                continue
            with self.subTest(name):
                plain, complaints = self.output(command)
                seen, new_complaints = self.output(command, environment, prefix)
                self.assertEqual(new_complaints, complaints)
                before, after = split(plain), split(seen)
                for address in ADDRESSES:
                    for words in wanted:
                        self.assertIn(words, after.get(address, ""))
                # With the host's function go the devices that its driver made.
                gone = set(before) - set(after)
                self.assertEqual(gone, set())
                self.assertEqual(set(after) - set(before) - set(ADDRESSES), set())
                for address in before:
                    if address not in ADDRESSES:
                        self.same(name, before[address], after[address])

    def same(self, name, before, after):
        """But for what says that the virtual devices have a driver, and the replaced one none."""
        own = re.compile(r"nvidia|^pci@0000:00:(05\.0|1f\.7)|\bvirtio\d+\b|virtio@\d"
                         r"|Virtual I/O device|gpu")
        kept = [[line for line in text.splitlines() if not own.search(line)]
                for text in (before, after)]
        self.assertEqual(kept[1], kept[0], name)

    def skip_unless_it_runs(self, *prefix):
        done = subprocess.run([*prefix, "true"], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "VGPU_CONFIG": self.config})
        if done.returncode != 0:
            self.skipTest(done.stderr.strip())

    def test_under_mounts(self):
        prefix = [self.vgpu_run, "--files-only", "--"]
        self.skip_unless_it_runs(*prefix)
        self.compare(prefix)

    def test_under_notify(self):
        prefix = [self.vgpu_run, "--files-only", "--notify", "--"]
        self.skip_unless_it_runs(*prefix)
        self.compare(prefix)

    def test_preloaded(self):
        tree = f"{self.directory}/tree"
        self.output([self.vgpu_run, "write-tree", "--output", tree])
        self.compare(environment={
            "LD_PRELOAD": os.path.abspath("shims/syscall/libvgpu-syscall.so"), "VGPU_TREE": tree,
            "SYSTEMD_DEVICE_VERIFY_SYSFS": "0"})


if __name__ == "__main__":
    cases.run()
