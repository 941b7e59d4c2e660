#!/usr/bin/env python3
"""Our declarations of the driver API against NVIDIA's: the numbers, the layout of every structure,
and how each function's arguments are passed."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

INCLUDES = {12: "nvidia/cuda_runtime/include", 13: "nvidia/cu13/include"}
OURS = "shims/abi/cuda_types.h"
ATTRIBUTES = "shims/abi/cuda_attributes.inc"
ERRORS = "shims/abi/cuda_errors.inc"
FUNCTIONS = "shims/cuda/driver_api.h"

# Structures of both generations come from one template.
TEMPLATES = {
    "CudaArrayDescriptor": ("CUDA_ARRAY_DESCRIPTOR", "CUDA_ARRAY_DESCRIPTOR_v1"),
    "CudaArray3DDescriptor": ("CUDA_ARRAY3D_DESCRIPTOR", "CUDA_ARRAY3D_DESCRIPTOR_v1"),
    "CudaMemcpy2D": ("CUDA_MEMCPY2D", "CUDA_MEMCPY2D_v1"),
    "CudaMemcpy3D": ("CUDA_MEMCPY3D", "CUDA_MEMCPY3D_v1", "CUDA_MEMCPY3D_PEER"),
}
# What a field of ours is called there.
RENAMED = {
    "CUDA_MEMCPY3D": {"srcContext": "reserved0", "dstContext": "reserved1"},
    "CUDA_MEMCPY3D_v1": {"srcContext": "reserved0", "dstContext": "reserved1"},
}
# Inside of structures that have some.
NESTED = {
    "CUexecAffinityParam": ("param.smCount.val",),
    "CUmemcpy3DOperand": ("op.ptr.ptr", "op.ptr.rowLength", "op.ptr.layerHeight", "op.ptr.locHint",
                          "op.array.array", "op.array.offset", "op.array.offset.z"),
    "CUDA_MEMCPY3D_BATCH_OP": ("extent.width", "extent.height", "extent.depth"),
    "CUDA_ARRAY_SPARSE_PROPERTIES": ("tileExtent.width", "tileExtent.depth"),
    "CUmemAllocationProp": ("allocFlags.compressionType", "allocFlags.gpuDirectRDMACapable",
                            "allocFlags.usage"),
}# Fields that CUDA 13 has put where reserved bytes were.
NEW = {("CUmemPoolProps", "gpuDirectRDMACapable"), ("CUmemPoolProps", "reserved")}


def read(path):
    with open(path, encoding="utf-8") as file:
        return re.sub(r"//[^\n]*", "", file.read())


def constants():
    """{name: number} of our header and its tables"""
    text = read(OURS)
    found = {}
    for body in re.findall(r"enum \w+ : \w+ \{(.*?)\}", text, re.S):
        for name, number in re.findall(r"(\w+) = (-?\d\w*)", body):
            found[name] = int(number, 0)
    for name, number in re.findall(r"inline constexpr \w+ (CU\w+) = (-?\d\w*);", text):
        found[name] = int(number, 0)
    for name, number in re.findall(r"^VGPU_CUDA_ATTRIBUTE\((\w+), (\d+),", read(ATTRIBUTES), re.M):
        found["CU_DEVICE_ATTRIBUTE_" + name] = int(number)
    for name, number in re.findall(r"VGPU_CUDA_ERROR\((\w+), (\d+),", read(ERRORS)):
        found[name] = int(number)
    return found


def body_of(text, begin):
    """What stands between the brace at or behind `begin` and the one that closes it."""
    first = text.index("{", begin)
    depth = 0
    for i in range(first, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[first + 1:i]
    raise ValueError(text[begin:begin + 40])


def structures():
    """{name: [field]} of our header, the outer fields and NESTED ones"""
    text = read(OURS)
    found = {}
    for match in re.finditer(r"^struct (\w+) \{", text, re.M):
        body = body_of(text, match.start())
        while "{" in body:
            body = re.sub(r"(?:struct|union) \{[^{}]*\}", "int", body)
        fields = re.findall(r"(\w+)(?:\[\w+\])?;", body)
        for name in TEMPLATES.get(match.group(1), (match.group(1),)):
            found[name] = fields + list(NESTED.get(name, ()))
    return found


def functions(text):
    """{name: [type of each parameter]} of declarations"""
    found = {}
    text = re.sub(r"__attribute__\s*\(\([^()]*\)\)", "", text)
    for name, inside in re.findall(r"\bCUresult\s+(cu[A-Z]\w*)\s*\(([^;{}]*)\)\s*;", text):
        parameters = [p.strip() for p in inside.split(",")]
        if parameters in ([""], ["void"]):
            parameters = []
        # A name follows the type, unless the type is one word or ends in a star.
        types = [re.sub(r"^(.*[\s*&])\w+(\[\w*\])?$", r"\1", p).strip() for p in parameters]
        found[name] = types
    return found


class Abi(unittest.TestCase):
    maxDiff = None

    def include(self, major):
        return os.path.join(testing.needs_client("headers"), INCLUDES[major])

    def answers(self, language, head, probes, flags):
        """{probe: number}: what a program prints that a compiler makes of the expressions."""
        lines = "\n".join(f'printf("%s %lld\\n", "{key}", (long long)({expression}));'
                          for key, expression in probes.items())
        program = os.path.join(testing.temporary(), "print_" + language)
        subprocess.run(["gcc" if language == "c" else "g++", "-x", language, "-w", "-o", program,
                        *flags, "-"],
                       input=f"#include <stddef.h>\n#include <stdio.h>\n{head}\n"
                             f"int main() {{\n{lines}\nreturn 0; }}\n",
                       check=True, text=True)
        printed = subprocess.run([program], stdout=subprocess.PIPE, check=True, text=True).stdout
        return {key: int(number) for key, number in
                (line.rsplit(" ", 1) for line in printed.splitlines())}

    def theirs(self, major, probes):
        return self.answers("c", "#define __CUDA_API_VERSION_INTERNAL\n#include <cuda.h>", probes,
                            [f"-I{self.include(major)}"])

    def ours(self, probes):
        return self.answers("c++", f'#include "{OURS}"', probes, ["-std=c++20", "-I."])

    def declared(self, major):
        text = subprocess.run(
            ["gcc", "-E", "-P", "-xc", "-", f"-I{self.include(major)}"],
            input="#define __CUDA_API_VERSION_INTERNAL\n#define CUDA_ENABLE_DEPRECATED\n"
                  "#include <cuda.h>\n",
            stdout=subprocess.PIPE, check=True, text=True).stdout
        return functions(text)

    def test_numbers_are_those_of_both_headers(self):
        for major in (12, 13):
            with self.subTest(major=major):
                # An enumerator of NVIDIA's is known by being compiled; one that is not there would
                # not be, so those of a later version are left out.
                with open(os.path.join(self.include(major), "cuda.h"), encoding="utf-8") as file:
                    there = set(re.findall(r"\bCU\w+", file.read()))
                mine = constants()
                self.assertGreater(len(mine), 300)
                missing = {name for name in mine if name not in there}
                if major == 13:
                    self.assertEqual(missing, set())
                known = {name: name for name in mine if name not in missing}
                self.assertEqual(self.theirs(major, known), {name: mine[name] for name in known})

    def test_each_attribute_of_a_device_is_in_the_table(self):
        for major in (12, 13):
            with open(os.path.join(self.include(major), "cuda.h"), encoding="utf-8") as file:
                text = file.read()
            body = body_of(text, text.index("typedef enum CUdevice_attribute_enum"))
            numbers = {int(n) for n in re.findall(r"CU_DEVICE_ATTRIBUTE_\w+\s*=\s*(\d+)", body)}
            mine = {n for name, n in constants().items() if name.startswith("CU_DEVICE_ATTRIBUTE_")}
            self.assertGreater(len(numbers), 100)
            self.assertEqual(numbers - mine, set())

    def test_structures_have_the_same_layout(self):
        mine = structures()
        self.assertGreaterEqual(len(mine), 25)
        for major in (12, 13):
            with self.subTest(major=major):
                sizes = {name: f"sizeof({name})" for name in mine}
                offsets = {f"{name}.{field}": (name, field) for name in mine
                           for field in mine[name] if major > 12 or (name, field) not in NEW}
                self.assertEqual(
                    self.ours({**sizes, **{key: f"offsetof({s}, {f})"
                                           for key, (s, f) in offsets.items()}}),
                    self.theirs(major, {**sizes, **{
                        key: f"offsetof({s}, {RENAMED.get(s, {}).get(f, f)})"
                        for key, (s, f) in offsets.items()}}))

    def test_arguments_are_passed_alike(self):
        mine = functions(read(FUNCTIONS))
        self.assertGreater(len(mine), 180)
        seen = set()
        for major in (12, 13):
            theirs = {name: types for name, types in self.declared(major).items() if name in mine}
            seen |= set(theirs)
            for name, types in theirs.items():
                self.assertEqual(len(types), len(mine[name]), name)
            # A type by its size and its number of stars: pointers by what they point to, unless
            # that is another name for the same (void, or an enumeration's int).
            def probes(declarations):
                return {f"{name} {i}": f"sizeof({kind})"
                        for name, types in declarations.items() if name in theirs
                        for i, kind in enumerate(types)}
            def stars(declarations):
                return {f"{name} {i}": kind.count("*") for name, types in declarations.items()
                        if name in theirs for i, kind in enumerate(types)}
            def targets(declarations, wanted):
                return {f"{name} {i}": f"sizeof(*({kind})0)"
                        for name, types in declarations.items() if name in theirs
                        for i, kind in enumerate(types) if f"{name} {i}" in wanted}
            self.assertEqual(stars(mine), stars(theirs))
            self.assertEqual(self.ours(probes(mine)), self.theirs(major, probes(theirs)))
            pointers = {key for key, count in stars(mine).items() if count > 0
                        and "void*" not in "".join(mine[key.split()[0]][int(key.split()[1])])}
            self.assertEqual(self.ours(targets(mine, pointers)),
                             self.theirs(major, targets(theirs, pointers)))
        self.assertEqual(set(mine) - seen, set())


if __name__ == "__main__":
    testing.run_cases()
