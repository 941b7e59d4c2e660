#!/usr/bin/python3 -B
"""The ABI of libvgpu-nvml.so against NVIDIA's nvml.h of CUDA 12 and 13: names, prototypes, the
layout of structures and the values of constants."""

import functools
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

TYPES = "shims/abi/nvml_types.h"
# Where NVIDIA's header of each version of CUDA is, below the group "headers".
NVIDIA = {12: "nvidia/nvml_dev/include", 13: "nvidia/cu13/include"}


def read(path):
    """A header or table, without comments."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"//[^\n]*|/\*.*?\*/", " ", file.read(), flags=re.DOTALL)


def words(text):
    return " ".join(text.split())


def parameters(text):
    """The types of a parameter list, without names: ["nvmlDevice_t", "unsigned int*"]."""
    types = []
    for parameter in words(text).split(","):
        kind, name = re.fullmatch(r"(.*?[\s*])?(\w+)", parameter.strip()).groups()
        types.append(words((kind or name).replace("*", " * ")).replace(" *", "*"))
    return [] if types in (["void"], []) else types


def prototypes(path):
    """Name to (what is returned, types of parameters), of every function of a header."""
    text = re.sub(r"DEPRECATED\([\d.]+\)|DECLDIR|NVML_API|#define.*", " ", read(path))
    found = {}
    for returned, name, given in re.findall(
            r"((?:const\s+)?\w+\s*\*?)\s+(nvml[A-Z]\w*)\s*\(([^()]*)\)\s*;", text):
        found[name] = (words(returned).replace(" *", "*"), parameters(given or "void"))
    return found


def aliases(path):
    """What a name of a structure without a version stands for: nvmlUUID_t is nvmlUUID_v1_t."""
    return dict(re.findall(r"typedef\s+(nvml\w+_v\d+_t)\s+(nvml\w+_t)\s*;", read(path)))


@functools.cache
def table():
    """Name to kind, of shims/abi/nvml.inc."""
    rows = re.findall(r"NVML_FUNCTION\((\w+), (\w+)\)", read("shims/abi/nvml.inc"))
    assert len(rows) == len(dict((name, kind) for kind, name in rows)), "a name stands twice"
    return {name: kind for kind, name in rows}


class Abi(unittest.TestCase):
    def header(self, version):
        return os.path.join(testing.needs_client("headers"), NVIDIA[version], "nvml.h")

    def test_the_table_has_every_function_and_is_sorted(self):
        both = set(prototypes(self.header(12))) | set(prototypes(self.header(13)))
        self.assertGreater(len(both), 430)
        self.assertEqual(set(table()) - both, set())
        self.assertEqual(both - set(table()), set())
        self.assertEqual(list(table()), sorted(table()))

    def test_what_is_exported_is_the_table(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", "shims/nvml/libvgpu-nvml.so"],
                                capture_output=True, text=True, check=True)
        exported = {line.split()[-1] for line in listed.stdout.splitlines()}
        self.assertEqual(exported, set(table()))

    def test_our_prototypes_are_nvidias(self):
        ours = prototypes("shims/nvml/nvml.h")
        self.assertEqual(set(ours), {name for name, kind in table().items() if kind == "Ours"})
        compared = 0
        for version in NVIDIA:
            nvidias = prototypes(self.header(version))
            for name, prototype in ours.items():
                if name in nvidias:
                    self.assertEqual(prototype, nvidias[name], f"{name} of CUDA {version}")
                    compared += 1
        self.assertGreater(compared, 2 * len(ours) - 20)

    def test_a_table_entry_of_a_device_takes_one_first(self):
        for name, (_, given) in prototypes(self.header(13)).items():
            kind = table()[name]
            first = given[0] if given else None
            if kind in ("Device", "SetDevice"):
                self.assertEqual(first, "nvmlDevice_t", name)
            elif kind == "EventSet":
                self.assertEqual(first, "nvmlEventSet_t", name)
            elif kind == "Handle":
                self.assertRegex(first, r"^nvml(Unit|GpuInstance|ComputeInstance|GpmSample)_t$", name)
            elif kind != "Ours":
                self.assertNotEqual(first, "nvmlDevice_t", name)

    def layout(self, name, include, prelude, known):
        """What a compiler says of our types in a header: "name of what" to number."""
        text = read(TYPES)
        asked = []
        for kind, structure, body in re.findall(r"^(struct|union) (\w+) \{\n(.*?)^\};", text,
                                                flags=re.DOTALL | re.MULTILINE):
            if structure not in known:
                continue
            asked.append((f"sizeof({structure})",) * 2)
            for member in re.findall(r"^  (?:\w[\w ]*\**|\}) (\w+)(?:\[\w+\])?;", body, flags=re.MULTILINE):
                where = f"offsetof({structure}, {member})"
                size = f"sizeof((({structure}*)0)->{member})"
                asked += [(where, where), (size, size)]
        for body in re.findall(r"^enum \w+ : unsigned int \{\n(.*?)^\};", text,
                               flags=re.DOTALL | re.MULTILINE):
            asked += [(of, of) for of in re.findall(r"^  (\w+)", body, flags=re.MULTILINE)
                      if of in known and not of.endswith("_COUNT")]
        asked += [(of, of) for of in re.findall(r"constexpr unsigned [\w ]+ (\w+) =", text)
                  if of in known]
        source = os.path.join(testing.temporary(), f"{name}.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <cstddef>\n#include <cstdio>\n" + prelude + "int main() {\n")
            for label, expression in asked:
                file.write(f'  std::printf("%s %llu\\n", "{label}", (unsigned long long)({expression}));\n')
            file.write("}\n")
        program = os.path.join(testing.temporary(), name)
        done = subprocess.run(["g++", "-std=c++20", "-w", "-I", include, "-o", program, source],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        return dict(line.rsplit(" ", 1) for line in said.splitlines())

    def compare(self, version, least):
        header = self.header(version)
        known = set(re.findall(r"\w+", read(header)))
        ours = self.layout(f"ours{version}", ".", f'#include "{TYPES}"\nusing namespace vgpu::nvml;\n',
                           known)
        nvidias = self.layout(f"nvidias{version}", os.path.dirname(header), "#include <nvml.h>\n",
                              known)
        self.assertEqual(ours, nvidias)
        print(f"CUDA {version}: {len(ours)} sizes, offsets and constants compared")
        self.assertGreater(len(ours), least)

    def test_layouts_and_constants_of_cuda_13(self):
        # All that we declare is in the newer header.
        declared = set(re.findall(r"(?:struct|union|enum) (nvml\w+_t) [:{]", read(TYPES)))
        self.assertEqual(declared - set(re.findall(r"\w+", read(self.header(13)))), set())
        self.compare(13, 500)

    def test_layouts_and_constants_of_cuda_12(self):
        self.compare(12, 480)

    def test_names_without_a_version_stand_for_the_same(self):
        ours = {name: of for name, of in
                re.findall(r"using (nvml\w+_t) =\s+(nvml\w+_v\d+_t);", read(TYPES))}
        nvidias = {name: of for of, name in aliases(self.header(13)).items()}
        # Beside its structure's own name (nvml.h: "} nvmlProcessInfo_v2_t, nvmlProcessInfo_t").
        nvidias["nvmlProcessInfo_t"] = "nvmlProcessInfo_v2_t"
        self.assertGreater(len(ours), 8)
        self.assertEqual({name: nvidias.get(name) for name in ours}, ours)


if __name__ == "__main__":
    testing.run_cases()
