#!/usr/bin/python3
"""Holds the tables of the runtime shim against what was built from them, and against NVIDIA's
headers and libraries: names, versions, parameters, layouts, error codes."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

BUILT = {
    "12": "shims/cudart/libvgpu-cudart.so",
    "13": "shims/cudart/libvgpu-cudart13.so",
}
# Below the directory of the group "headers".
NVIDIA = {"12": "nvidia/cuda_runtime", "13": "nvidia/cu13"}
# Declared by headers that need OpenGL's, or that the packages have not.
NOT_IN_CUDA_H = ("cuGLGetDevices_v2", "cuProfilerStart", "cuProfilerStop")
HOST_DEFINES = "shims/testing/nvidia_headers"


def output(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr[-3000:]}")
    return done.stdout


def facts(text):
    """The lines of abi_print.cc as {what it is about: what is said}."""
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


def exported(library):
    """The names that a library defines for others, with their versions."""
    lines = [line.split() for line in output(["nm", "-D", "--defined-only", library]).splitlines()]
    return sorted(name for _, kind, name in lines if kind in "TDBRVWi")


class Abi(unittest.TestCase):
    def ours(self, major):
        return facts(output([f"shims/cudart/abi_print{major}"]))

    def nvidia(self, major):
        return os.path.join(testing.needs_client("headers"), NVIDIA[major])

    def theirs(self, major, names):
        """The facts of NVIDIA's headers, with the functions among `names` that they declare."""
        include = os.path.join(self.nvidia(major), "include")
        common = ["g++", "-std=c++20", "-x", "c++", "-w", "-isystem", include,
                  "-isystem", HOST_DEFINES, "-I", "."]
        source = os.path.join(testing.temporary(), f"headers{major}.cc")
        with open(source, "w", encoding="ascii") as file:
            file.write("#define __CUDA_API_VERSION_INTERNAL\n"
                       "#include <cuda.h>\n#include <cuda_runtime_api.h>\n")
        declared = set(re.findall(r"\b(cu\w+)\s*\(", output(common + ["-E", "-P", source])))
        functions = os.path.join(testing.temporary(), f"functions{major}.inc")
        with open(functions, "w", encoding="ascii") as file:
            file.writelines(f"VGPU_NAME({name})\n" for name in sorted(declared & set(names)))
        program = os.path.join(testing.temporary(), f"nvidia{major}")
        output(common + ["-DVGPU_NVIDIA_HEADERS", f"-DVGPU_CUDART_MAJOR={major}",
                         f'-DVGPU_FUNCTIONS="{functions}"', "-o", program,
                         "shims/cudart/abi_print.cc"])
        return facts(output([program]))

    def test_each_library_exports_what_the_table_says(self):
        for major, library in BUILT.items():
            with self.subTest(major=major):
                node = f"libcudart.so.{major}"
                table = sorted(f"{key.split()[1]}@@{node}" for key in self.ours(major)
                               if key.startswith("export "))
                self.assertEqual(exported(library), table)
                self.assertIn(f"[{node}]", output(["readelf", "-d", library]))

    def test_the_names_are_those_of_nvidias_libraries(self):
        for major, library in BUILT.items():
            with self.subTest(major=major):
                theirs = os.path.join(self.nvidia(major), "lib", f"libcudart.so.{major}")
                self.assertEqual(exported(library), exported(theirs))

    def test_layouts_errors_and_parameters_are_those_of_nvidias_headers(self):
        for major in BUILT:
            with self.subTest(major=major):
                ours = {key: value for key, value in self.ours(major).items()
                        if not key.startswith("export ")}
                functions = [key.split()[1] for key in ours if key.startswith("function ")]
                theirs = self.theirs(major, functions)
                kinds = ("version", "size ", "offset ", "error ")
                for kind in kinds:
                    self.assertEqual(
                        {key: of for key, of in ours.items() if key.startswith(kind)},
                        {key: of for key, of in theirs.items() if key.startswith(kind)})
                self.assertGreater(len([name for name in functions if
                                        f"function {name}" in theirs]), 340)
                different = []
                for name in functions:
                    mine, its = ours[f"function {name}"], theirs.get(f"function {name}")
                    if not name.lstrip("_").startswith("cuda"):
                        # Of the driver. driver.inc has the parameters of cuda.h 13.5, but pointers
                        # where that has CUdeviceptr, an integer that is passed alike.
                        if major == "12" or name in NOT_IN_CUDA_H:
                            continue
                        mine, its = mine.replace("i8", "p"), str(its).replace("i8", "p")
                    elif its is None:
                        # Declared by no header of the package: of a compiler, or of OpenGL's.
                        continue
                    if mine != its:
                        different.append(f"{name}: {mine}, NVIDIA's {its}")
                self.assertEqual(different, [])

    def test_the_documented_sizes(self):
        # What prebuilt programs were compiled with.
        self.assertEqual(self.ours("12")["size cudaDeviceProp"], "1032")
        self.assertEqual(self.ours("13")["size cudaDeviceProp"], "1008")


if __name__ == "__main__":
    testing.run_cases()
