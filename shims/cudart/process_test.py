#!/usr/bin/python3
"""The runtime libraries as files that a process loads: where they find the driver, what they say
when there is none, and what a refused launch looks like."""

import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

# A client: opens the runtime, calls what its arguments name, and prints what each returned.
CLIENT = r"""
import ctypes, sys

class Dim3(ctypes.Structure):
    _fields_ = [("x", ctypes.c_uint), ("y", ctypes.c_uint), ("z", ctypes.c_uint)]

runtime = ctypes.CDLL(sys.argv[1])
word = ctypes.c_int(-1)
kernel = ctypes.create_string_buffer(1)

def launch():
    register = runtime["__cudaRegisterFatBinary"]
    register.restype = ctypes.c_void_p
    image = ctypes.c_void_p(register(kernel))
    runtime["__cudaRegisterFunction"](image, kernel, kernel, b"_Z3addPf", -1, None, None, None,
                                      None, None)
    result = runtime.cudaLaunchKernel(kernel, Dim3(1, 1, 1), Dim3(32, 1, 1), None,
                                      ctypes.c_size_t(0), None)
    runtime["__cudaUnregisterFatBinary"](image)
    return result

calls = {
    "count": lambda: runtime.cudaGetDeviceCount(ctypes.byref(word)),
    "driver": lambda: runtime.cudaDriverGetVersion(ctypes.byref(word)),
    "free": lambda: runtime.cudaFree(None),
    "open": lambda: ctypes.CDLL(sys.argv[2], mode=ctypes.RTLD_GLOBAL) and 0,
    "launch": launch,
    "not_ours": lambda: runtime.cudaEGLStreamConsumerDisconnect(None),
}
for name in sys.argv[3:]:
    print(name, calls[name](), word.value)
"""

RUNTIMES = {"12": "libvgpu-cudart.so", "13": "libvgpu-cudart13.so"}
DRIVER = "libvgpu-cuda.so"


@unittest.skipIf(testing.SANITIZED, "a program of others cannot load a sanitized library")
class Process(unittest.TestCase):
    def setUp(self):
        self.directory = os.path.join(testing.temporary(), self.id())
        os.mkdir(self.directory)
        self.config = testing.devices({}, driver={"version": "580.65.06", "cuda_version": "13.0"})

    def place(self, file, name=None):
        """Puts a library of the build into the test's directory."""
        source = "shims/cuda/" + file if file == DRIVER else "shims/cudart/" + file
        target = os.path.join(self.directory, name or file)
        shutil.copyfile(source, target)
        return target

    def call(self, runtime, *names, other="", config=None):
        """Runs CLIENT without any search path: what it printed, and the lines of the log."""
        environment = dict(testing.ENVIRONMENT, VGPU_LOG="trace",
                           VGPU_CONFIG=config or self.config)
        done = subprocess.run(["/usr/bin/python3", "-c", CLIENT, runtime, other, *names],
                              env=environment, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("\n")[:-1], done.stderr.splitlines()

    def no_other_driver(self):
        found = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True,
                               check=False)
        if "libcuda.so.1" in found.stdout:
            self.skipTest("this machine has a libcuda.so.1")

    def test_the_driver_beside_it_as_built(self):
        self.place(DRIVER)
        for major, file in RUNTIMES.items():
            with self.subTest(major=major):
                self.assertEqual(self.call(self.place(file), "count")[0], ["count 0 1"])

    def test_the_driver_beside_it_as_installed(self):
        self.place(DRIVER, "libcuda.so.1")
        for major, file in RUNTIMES.items():
            with self.subTest(major=major):
                runtime = self.place(file, f"libcudart.so.{major}")
                self.assertEqual(self.call(runtime, "count")[0], ["count 0 1"])

    def test_a_driver_that_is_loaded_already_is_taken(self):
        self.no_other_driver()
        os.mkdir(os.path.join(self.directory, "elsewhere"))
        driver = self.place(DRIVER, "elsewhere/libcuda.so.1")
        runtime = self.place(RUNTIMES["12"])
        out, _ = self.call(runtime, "open", "count", other=driver)
        self.assertEqual(out, ["open 0 -1", "count 0 1"])

    def test_without_a_driver_every_call_says_so_and_one_line_why(self):
        self.no_other_driver()
        for major, file in RUNTIMES.items():
            with self.subTest(major=major):
                out, log = self.call(self.place(file), "driver", "count", "free", "count")
                self.assertEqual(out, ["driver 0 0", "count 35 0", "free 35 0", "count 35 0"])
                self.assertEqual(len(log), 1, log)
                self.assertIn('level=error lib=libvgpu-cudart msg="no driver" '
                              "looked_for=libcuda.so.1 reason=", log[0])

    def test_a_driver_that_is_too_old_is_said_once(self):
        self.place(DRIVER)
        config = testing.devices({}, driver={"version": "570.124.06", "cuda_version": "12.8"})
        out, log = self.call(self.place(RUNTIMES["13"]), "count", "free", "driver", config=config)
        self.assertEqual(out, ["count 35 0", "free 35 0", "driver 0 12080"])
        self.assertEqual([line.split(" pid=")[0] for line in log],
                         ['level=error lib=libvgpu-cudart msg="driver too old" driver=12080 '
                          "runtime=13050"])
        out, log = self.call(self.place(RUNTIMES["12"]), "count", config=config)
        self.assertEqual((out, log), (["count 0 1"], []))

    def test_a_refused_launch_is_one_line(self):
        self.place(DRIVER)
        for major, file in RUNTIMES.items():
            with self.subTest(major=major):
                out, log = self.call(self.place(file), "launch")
                self.assertEqual(out, ["launch 801 -1"])
                self.assertEqual([line.split(" pid=")[0] for line in log],
                                 ['level=error lib=libvgpu-cudart msg="kernel launch refused" '
                                  "func=cudaLaunchKernel device=0 "
                                  'reason="no compute backend" kernel=_Z3addPf'])

    def test_what_it_has_not_is_named_when_traced(self):
        self.place(DRIVER)
        out, log = self.call(self.place(RUNTIMES["12"]), "not_ours")
        self.assertEqual(out, ["not_ours 801 -1"])
        self.assertEqual([line.split(" pid=")[0] for line in log],
                         ['level=trace lib=libvgpu-cudart msg="not supported" '
                          "func=cudaEGLStreamConsumerDisconnect"])


if __name__ == "__main__":
    testing.run_cases()
