#!/usr/bin/env python3
"""The driver shim and NVIDIA's headers agree: on the names that libvgpu-cuda.so exports and that
shims/abi/cuda_driver.inc lists, on functions' arguments and structures, on error codes, on what
cuGetProcAddress answers, and on the occupancy of kernels."""

import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.abspath("shims/testing"))
import shims_testing as testing

LIBRARY = "shims/cuda/libvgpu-cuda.so"
INCLUDES = {12: "nvidia/cuda_runtime/include", 13: "nvidia/cu13/include"}
HEADERS = ("cuda.h", "cudaGL.h", "cudaEGL.h", "cudaVDPAU.h")
TYPEDEFS = ("cudaTypedefs.h", "cudaGLTypedefs.h", "cudaEGLTypedefs.h", "cudaVDPAUTypedefs.h",
            "cudaProfilerTypedefs.h")

# Of the graphics APIs' own headers, what declarations with them need in order to be read.
GRAPHICS = {
    "GL/gl.h": "typedef unsigned GLuint, GLenum;",
    "EGL/egl.h": "typedef void *EGLImageKHR, *EGLStreamKHR, *EGLSyncKHR; typedef int EGLint;",
    "EGL/eglext.h": "",
    "vdpau/vdpau.h": "typedef unsigned VdpDevice, VdpVideoSurface, VdpOutputSurface;"
                     " typedef void VdpGetProcAddress(void);",
}


def environment(config, **variables):
    return dict(testing.ENVIRONMENT, VGPU_CONFIG=config, **variables)


def table():
    """{name: (kind, since)}"""
    with open("shims/abi/cuda_driver.inc", encoding="utf-8") as file:
        rows = re.findall(r"^VGPU_CUDA_DRIVER\((\w+), (\w+), (\d+)\)$", file.read(), re.M)
    return {name: (kind, int(since)) for kind, name, since in rows}


def include(major):
    return os.path.join(testing.needs_client("headers"), INCLUDES[major])


def graphics():
    """A directory with what stands for the graphics APIs' headers."""
    directory = tempfile.mkdtemp(dir=testing.temporary())
    for name, text in GRAPHICS.items():
        os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
    return directory


def declared(major):
    """The names that the headers of this major version declare, in all versions."""
    directory = graphics()
    source = "#include <stddef.h>\n" + "".join(f"#include <{name}>\n" for name in HEADERS)
    names = set()
    # Twice: the newest versions are behind macros, the old ones behind the first of these.
    for flags in (["-D__CUDA_API_VERSION_INTERNAL", "-DCUDA_ENABLE_DEPRECATED"],
                  ["-DCUDA_ENABLE_DEPRECATED"],
                  ["-DCUDA_ENABLE_DEPRECATED", "-DCUDA_API_PER_THREAD_DEFAULT_STREAM"]):
        text = subprocess.run(
            ["gcc", "-E", "-P", "-xc", "-", f"-I{include(major)}", f"-I{directory}", *flags],
            input=source, stdout=subprocess.PIPE, check=True, text=True).stdout
        text = re.sub(r"__attribute__\s*\(\([^()]*\)\)", "", text)
        names.update(re.findall(r"\bCUresult\s+(cu[A-Z]\w*)\s*\([^;{}]*\)\s*;", text))
    return names


def versions(major):
    """{(base name, "" or "ptds" or "ptsz"): the CUDA versions that brought a form of it}"""
    found = {}
    for name in TYPEDEFS:
        with open(os.path.join(include(major), name), encoding="utf-8") as file:
            for base, since, thread in re.findall(
                    r"PFN_(cu[A-Z]\w*?)_v(\d{4,5})(?:_(ptds|ptsz))?\)\s*\(", file.read()):
                found.setdefault((base, thread), set()).add(int(since))
    # Of Windows.
    found.pop(("cuWGLGetDevice", ""), None)
    return found


