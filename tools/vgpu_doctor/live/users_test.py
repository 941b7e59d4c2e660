#!/usr/bin/python3 -B
"""Who asks: root, an ordinary user, and one who may become root. What cannot be seen is said, and
nothing is concluded of it."""

import json
import os
import sys
import unittest

sys.path[:0] = [os.path.abspath(name) for name in ("tools/testing", "tools/vgpu_doctor/live")]
import cases  # noqa: E402
import machine  # noqa: E402
from machine import DROPIN, environment  # noqa: E402
from trial import codes, said  # noqa: E402

ORDINARY = ("setpriv", f"--reuid={machine.OPERATOR}", f"--regid={machine.OPERATOR}",
            "--clear-groups")


class Users(unittest.TestCase):
    def setUp(self):
        self.host = self.enterContext(machine.Machine("B"))
        self.assertIn("library=CUDA", self.host.install())

    def check_as(self, *prefix):
        done = self.host.run(*prefix, "vgpu-doctor", "check", "--format", "json", check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)

    def made_older_than_its_drop_in(self):
        self.host.sh(f"mv {DROPIN} /tmp/vgpu.conf")
        self.host.restart()
        self.host.sh(f"cp /tmp/vgpu.conf {DROPIN}")
        self.host.reload()

    def test_root_sees_all(self):
        report = self.check_as()
        self.assertEqual(report["verdict"], "healthy", said(report))
        self.assertNotIn("permission denied", [item["why"] for item in report["not_observed"]])

    def test_an_ordinary_user_is_told_what_was_not_seen(self):
        report = self.check_as(*ORDINARY)
        self.assertEqual((report["verdict"], report["root_causes"]), ("inconclusive", []),
                         said(report))
        pid, = self.host.show("MainPID")
        unseen = {item["what"]: item for item in report["not_observed"]}
        for what in (f"environment of process {pid}", f"loaded libraries of process {pid}"):
            self.assertIn("permission denied", unseen[what]["why"])
            self.assertIn("sudo vgpu-doctor check", unseen[what]["how"])
        ruled_out = codes(report, "ruled_out")
        for code in ("VG302", "VG303", "VG306", "VG410"):
            self.assertNotIn(code, ruled_out)

    def test_an_ordinary_user_is_told_nothing_certain_of_what_was_not_seen(self):
        self.made_older_than_its_drop_in()
        report = self.check_as(*ORDINARY)
        for cause in report["root_causes"]:
            self.assertNotEqual(cause["confidence"], "certain", said(report))
        self.assertEqual(codes(self.check_as(), "root_causes"), ["VG302"])

    def test_with_sudo_the_same_user_sees_what_root_sees(self):
        if self.host.run("which", "sudo", check=False).returncode != 0:
            self.skipTest("sudo is not in the container (tools/dev/client_packages/system.txt)")
        self.host.write("/etc/sudoers.d/operator", "operator ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        self.made_older_than_its_drop_in()
        report = self.check_as(*ORDINARY, "sudo", "-n")
        self.assertEqual(codes(report, "root_causes"), ["VG302"], said(report))
        self.assertEqual(report["root_causes"][0]["confidence"], "certain")
        # What it says is then done as this user would.
        command = report["root_causes"][0]["fix"][0]["command"]
        self.host.run(*ORDINARY, "sh", "-c", command)
        self.assertIn("library=CUDA", self.host.settle())
        self.assertEqual(self.check_as(*ORDINARY, "sudo", "-n")["verdict"], "healthy")


if __name__ == "__main__":
    cases.run()
