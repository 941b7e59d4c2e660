#!/usr/bin/python3 -B
"""The table of CUDA's errors is NVIDIA's: numbers and names are those of its headers, and the texts
are what its runtimes, which need no driver for that, give for the numbers."""

import ctypes
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases  # noqa: E402

# Below the group "headers": the directory and the library of each version of CUDA.
VERSIONS = {"12": ("nvidia/cuda_runtime", "libcudart.so.12"), "13": ("nvidia/cu13", "libcudart.so.13")}


class CudaErrorTable(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        printed = subprocess.run(["diag/ollama/cuda_error_table"], capture_output=True, text=True,
                                 check=True).stdout
        cls.rows = [line.split("\t") for line in printed.splitlines()]
        cls.root = cases.client("headers")

    def test_numbers_and_names_are_those_of_the_headers(self):
        self.assertGreater(len(self.rows), 20)
        for version, (directory, _) in VERSIONS.items():
            include = pathlib.Path(self.root, directory, "include")
            numbers = {}
            for header in ("driver_types.h", "cuda.h"):
                numbers.update(re.findall(r"^\s*(CUDA_ERROR_\w+|cudaError\w+)\s*=\s*(\d+)",
                                          (include / header).read_text(), re.M))
            self.assertGreater(len(numbers), 150, version)
            for code, name, _ in self.rows:
                self.assertEqual(numbers.get(name), code, f"{name} of CUDA {version}")

    def test_texts_are_those_of_the_runtimes(self):
        for version, (directory, library) in VERSIONS.items():
            runtime = ctypes.CDLL(os.path.join(self.root, directory, "lib", library))
            runtime.cudaGetErrorString.restype = ctypes.c_char_p
            for code, name, text in self.rows:
                self.assertEqual(text, runtime.cudaGetErrorString(int(code)).decode(),
                                 f"{name} of CUDA {version}")


if __name__ == "__main__":
    cases.run()