def rank(name):
    """The order of the forms of a name."""
    version = re.search(r"_v(\d)(?:_|$)", name)
    return int(version.group(1)) if version else 1


def forms():
    """{(base name, thread): its exported names, the oldest first}, of the table"""
    found = {}
    for name in table():
        base, thread = re.fullmatch(r"(.*?)(?:_v\d)?(?:_(ptds|ptsz))?", name).groups(default="")
        found.setdefault((base, thread), []).append(name)
    return {key: sorted(names, key=rank) for key, names in found.items()}


class Names(unittest.TestCase):
    def test_the_library_exports_what_is_in_the_table_and_nothing_else(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], stdout=subprocess.PIPE,
                                check=True, text=True).stdout
        exported = {line.split()[-1] for line in listed.splitlines()}
        self.assertEqual(exported - set(table()), set())
        self.assertEqual(set(table()) - exported, set())

    def test_the_table_has_all_names_of_the_headers_and_no_others(self):
        names = declared(12) | declared(13)
        # cudaProfiler.h comes with another package; the types of its functions are here.
        names |= {base for base, _ in versions(13) if base.startswith("cuProfiler")}
        self.assertGreater(len(names), 700)
        self.assertEqual(names - set(table()), set())
        self.assertEqual(set(table()) - names, set())

    def test_each_name_is_as_old_as_its_type_says(self):
        brought = versions(12)
        for key, numbers in versions(13).items():
            brought.setdefault(key, set()).update(numbers)
        mine = {key: [table()[name][1] for name in names] for key, names in forms().items()}
        self.assertEqual(mine, {key: sorted(numbers) for key, numbers in brought.items()})


class Errors(unittest.TestCase):
    def test_codes_are_those_of_the_headers(self):
        with open("shims/abi/cuda_errors.inc", encoding="utf-8") as file:
            mine = re.findall(r"^VGPU_CUDA_ERROR\((\w+), (\d+),", file.read(), re.M)
        theirs = set()
        for major in INCLUDES:
            with open(os.path.join(include(major), "cuda.h"), encoding="utf-8") as file:
                theirs.update(re.findall(r"^\s+(CUDA_(?:SUCCESS|ERROR_\w+))\s*=\s*(\d+)",
                                         file.read(), re.M))
        self.assertEqual(set(mine), theirs)

    def test_each_code_has_its_name_and_a_text(self):
        driver = load()
        text = ctypes.c_char_p()
        with open("shims/abi/cuda_errors.inc", encoding="utf-8") as file:
            codes = re.findall(r"^VGPU_CUDA_ERROR\((\w+), (\d+),", file.read(), re.M)
        for name, number in codes:
            self.assertEqual(driver.cuGetErrorName(int(number), ctypes.byref(text)), 0)
            self.assertEqual(text.value.decode(), name)
            self.assertEqual(driver.cuGetErrorString(int(number), ctypes.byref(text)), 0)
            self.assertNotEqual(text.value, b"")
        self.assertEqual(driver.cuGetErrorName(12345, ctypes.byref(text)), 1)
        self.assertIsNone(text.value)


