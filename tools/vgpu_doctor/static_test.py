#!/usr/bin/python3 -B
"""vgpu-doctor works where no dynamic program does.

It has to diagnose a broken loader, a preloaded library that crashes, and a faulty
/etc/ld.so.preload: so nothing of these may act on it.
"""

import os
import signal
import struct
import subprocess
import sys
import unittest

import doctor_testing as testing

CRASH = os.path.abspath("tools/vgpu_doctor/libcrash.so")
INCIDENT = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"
PT_DYNAMIC, PT_INTERP = 2, 3


def program_headers(path):
    """The types of an ELF64 file's program headers."""
    with open(path, "rb") as file:
        image = file.read()
    offset, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    return [struct.unpack_from("<I", image, offset + i * size)[0] for i in range(count)]


def not_observed(report):
    return [item["why"] for item in report["not_observed"]]


@unittest.skipIf(testing.SANITIZED, "a sanitizer's runtime needs a dynamic program")
class Static(unittest.TestCase):

    def test_the_program_names_no_interpreter_and_no_library(self):
        kinds = program_headers(testing.DOCTOR)
        self.assertNotIn(PT_INTERP, kinds)
        self.assertNotIn(PT_DYNAMIC, kinds)
        # The same look at a dynamic program sees both.
        self.assertLessEqual({PT_INTERP, PT_DYNAMIC}, set(program_headers(sys.executable)))

    def test_a_preloaded_library_that_crashes_all_others_does_not_touch_it(self):
        preload = {"LD_PRELOAD": CRASH}
        self.assertEqual(subprocess.run(["/bin/true"], env=preload, check=False).returncode,
                         -signal.SIGSEGV)
        calm = testing.doctor("check", "--root", INCIDENT)
        stormy = testing.doctor("check", "--root", INCIDENT, environment=preload)
        self.assertEqual((stormy.status, stormy.out, stormy.err),
                         (calm.status, calm.out, calm.err))

    def test_the_tools_that_it_starts_do_not_inherit_the_preload(self):
        # Live: systemctl runs, whatever it answers on this machine.
        report, _ = testing.check_json(environment={"LD_PRELOAD": CRASH}, timeout=90)
        self.assertEqual([why for why in not_observed(report) if "signal" in why], [])

    def test_a_preload_file_that_crashes_every_dynamic_program(self):
        # In a mount namespace of our own, in which /etc holds this one file.
        etc = os.path.join(testing.temporary(), "etc")
        testing.write(etc, "ld.so.preload", CRASH + "\n")
        namespace = ["unshare", "--mount", "--propagation", "private"]
        if os.geteuid() != 0:
            namespace.insert(1, "--map-root-user")
        inside = [*namespace, "/bin/sh", "-c", 'mount --bind "$0" /etc && exec "$@"', etc]
        trial = subprocess.run(inside[:-2] + ['mount --bind "$0" /etc', etc],
                               capture_output=True, check=False)
        if trial.returncode != 0:
            self.skipTest(f"no mount namespace here: {trial.stderr.decode().strip()}")
        self.assertEqual(subprocess.run([*inside, "/bin/true"], check=False).returncode,
                         -signal.SIGSEGV)
        calm = testing.doctor("check", "--root", INCIDENT)
        stormy = testing.doctor("check", "--root", INCIDENT, program=[*inside, testing.DOCTOR])
        self.assertEqual((stormy.status, stormy.out), (calm.status, calm.out))
        report, _ = testing.check_json(program=[*inside, testing.DOCTOR], timeout=90)
        said = testing.words(report)
        self.assertIn("systemctl: ended by signal 11", said)


if __name__ == "__main__":
    testing.run()
