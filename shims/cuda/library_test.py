#!/usr/bin/env python3
"""libvgpu-cuda.so as a program opens it: how it is initialised, what a broken configuration and
CUDA_VISIBLE_DEVICES make of it, what other processes see, and that it can be closed."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

LIBRARY = "shims/cuda/libvgpu-cuda.so"

# Each script begins so. `call` makes a size or a pointer of each number.
HEAD = """
import ctypes, os, subprocess, sys
driver = ctypes.CDLL("libcuda.so.1")
def call(name, *arguments):
    return getattr(driver, name)(*(
        ctypes.c_uint64(a) if isinstance(a, int) else a for a in arguments))
ref = ctypes.byref
def number():
    return ctypes.c_uint64(0)
def names():
    count = ctypes.c_int(0)
    call("cuDeviceGetCount", ref(count))
    found = []
    for i in range(count.value):
        name = ctypes.create_string_buffer(96)
        assert call("cuDeviceGetName", name, 96, i) == 0
        found.append(name.value.decode())
    return found
def context():
    made = ctypes.c_void_p()
    assert call("cuCtxCreate_v2", ref(made), 0, 0) == 0
    return made
def used():
    free, total = number(), number()
    assert call("cuMemGetInfo_v2", ref(free), ref(total)) == 0
    return total.value - free.value
"""


class Library(unittest.TestCase):
    def script(self, text, *changes, config=None):
        if testing.SANITIZED:
            self.skipTest("a library with a sanitizer cannot be loaded into Python")
        outcome = testing.run([sys.executable, "-c", HEAD + text], *changes,
                              config=config or testing.devices())
        self.assertEqual(outcome.status, 0, outcome.err)
        return outcome

    def test_it_needs_the_c_library_alone_and_runs_nothing_when_loaded(self):
        if testing.SANITIZED:
            self.skipTest("a sanitizer is a library of its own")
        text = subprocess.run(["readelf", "-Wd", LIBRARY], stdout=subprocess.PIPE, check=True,
                              text=True).stdout
        needed = [line.split("[")[1].rstrip("]") for line in text.splitlines() if "(NEEDED)" in line]
        self.assertLessEqual(set(needed), {"libc.so.6", "ld-linux-x86-64.so.2"})
        self.assertIn("[libcuda.so.1]", text)
        sizes = [line.split()[2] for line in text.splitlines() if "(INIT_ARRAYSZ)" in line]
        self.assertEqual(sizes, ["8"])  # frame_dummy, of the compiler's start files

    def test_a_broken_configuration_is_an_error_and_one_line(self):
        broken = testing.configuration("[[device]]\nmemory_mib = \"much\"\n")
        outcome = self.script("""
version = ctypes.c_int(0)
print([call("cuInit", 0), call("cuInit", 0), call("cuDriverGetVersion", ref(version))], names())
""", {"VGPU_LOG": "error"}, config=broken)
        self.assertEqual(outcome.out, "[802, 802, 802] []\n")
        lines = outcome.err.splitlines()
        self.assertEqual(len(lines), 1, outcome.err)
        self.assertIn("level=error lib=libvgpu-cuda", lines[0])
        self.assertIn(broken, lines[0])

    def test_the_visible_devices_are_those_that_were_named(self):
        uuids = [testing.new_uuid() for _ in range(3)]
        config = testing.devices(
            {"uuid": uuids[0]}, {"uuid": uuids[1], "profile": "t4"},
            {"uuid": uuids[2], "profile": "l40s"})
        text = 'print(call("cuInit", 0), names())'
        for value, wanted in (
                ("0", ["NVIDIA H100 80GB HBM3"]),
                (uuids[2], ["NVIDIA L40S"]),
                (uuids[1][:12] + "," + uuids[0], ["Tesla T4", "NVIDIA H100 80GB HBM3"]),
        ):
            outcome = self.script(text, {"CUDA_VISIBLE_DEVICES": value}, config=config)
            self.assertEqual(outcome.out, f"0 {wanted}\n", value)
        for value in ("", "-1", "nonsense", "GPU-00000000-0000-0000-0000-000000000000"):
            outcome = self.script(text, {"CUDA_VISIBLE_DEVICES": value}, config=config)
            self.assertEqual(outcome.out, "100 []\n", value)

    def test_the_device_is_found_by_the_uuid_that_it_told(self):
        config = testing.devices({}, {"profile": "t4"})
        outcome = self.script("""
assert call("cuInit", 0) == 0
uuid = ctypes.create_string_buffer(16)
assert call("cuDeviceGetUuid_v2", uuid, 1) == 0
print("GPU-" + "-".join(uuid.raw[a:b].hex() for a, b in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 16))))
""", config=config)
        again = self.script('print(call("cuInit", 0), names())',
                            {"CUDA_VISIBLE_DEVICES": outcome.out.strip()}, config=config)
        self.assertEqual(again.out, "0 ['Tesla T4']\n")

    def test_processes_share_a_devices_memory(self):
        # The second process sees what the first holds, cannot have it, and has it when the first is
        # gone, although that one freed nothing.
        outcome = self.script("""
assert call("cuInit", 0) == 0
context()
gib = 1 << 30
if len(sys.argv) > 1:
    pointer = number()
    print(used() // gib, call("cuMemAlloc_v2", ref(pointer), 20 * gib), flush=True)
    sys.stdin.read()
    os._exit(0)
pointer = number()
assert call("cuMemAlloc_v2", ref(pointer), 70 * gib) == 0
script = open("/proc/self/cmdline", "rb").read().split(bytes(1))[2]
other = subprocess.Popen([sys.executable, "-c", script, "other"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
print(other.stdout.readline().decode().strip())
assert call("cuMemFree_v2", pointer) == 0
third = subprocess.Popen([sys.executable, "-c", script, "third"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
print(third.stdout.readline().decode().strip(), used() // gib)
other.communicate(), third.communicate()
print(used())
""")
        self.assertEqual(outcome.out, "70 2\n0 0 20\n0\n")

    def test_what_it_holds_outlives_its_being_closed(self):
        outcome = self.script("""
import _ctypes
assert call("cuInit", 0) == 0
made = context()
pointer = number()
assert call("cuMemAlloc_v2", ref(pointer), 1 << 20) == 0
_ctypes.dlclose(driver._handle)
driver = ctypes.CDLL("libcuda.so.1")
print(used(), call("cuMemFree_v2", pointer), used())
""")
        self.assertEqual(outcome.out, "1048576 0 0\n")

    def test_it_can_be_loaded_in_every_way_at_once(self):
        if testing.SANITIZED:
            self.skipTest("a library with a sanitizer cannot be loaded into Python")
        outcome = testing.run([sys.executable, "-c", HEAD + """
first = ctypes.CDLL(None)       # preloaded
print(first.cuInit(0), driver.cuInit(0), names())
"""], config=testing.devices(), preload=("libvgpu-cuda.so",))
        self.assertEqual(outcome.out, "0 0 ['NVIDIA H100 80GB HBM3']\n", outcome.err)


if __name__ == "__main__":
    testing.run_cases()