def enumerators():
    """Those of our own headers of types."""
    with open("shims/abi/cuda_attributes.inc", encoding="utf-8") as file:
        values = {f"CU_DEVICE_ATTRIBUTE_{name}"
                  for name in re.findall(r"^VGPU_CUDA_ATTRIBUTE\((\w+),", file.read(), re.M)}
    for header in ("cuda_types.h", "cuda_work_types.h"):
        with open(f"shims/abi/{header}", encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*", "", file.read())
        for body in re.findall(r"^enum \w+ : \w+ \{(.*?)\}", text, re.S | re.M):
            values.update(re.findall(r"\b(CUD?A?_\w+) = ", body))
        values.update(re.findall(r"inline constexpr \w+ (CUD?A?_\w+) = ", text))
    return values


# Structures with the fields by which they are told apart where they grew or have a union.
LAYOUTS = {
    "CUlaunchAttributeValue": ("accessPolicyWindow", "priority"),
    "CUaccessPolicyWindow": ("base_ptr", "num_bytes", "hitRatio", "hitProp", "missProp"),
    "CUDA_MEMSET_NODE_PARAMS_v1": ("dst", "pitch", "value", "elementSize", "width", "height"),
    "CUDA_HOST_NODE_PARAMS_v1": ("fn", "userData"),
    "CUDA_MEMCPY_NODE_PARAMS": ("flags", "copyCtx", "copyParams"),
    "CUDA_MEMCPY3D": ("srcMemoryType", "srcHost", "srcPitch", "dstMemoryType", "dstArray", "Depth"),
    "CUgraphEdgeData": ("from_port", "to_port", "type", "reserved"),
    "CUgraphNodeParams": ("type", "memcpy", "memset", "host", "graph", "reserved2"),
    "CUgraphExecUpdateResultInfo": ("result", "errorNode", "errorFromNode"),
    "CUDA_GRAPH_INSTANTIATE_PARAMS": ("flags", "hUploadStream", "hErrNode_out", "result_out"),
    "CUlaunchConfig": ("gridDimX", "sharedMemBytes", "hStream", "attrs", "numAttrs"),
    "CUDA_RESOURCE_DESC": ("resType", "res", "res.linear.sizeInBytes", "res.pitch2D.height",
                           "flags"),
    "CUDA_TEXTURE_DESC": ("addressMode", "filterMode", "maxAnisotropy", "borderColor", "reserved"),
    "CUDA_RESOURCE_VIEW_DESC": ("format", "width", "firstMipmapLevel", "lastLayer", "reserved"),
}


class BinaryInterface(unittest.TestCase):
    def facts(self, lines, flags):
        directory = tempfile.mkdtemp(dir=testing.temporary())
        with open(os.path.join(directory, "abi_test.inc"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        program = os.path.join(directory, "abi")
        # Only addresses are taken, and not used: nothing has to be linked.
        built = subprocess.run(
            ["g++", "-std=c++20", "-O1", f"-DLINES=\"{directory}/abi_test.inc\"", *flags,
             "-o", program, "shims/cuda/abi_test.cc", "-Wl,--unresolved-symbols=ignore-all"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
        self.assertEqual(built.returncode, 0, built.stdout[-3000:])
        return subprocess.run([program], stdout=subprocess.PIPE, check=True,
                              text=True).stdout.splitlines()

    def compare(self, lines):
        theirs = self.facts(lines, ["-DNVIDIA", f"-I{include(13)}", f"-I{graphics()}"])
        self.assertEqual(self.facts(lines, ["-I."]), theirs)
        self.assertEqual(len(theirs), len(lines))

    def test_functions_take_what_the_headers_say(self):
        ours = set()
        for header in ("driver_api.h", "work_api.h"):
            with open(f"shims/cuda/{header}", encoding="utf-8") as file:
                ours.update(re.findall(r"^CUresult (cu\w+)\(", file.read(), re.M))
        # Their header, cudaProfiler.h, is not in the package.
        ours -= {"cuProfilerStart", "cuProfilerStop"}
        self.assertGreater(len(ours), 300)
        self.compare([f"FUNCTION({name})" for name in sorted(ours)])

    def test_structures_and_numbers_are_those_of_the_headers(self):
        lines = [f"SIZE({name})" for name in LAYOUTS]
        lines += [f"OFFSET({name}, {field})" for name, fields in LAYOUTS.items()
                  for field in fields]
        values = sorted(enumerators())
        self.assertGreater(len(values), 300)
        lines += [f"VALUE({name})" for name in values]
        self.compare(lines)


def load():
    if testing.SANITIZED:
        raise unittest.SkipTest("a library with a sanitizer cannot be loaded into Python")
    return ctypes.CDLL(os.path.abspath(LIBRARY))


class Occupancy(unittest.TestCase):
    def test_it_is_what_the_calculator_of_the_headers_says(self):
        program = os.path.join(testing.temporary(), "occupancy_agreement")
        subprocess.run(
            ["g++", "-std=c++20", "-O1", "-w", "-I.", f"-I{include(13)}", "-o", program,
             "shims/cuda/occupancy_agreement.cc", "shims/cuda/occupancy.cc",
             "shims/device/profiles.cc"], check=True)
        done = subprocess.run([program], stdout=subprocess.PIPE, check=False, text=True)
        self.assertRegex(done.stdout, r"^\d{6} cases, 0 different\n$")


class EntryPoints(unittest.TestCase):
    """Of a driver of the newest version, and of an older one, in a process of its own: the
    configuration is read once."""

    SCRIPT = """
import ctypes, json, sys
driver = ctypes.CDLL(sys.argv[1])
answers = []
for base, version, flags in json.load(sys.stdin):
    pointer, status = ctypes.c_void_p(1), ctypes.c_int(-1)
    error = driver.cuGetProcAddress_v2(base.encode(), ctypes.byref(pointer), version,
                                       ctypes.c_uint64(flags), ctypes.byref(status))
    answers.append((error, pointer.value, status.value))
# Functions that do the same may be one, at one address.
names = {None: [None]}
for name in sys.argv[2:]:
    address = ctypes.cast(getattr(driver, name), ctypes.c_void_p).value
    names.setdefault(address, []).append(name)
print(json.dumps([(error, names[pointer], status) for error, pointer, status in answers]))
"""

    def ask(self, questions, cuda_version):
        if testing.SANITIZED:
            self.skipTest("a library with a sanitizer cannot be loaded into Python")
        config = testing.devices(driver={"cuda_version": cuda_version})
        done = subprocess.run(
            [sys.executable, "-c", self.SCRIPT, os.path.abspath(LIBRARY), *table()],
            input=json.dumps(questions), stdout=subprocess.PIPE, check=True, text=True,
            env=environment(config))
        return json.loads(done.stdout)

    def check(self, cuda_version, cases):
        """`cases` are (question, (error, exported name or None, status))."""
        answers = self.ask([question for question, _ in cases], cuda_version)
        for (question, (error, name, status)), answer in zip(cases, answers, strict=True):
            self.assertEqual((error, status), (answer[0], answer[2]), question)
            self.assertIn(name, answer[1], question)

    def test_every_form_is_found_from_its_version_on(self):
        cases = []
        for (base, thread), names in forms().items():
            flags = 2 if thread else 0
            for name, newer in zip(names, names[1:] + [None]):
                until = 13050 if newer is None else table()[newer][1] - 1
                for version in (table()[name][1], until):
                    cases.append(((base, version, flags), (0, name, 0)))
        self.check("13.5", cases)

    def test_what_is_not_found_says_why(self):
        self.check("12.8", [
            (("cuMemAlloc", 1000, 0), (0, None, 2)),        # older than the function
            (("cuNoSuchThing", 12080, 0), (0, None, 1)),
            (("", 12080, 0), (0, None, 1)),
            (("cuMemAlloc_v2", 12080, 0), (0, None, 1)),    # a base name is asked for
            (("cuMemAlloc", 12090, 0), (1, None, -1)),      # newer than the driver
            (("cuMemAlloc", 12080, 3), (1, None, -1)),
            (("cuMemAlloc", 12080, 4), (1, None, -1)),
            # Of CUDA 13: this driver has not got it.
            (("cuMemGetDefaultMemPool", 12080, 0), (0, None, 1)),
            # No form for a thread's own stream; one that is too new; one.
            (("cuMemAlloc", 12080, 2), (0, "cuMemAlloc_v2", 0)),
            (("cuStreamQuery", 6050, 2), (0, "cuStreamQuery", 0)),
            (("cuStreamQuery", 7000, 2), (0, "cuStreamQuery_ptsz", 0)),
            (("cuMemcpyBatchAsync", 12080, 1), (0, "cuMemcpyBatchAsync", 0)),
        ])

    def test_the_first_form_of_the_call_makes_an_error_of_what_is_not_found(self):
        driver = load()
        pointer = ctypes.c_void_p(1)
        self.assertEqual(driver.cuGetProcAddress(b"cuInit", ctypes.byref(pointer), 11030,
                                                 ctypes.c_uint64(0)), 0)
        self.assertEqual(pointer.value, ctypes.cast(driver.cuInit, ctypes.c_void_p).value)
        self.assertEqual(driver.cuGetProcAddress(b"cuNo", ctypes.byref(pointer), 11030,
                                                 ctypes.c_uint64(0)), 500)
        self.assertIsNone(pointer.value)


class Stubs(unittest.TestCase):
    def test_a_stub_says_what_it_is_once_the_driver_is_initialised(self):
        if testing.SANITIZED:
            self.skipTest("a library with a sanitizer cannot be loaded into Python")
        stubs = [name for name, (kind, _) in table().items() if kind == "Stub"]
        script = """
import ctypes, sys
driver = ctypes.CDLL(sys.argv[1])
before = {getattr(driver, name)() for name in sys.argv[2:]}
assert driver.cuInit(0) == 0
after = {getattr(driver, name)() for name in sys.argv[2:]}
print(before, after)
"""
        done = subprocess.run([sys.executable, "-c", script, os.path.abspath(LIBRARY), *stubs],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, text=True,
                              env=environment(testing.devices(), VGPU_LOG="trace"))
        self.assertEqual(done.stdout, "{3} {801}\n")
        lines = [line for line in done.stderr.splitlines() if 'msg="not supported"' in line]
        self.assertEqual(len(lines), len(stubs))
        self.assertIn(f"func={stubs[0]}", lines[0])

    def test_nvidias_own_runtime_fails_and_one_line_says_why(self):
        if testing.SANITIZED:
            self.skipTest("a library with a sanitizer cannot be loaded into Python")
        beside = tempfile.mkdtemp(dir=testing.temporary())
        os.symlink(os.path.abspath(LIBRARY), os.path.join(beside, "libcuda.so.1"))
        script = """
import ctypes, sys
runtime = ctypes.CDLL(sys.argv[1])
count = ctypes.c_int(-1)
print(runtime.cudaGetDeviceCount(ctypes.byref(count)), count.value)
print(runtime.cudaGetDeviceCount(ctypes.byref(count)), count.value)
"""
        for major in INCLUDES:
            library = os.path.join(os.path.dirname(include(major)), "lib", f"libcudart.so.{major}")
            config = testing.devices(driver={"cuda_version": "13.5"})
            done = subprocess.run(
                [sys.executable, "-c", script, library], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, check=True, text=True,
                env=environment(config, VGPU_LOG="error", LD_LIBRARY_PATH=beside))
            self.assertEqual(done.stdout, "500 -1\n500 -1\n")
            self.assertRegex(done.stderr, r"\A[^\n]*NVIDIA's own CUDA runtime is loaded[^\n]*\n\Z")

    def test_the_private_tables_are_not_there_and_the_log_says_what_that_means(self):
        if testing.SANITIZED:
            self.skipTest("a library with a sanitizer cannot be loaded into Python")
        script = """
import ctypes, sys
driver = ctypes.CDLL(sys.argv[1])
table = ctypes.c_void_p(1)
print(driver.cuGetExportTable(ctypes.byref(table), bytes(16)), table.value)
"""
        done = subprocess.run([sys.executable, "-c", script, os.path.abspath(LIBRARY)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, text=True,
                              env=environment(testing.devices(), VGPU_LOG="error"))
        self.assertEqual(done.stdout, "500 None\n")
        self.assertRegex(done.stderr, r'^level=error lib=libvgpu-cuda '
                                      r'msg="NVIDIA\'s own CUDA runtime is loaded" '
                                      r'func=cuGetExportTable reason="')
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    testing.run_cases()
