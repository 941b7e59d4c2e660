#!/usr/bin/python3 -B
"""vgpu-probe by itself: what it needs, what each step answers, and that no answer of a library
breaks its lines."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases

PROBE = os.path.abspath("tools/vgpu_probe/vgpu-probe")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
# That of the shims: shims/shim_test.py.
NEWEST_GLIBC = (2, 35)


def probe(*words, **environment):
    """The exit status, the calls that were announced, and the answer."""
    done = subprocess.run([PROBE, *words], env=ENVIRONMENT | environment, capture_output=True,
                          timeout=30, check=False)
    lines = done.stdout.decode().splitlines()
    calls = [line.removeprefix("call ") for line in lines if line.startswith("call ")]
    answers = [json.loads(line) for line in lines if line.startswith("{")]
    return done.returncode, calls, answers[-1] if answers else None


class Probe(unittest.TestCase):
    def setUp(self):
        if "--sanitized" in sys.argv:
            self.skipTest("a sanitizer's runtime is in it, and the shims have one too")
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        libraries = [os.path.join("shims", directory, name) for directory, name in (
            ("cuda", "libvgpu-cuda.so"), ("nvml", "libvgpu-nvml.so"),
            ("cudart", "libvgpu-cudart.so"), ("cudart", "libvgpu-cudart13.so"))]
        subprocess.run(["shims/lay_out", self.directory, *libraries], check=True,
                       env=ENVIRONMENT)
        self.config = os.path.join(self.directory, "devices.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write('[[device]]\npci_address = "0000:3b:1e.0"\n[[device]]\nprofile = "l40s"\n'
                       'pci_address = "0001:c1:00.0"\nname = "a \\"name\\" of \xe9\\\\"\n'
                       '[driver]\nversion = "580.65.06"\ncuda_version = "13.0"\n')
        self.there = {"LD_LIBRARY_PATH": self.directory, "VGPU_CONFIG": self.config}

    def test_it_needs_the_c_library_alone(self):
        def said(*command):
            return subprocess.run(command, capture_output=True, text=True, check=True,
                                  env=ENVIRONMENT).stdout
        self.assertEqual(re.findall(r"NEEDED.*\[(.*)\]", said("readelf", "-dW", PROBE)),
                         ["libc.so.6"])
        versions = {tuple(map(int, found)) for found in
                    re.findall(r"GLIBC_(\d+)\.(\d+)", said("readelf", "-VW", PROBE))}
        self.assertTrue(versions)
        self.assertLessEqual(max(versions), NEWEST_GLIBC)

    def test_every_layer_says_the_same_of_each_device(self):
        seen = {}
        for step in (["nvml"], ["cuda"], ["cudart", "libcudart.so.12"],
                     ["cudart", "libcudart.so.13"]):
            status, calls, answer = probe(*step, **self.there)
            self.assertEqual((status, answer["ok"]), (0, True), answer)
            self.assertTrue(calls)
            self.assertTrue(answer["library"].startswith(self.directory), answer)
            seen[" ".join(step)] = [
                (device["uuid"], device["name"], device["memory_bytes"],
                 device["pci_address"].lower()[-12:]) for device in answer["devices"]]
        self.assertEqual(len(set(map(tuple, seen.values()))), 1, seen)
        first, second = seen["cuda"]
        self.assertEqual(first[3], "0000:3b:1e.0")
        self.assertEqual((second[1], second[3]), ('a "name" of \xe9\\', "0001:c1:00.0"))

    def test_a_device_that_is_selected(self):
        _, _, answer = probe("cuda", **self.there)
        second = answer["devices"][1]["uuid"]
        _, _, answer = probe("cuda", **self.there, CUDA_VISIBLE_DEVICES=second)
        self.assertEqual([device["uuid"] for device in answer["devices"]], [second])

    def test_a_library_that_is_not_there(self):
        for step in ("nvml", "cuda"):
            status, calls, answer = probe(step)
            self.assertEqual(status, 1)
            self.assertTrue(answer["missing"], answer)
            self.assertIn("cannot open shared object file", answer["why"])
            self.assertEqual(len(calls), 1)

    def test_an_error_of_the_driver(self):
        status, calls, answer = probe("cuda", **self.there, CUDA_VISIBLE_DEVICES="-1")
        self.assertEqual((status, answer["call"], calls[-1]), (1, "cuInit", "cuInit"))
        self.assertIn("CUDA_ERROR_NO_DEVICE", answer["why"])

    def test_the_preload_list(self):
        cuda = os.path.join(self.directory, "libvgpu-cuda.so")
        status, _, answer = probe("preload", LD_PRELOAD=f"{cuda}:/nowhere.so {cuda}")
        self.assertEqual(status, 1)
        # The machine's own list may follow.
        self.assertEqual([one["loaded"] for one in answer["preload"]][:3], [True, False, True])
        self.assertEqual(answer["why"], "/nowhere.so of LD_PRELOAD is not there")
        # By its soname's file name, as the loader searches.
        status, _, answer = probe("preload", LD_PRELOAD="libvgpu-nvml.so",
                                  LD_LIBRARY_PATH=self.directory)
        self.assertEqual((status, answer["preload"][0]["loaded"]), (0, True))

    def test_files_of_a_function_that_is_not_there(self):
        for way in ("read", "pread", "readv", "fread", "fgets", "syscall"):
            status, _, answer = probe("pci", way, "ffff:ff:1f.7")
            self.assertEqual((status, answer["devices"]), (0, []), way)

    def test_files_of_a_function(self):
        found = os.listdir("/sys/bus/pci/devices") if os.path.isdir("/sys/bus/pci/devices") else []
        if not found:
            self.skipTest("this machine has no PCI bus")
        told = {}
        for way in ("read", "pread", "readv", "fread", "fgets", "syscall"):
            _, _, answer = probe("pci", way, found[0])
            told[way] = answer["devices"]
        self.assertEqual(len({json.dumps(devices) for devices in told.values()}), 1, told)
        with open(f"/sys/bus/pci/devices/{found[0]}/vendor", encoding="utf-8") as file:
            self.assertEqual(told["read"][0]["vendor"], file.read().strip())

    def test_usage(self):
        self.assertEqual(probe()[0], 2)
        self.assertEqual(probe("dance")[0], 2)
        self.assertEqual(probe("pci", "dance")[0], 1)


if __name__ == "__main__":
    cases.run()
