#!/usr/bin/python3 -B
"""The shims come into a program by dlopen, by NEEDED, by preload, and by all three at once;
they go again, and bear threads, fork and vfork."""

import os
import subprocess

import shims_testing as testing

# A function of each that a program calls first.
FIRST = {"libcuda.so.1": "cuInit", "libnvidia-ml.so.1": "nvmlInit_v2",
         "libcudart.so.12": "cudaGetDeviceCount", "libcudart.so.13": "cudaGetDeviceCount"}
# One runtime in one program.
ALL = ("libcuda.so.1", "cuInit", "libnvidia-ml.so.1", "nvmlInit_v2",
       "libcudart.so.12", "cudaGetDeviceCount")


class LoadModes(testing.TestCase):
    def program(self, linked=False):
        name = "load_modes_linked" if linked else "load_modes"
        path = os.path.join(testing.temporary(), name)
        if os.path.exists(path):
            return path
        libraries = ["-DLINKED", "-L", testing.installed(),
                     *(f"-l:{soname}" for soname in ALL[::2])] if linked else []
        return testing.compile_c("shims/testing/load_modes.c", name, *libraries, "-ldl",
                                 "-lpthread")

    def runs(self, *words, linked=False, preload=(), **changes):
        outcome = testing.run([self.program(linked), *words], changes,
                              config=testing.devices(driver=testing.NEW_DRIVER),
                              preload=preload, timeout=120)
        self.assertEqual((outcome.status, outcome.err), (0, ""))

    def test_they_come_and_go(self):
        for library, function in FIRST.items():
            with self.subTest(library):
                file = os.path.basename(os.path.realpath(f"{testing.installed()}/{library}"))
                self.runs("reopen", library, function, file)

    def test_by_needed(self):
        self.runs("one", *ALL, linked=True)
        needed = subprocess.run(["readelf", "-d", self.program(linked=True)], capture_output=True,
                                text=True, check=True).stdout
        for soname in ALL[::2]:
            self.assertIn(f"[{soname}]", needed)

    def test_by_preload(self):
        self.runs("one", *ALL, preload=testing.PRELOADED)

    def test_by_needed_and_preload_and_dlopen(self):
        self.runs("one", *ALL, linked=True, preload=testing.PRELOADED)
        # And where a path finds them as well: still one copy.
        self.runs("one", *ALL, linked=True, preload=testing.PRELOADED,
                  LD_LIBRARY_PATH=testing.installed())

    def test_each_alone(self):
        # No other shim has to be loaded: the runtime finds the driver that stands beside it.
        for name in testing.PRELOADED:
            (library, function), = [(soname, FIRST[soname]) for soname in FIRST
                                    if os.path.realpath(f"{testing.installed()}/{soname}") ==
                                    os.path.realpath(f"{testing.installed()}/{name}")]
            with self.subTest(name):
                self.runs("one", library, function, preload=(name,))

    def test_threads(self):
        self.runs("threads")
        self.runs("threads", preload=testing.PRELOADED)

    def test_fork(self):
        self.runs("fork")

    def test_vfork_and_exec(self):
        self.runs("spawn", "/bin/true", preload=testing.PRELOADED)

    def test_start_up(self):
        # The benchmark //shims/testing:start_up says how much; here it must be no disaster.
        preload = ":".join(os.path.join(testing.installed(), name) for name in testing.PRELOADED)
        outcome = subprocess.run(["shims/testing/start_up", preload, "/bin/true", "200"],
                                 capture_output=True, text=True, check=True)
        print("start-up of /bin/true:", outcome.stdout.strip())
        self.assertLess(float(outcome.stdout.split()[-1]), 3)


if __name__ == "__main__":
    testing.run_cases()
