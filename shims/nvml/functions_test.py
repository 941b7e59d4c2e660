#!/usr/bin/python3 -B
"""libvgpu-nvml.so as a program loads it: every function in every state, and the library's own
start and end."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

import abi_test

PYTHON = "/usr/bin/python3"
LOADED = """
import ctypes
library = ctypes.CDLL("libnvidia-ml.so.1")
"""

SUCCESS, UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION = range(5)
NOT_FOUND, INSUFFICIENT_SIZE, DRIVER_NOT_LOADED, VERSION_MISMATCH = 6, 7, 9, 25
# What needs nothing to write to.
ACT = {"nvmlDeviceSetCpuAffinity", "nvmlDeviceClearCpuAffinity"}
# A driver of another configuration says these of things that are not there.
ABSENT = {"nvmlDeviceGetMigDeviceHandleByIndex", "nvmlDeviceGetProcessUtilization",
          "nvmlDeviceGetProcessesUtilizationInfo"}


@unittest.skipIf(testing.SANITIZED, "Python is not built with the sanitizer's runtime")
class Functions(unittest.TestCase):
    def every_function(self, *arguments):
        """What each function returned, by name and situation."""
        functions = {name: ["nvmlDevice_t"] if kind in ("Device", "SetDevice") else
                     ["nvmlEventSet_t"] if kind == "EventSet" else [] if kind != "Ours" else None
                     for name, kind in abi_test.table().items()}
        for name, (_, given) in abi_test.prototypes("shims/nvml/nvml.h").items():
            functions[name] = given
        done = subprocess.run([PYTHON, "-B", "shims/nvml/every_function.py", *arguments],
                              input=json.dumps({"functions": functions}), capture_output=True,
                              text=True, timeout=60, check=False,
                              env=testing.environment(config=testing.devices()))
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        said = json.loads(done.stdout)
        self.assertGreater(len(said), 430)
        return said

    def judge(self, said, refused):
        kinds = abi_test.table()
        for name, answers in said.items():
            kind = kinds[name]
            expected = {"uninitialized": UNINITIALIZED}
            if kind == "Ours":
                expected["nulls"] = INVALID_ARGUMENT
                if "nothing_to_write_to" in answers:
                    expected["foreign"] = INVALID_ARGUMENT
                    expected["nothing_to_write_to"] = SUCCESS if name in ACT else INVALID_ARGUMENT
            elif kind in ("Handle", "EventSet"):
                expected["nulls"] = expected["foreign"] = INVALID_ARGUMENT
            elif kind in ("System", "SetSystem"):
                expected["nulls"] = refused if kind == "SetSystem" else NOT_SUPPORTED
            else:
                expected["nulls"] = expected["foreign"] = INVALID_ARGUMENT
                expected["device"] = refused if kind == "SetDevice" else NOT_SUPPORTED
            self.assertEqual({key: answers[key] for key in expected}, expected, f"{kind} {name}")
            if kind == "Ours" and "device" in answers:
                allowed = {SUCCESS, INVALID_ARGUMENT, NOT_SUPPORTED, INSUFFICIENT_SIZE,
                           VERSION_MISMATCH} | ({NOT_FOUND} if name in ABSENT else set())
                self.assertIn(answers["device"], allowed, name)

    def test_every_function_in_every_state(self):
        self.judge(self.every_function(), NOT_SUPPORTED if os.geteuid() == 0 else NO_PERMISSION)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_somebody_who_is_not_root_is_told_so(self):
        self.judge(self.every_function("--as-nobody"), NO_PERMISSION)

    def python(self, source, **changes):
        outcome = testing.run([PYTHON, "-B", "-c", LOADED + source], changes,
                              config=changes.pop("config", None) or testing.devices())
        self.assertEqual(outcome.status, 0, outcome.err[-2000:])
        return outcome

    def test_a_broken_configuration_is_no_driver(self):
        config = testing.configuration('[[device]]\nprofile = "h1000"\n')
        outcome = self.python("print(library.nvmlInit_v2(), library.nvmlInit_v2(),"
                              " library.nvmlDeviceGetCount_v2(None), library.nvmlShutdown())",
                              config=config, VGPU_LOG="error")
        self.assertEqual(outcome.out.split(), [str(DRIVER_NOT_LOADED)] * 2 + [str(UNINITIALIZED)] * 2)
        lines = [line for line in outcome.err.splitlines() if "lib=libvgpu-nvml" in line]
        self.assertEqual(len(lines), 1, outcome.err)
        self.assertIn("level=error", lines[0])
        self.assertIn(config, lines[0])
        self.assertRegex(lines[0], r"\bline=2\b")

    def test_it_says_what_it_does_where_it_is_asked_to(self):
        source = ("library.nvmlInit_v2(); library.nvmlInit_v2();"
                  " library.nvmlSystemGetDriverBranch(None, 0)")
        outcome = self.python(source)
        self.assertEqual(outcome.err, "")
        outcome = self.python(source, VGPU_LOG="info")
        self.assertEqual(outcome.err.count("\n"), 1, outcome.err)
        self.assertRegex(outcome.err, r'^level=info lib=libvgpu-nvml msg=initialized devices=1 driver=')
        outcome = self.python(source, VGPU_LOG="trace")
        self.assertRegex(outcome.err, r'level=trace lib=libvgpu-nvml msg="not supported" '
                                      r'func=nvmlSystemGetDriverBranch\b')

    def test_it_leaves_nothing_behind(self):
        outcome = self.python("""
import _ctypes, os
def mapped():
    with open("/proc/self/maps") as maps:
        return "libvgpu-nvml" in maps.read()
for _ in range(3):
    assert library.nvmlInit_v2() == 0
    count = ctypes.c_uint()
    assert library.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0
    device = ctypes.c_void_p()
    assert library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)) == 0
    memory = (ctypes.c_ulonglong * 3)()
    assert library.nvmlDeviceGetMemoryInfo(device, memory) == 0
    assert library.nvmlShutdown() == 0
    assert mapped()
    assert len(os.listdir("/proc/self/task")) == 1
    _ctypes.dlclose(library._handle)
    assert not mapped()
    if os.fork() == 0:
        os._exit(0)
    assert os.wait()[1] == 0
    library = ctypes.CDLL("libnvidia-ml.so.1")
print(count.value)
""")
        self.assertEqual(outcome.out, "1\n")


if __name__ == "__main__":
    testing.run_cases()
