"""What the tests share that load the shims into programs: it lays the libraries out as they
are installed, writes their configuration, and runs programs with them.

    class Hashcat(testing.TestCase):
        def test_it_lists_the_device(self):
            outcome = testing.run(["hashcat", "-I"])

The tests need Python's standard library, and run in the runfiles of their target. A case
that cannot run where it is run is skipped with the reason.
"""

import atexit
import collections
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases

run_cases = cases.run
needs_client = cases.client

# Of the build; those that are in the runfiles are installed.
LIBRARIES = (
    "shims/cuda/libvgpu-cuda.so",
    "shims/nvml/libvgpu-nvml.so",
    "shims/cudart/libvgpu-cudart.so",
    "shims/cudart/libvgpu-cudart13.so",
    "shims/syscall/libvgpu-syscall.so",
    "shims/exec/libvgpu-exec.so",
)

# What LD_PRELOAD holds: the three that most programs ask for, and with the runtime of CUDA 13, as
# vgpu-run has it.
PRELOADED = ("libvgpu-cuda.so", "libvgpu-nvml.so", "libvgpu-cudart.so")
ALL_PRELOADED = (*PRELOADED, "libvgpu-cudart13.so")
# With those that show the device's files, and that keep the others in the environment of children.
FIVE_PRELOADED = (*PRELOADED, "libvgpu-syscall.so", "libvgpu-exec.so")

H100 = "NVIDIA H100 80GB HBM3"

# A driver on which programs for CUDA 12 and for CUDA 13 run. That of the default is of CUDA 12.8.
NEW_DRIVER = {"version": "580.65.06", "cuda_version": "13.0"}

# Whether the shims are built with a sanitizer: then no program of others can load them.
SANITIZED = "--sanitized" in sys.argv

# A terminal, a locale or a preference of the caller changes nothing in a test.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

Outcome = collections.namedtuple("Outcome", "status out err")



class TestCase(unittest.TestCase):
    """A case over programs of others."""

    def setUp(self):
        if SANITIZED:
            self.skipTest("a program of others cannot load a shim with a sanitizer's runtime")


_TEMPORARY = []


def temporary():
    """A directory of this run, removed at its end."""
    if not _TEMPORARY:
        _TEMPORARY.append(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"), prefix="shims."))
        atexit.register(shutil.rmtree, _TEMPORARY[0], ignore_errors=True)
    return _TEMPORARY[0]


def installed():
    """The directory that holds the shims under the names that programs open: those that are in
    the runfiles."""
    directory = os.path.join(temporary(), "lib")
    if not os.path.isdir(directory):
        subprocess.run(["shims/lay_out", directory, *filter(os.path.exists, LIBRARIES)], check=True)
    return directory


def devices(*entries, driver=None):
    """Writes a devices.toml of [[device]] tables (dicts) and returns its path. A device without
    "uuid" gets one of its own, so that tests that run at once do not count each other's
    memory."""
    def text(table):
        def value(of):
            return f'"{of}"' if isinstance(of, str) else str(of)
        return "".join(f"{key} = {value(of)}\n" for key, of in table.items())
    parts = ["[[device]]\n" + text({"uuid": new_uuid()} | entry) for entry in entries or ({},)]
    if driver:
        parts.append("[driver]\n" + text(driver))
    return configuration("\n".join(parts))


def new_uuid():
    return f"GPU-{uuid.uuid4()}"


def configuration(text):
    """Writes `text` as a devices.toml of its own and returns its path."""
    handle, path = tempfile.mkstemp(dir=temporary(), suffix=".toml")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def environment(*changes, config=None, preload=()):
    """That of a program that finds the shims, by path or, where `preload` names files of
    installed(), by LD_PRELOAD."""
    result = dict(ENVIRONMENT, LD_LIBRARY_PATH=installed())
    if preload:
        del result["LD_LIBRARY_PATH"]
        result["LD_PRELOAD"] = ":".join(os.path.join(installed(), name) for name in preload)
    if config:
        result["VGPU_CONFIG"] = config
    for change in changes:
        result.update(change)
    return result


def run(command, *changes, config=None, preload=(), timeout=60, **options):
    """Runs a program with the shims: its exit status (negative: the signal that ended it) and
    what it printed, as text. Too long is an error of the test."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=timeout, check=False, env=environment(*changes, config=config, preload=preload),
        **options)
    return Outcome(done.returncode, done.stdout.decode("utf-8", "replace"),
                   done.stderr.decode("utf-8", "replace"))


def needs_program(name):
    """The path of a program of the system, or a skip that says what to install."""
    path = shutil.which(name, path=ENVIRONMENT["PATH"])
    if path is None:
        raise unittest.SkipTest(f"{name} is not installed (tools/dev/setup clients does it)")
    return path


def compile_c(source, name, *flags):
    """Compiles a C program of the test with the machine's compiler; returns its path."""
    program = os.path.join(temporary(), name)
    done = subprocess.run(
        ["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, source, *flags],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{source} does not compile: {done.stderr[-2000:]}")
    return program
