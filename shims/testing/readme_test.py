#!/usr/bin/python3 -B
"""What the README says of the shims is what they do."""

import os
import re
import subprocess
import tempfile

import shims_testing as testing

# Where the README puts them.
PLACE = "/usr/lib/vgpu"

NAMES = """
import ctypes
cuda, name, count = ctypes.CDLL("libcuda.so.1"), ctypes.create_string_buffer(96), ctypes.c_int()
cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count))
for index in range(count.value):
    cuda.cuDeviceGetName(name, 96, index)
    print(name.value.decode())
"""


class Readme(testing.TestCase):
    def setUp(self):
        super().setUp()
        with open("README.md", encoding="utf-8") as file:
            self.section = file.read().split("\n## The shims\n")[1].split("\n## ")[0]

    def blocks(self, language):
        return re.findall(rf"^```{language}\n(.*?)^```$", self.section, re.M | re.S)

    def test_the_program_prints_what_stands_below_it(self):
        (script,) = [block for block in self.blocks("sh") if "python3" in block]
        done = subprocess.run(
            ["bash", "-c", script.replace(PLACE, testing.installed())], capture_output=True,
            text=True, check=True, env=testing.ENVIRONMENT | {"VGPU_CONFIG": testing.devices()})
        self.assertEqual((done.stdout, done.stderr), (self.blocks("text")[0], ""))

    def test_what_it_preloads_is_there(self):
        (command,) = [block for block in self.blocks("sh") if "LD_PRELOAD" in block]
        for path in command.split("=")[1].strip().split(":"):
            self.assertTrue(os.path.isfile(path.replace(PLACE, testing.installed())), path)

    def test_its_configuration_is_one(self):
        (text,) = self.blocks("toml")
        outcome = testing.run(["/usr/bin/python3", "-c", NAMES], {"VGPU_LOG": "error"},
                              config=testing.configuration(text))
        self.assertEqual((outcome.err, sorted(outcome.out.splitlines())),
                         ("", ["NVIDIA A100-SXM4-80GB", "Tesla T4 (virtual)"]))

    def test_its_line_of_the_log_is_one(self):
        directory = tempfile.mkdtemp(dir=testing.temporary())
        with open(f"{directory}/devices.toml", "w", encoding="utf-8") as file:
            file.write('[[device]]\nprofile = "h900"\n')
        outcome = testing.run(["/usr/bin/python3", "-c", NAMES], {"VGPU_LOG": "error"},
                              config="devices.toml", cwd=directory)
        self.assertEqual(re.sub(r"pid=\d+", "pid=4711", outcome.err), self.blocks("text")[1])


if __name__ == "__main__":
    testing.run_cases()
