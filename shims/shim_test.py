#!/usr/bin/python3 -B
"""What every shim must be, because it becomes part of programs of others.

    shim_test.py LIBRARY SONAME [--sanitized]

Read from the file itself with readelf and nm, as the loader would.
"""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.abspath("tools/testing"))
import cases

LIBRARY, SONAME = sys.argv[1:3]
SANITIZED = "--sanitized" in sys.argv

# The C library, and the loader, which every program has; libm is part of glibc.
MAY_NEED = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
# That of Ubuntu 22.04; Debian 12 has 2.36.
NEWEST_GLIBC = (2, 35)


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}).stdout


class Shim(unittest.TestCase):
    def setUp(self):
        if SANITIZED:
            self.skipTest("a sanitizer's runtime is in it")
        self.dynamic = said("readelf", "-dW", LIBRARY)

    def entries(self, tag):
        return re.findall(rf"\({tag}\)\s+(.*)$", self.dynamic, re.M)

    def test_programs_find_it_by_its_soname(self):
        self.assertEqual(self.entries("SONAME"), [f"Library soname: [{SONAME}]"])

    def test_it_needs_the_c_library_alone(self):
        needed = {re.search(r"\[(.*)\]", of).group(1) for of in self.entries("NEEDED")}
        self.assertLessEqual(needed, MAY_NEED)
        self.assertEqual(self.entries("RPATH") + self.entries("RUNPATH"), [])

    def test_nothing_of_ours_runs_when_it_is_loaded(self):
        # One function each: frame_dummy and __do_global_dtors_aux of gcc's crtbeginS.o, which
        # register and release nothing here. A constructor of ours would be a second.
        self.assertEqual(self.entries("INIT_ARRAYSZ"), ["8 (bytes)"])
        self.assertEqual(self.entries("FINI_ARRAYSZ"), ["8 (bytes)"])
        self.assertEqual(self.entries("PREINIT_ARRAY"), [])
        names = [line.split()[-1] for line in said("nm", LIBRARY).splitlines()]
        if names:  # it is not stripped
            self.assertIn("frame_dummy", names)
            # What gcc calls the function that runs the constructors of a file.
            self.assertEqual([name for name in names if name.startswith("_GLOBAL__sub_I")], [])

    def test_no_symbol_of_c_plus_plus_goes_in_or_out(self):
        for line in said("nm", "-D", LIBRARY).splitlines():
            kind, name = line.split()[-2:]
            # A small letter: it is local, and nobody binds to it.
            self.assertFalse(kind.isupper() and name.startswith("_Z"), line)

    def test_every_symbol_that_it_needs_is_of_the_c_library(self):
        for line in said("nm", "-D", "--undefined-only", LIBRARY).splitlines():
            kind, name = line.split()[-2:]
            # The weak ones are those of gcc's crtbeginS.o, for profilers and the like.
            self.assertTrue("@GLIBC_" in name or kind == "w", line)

    def test_it_loads_where_glibc_is_older(self):
        versions = {tuple(map(int, version.split("."))) for version in
                    re.findall(r"GLIBC_([\d.]+)", said("readelf", "-VW", LIBRARY))}
        newest = max(versions, default=(2, 2, 5))
        print("needs glibc", ".".join(map(str, newest)))
        self.assertLessEqual(newest, NEWEST_GLIBC)

    def test_it_is_hardened(self):
        headers = said("readelf", "-lW", LIBRARY)
        self.assertRegex(headers, r"GNU_STACK .* RW +0x")
        self.assertNotRegex(headers, r"LOAD .* RWE ")
        self.assertIn("GNU_RELRO", headers)
        self.assertIn("NOW", " ".join(self.entries("FLAGS") + self.entries("FLAGS_1")))
        self.assertEqual(self.entries("TEXTREL"), [])


if __name__ == "__main__":
    cases.run()
