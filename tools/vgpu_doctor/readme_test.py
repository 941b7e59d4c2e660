#!/usr/bin/python3 -B
"""Every command in the README is one that there is, and what can be run here runs."""

import os
import re
import subprocess
import unittest

import doctor_testing as testing

INCIDENT = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted"
# The sources themselves, where the incidents stand too.
ROOT = os.path.dirname(os.path.dirname(testing.INCIDENTS))


def read(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as file:
        return file.read()


def commands():
    """The lines of the README's sh blocks, without what stands behind a #."""
    for block in re.findall(r"^```sh\n(.*?)^```$", read("README.md"), re.M | re.S):
        for line in block.splitlines():
            command = line.split("  #")[0].strip()
            if command:
                yield command


class Readme(unittest.TestCase):
    def test_it_has_commands_of_each_kind(self):
        found = list(commands())
        self.assertIn("tools/dev/doctor", found)
        self.assertIn("tools/dev/test", found)
        self.assertGreater(len(found), 12)

    def test_the_doctors_commands_run(self):
        for command in commands():
            words = command.removeprefix("sudo ").split()
            if words[0] != "vgpu-doctor":
                continue
            words = [f"{INCIDENT}/host" if word == "DIR" else word for word in words]
            if "--root" not in words:  # of the incident, not of this machine
                words += ["--root", f"{INCIDENT}/host"]
            outcome = testing.doctor(*words[1:])
            self.assertIn(outcome.status, (0, 1, 3), command)
            self.assertEqual(outcome.err, b"", command)

    def test_the_scripts_are_there(self):
        for command in commands():
            script = command.removeprefix("sudo ").split()[0]
            if script.startswith("tools/"):
                self.assertTrue(os.access(f"{ROOT}/{script}", os.X_OK), command)
                subprocess.run(["bash", "-n", f"{ROOT}/{script}"], check=True)

    def test_the_targets_are_there(self):
        for command in commands():
            for package, name in re.findall(r"//([\w/]+):(\w+)", command):
                self.assertIn(f'name = "{name}"', read(f"{package}/BUILD.bazel"), command)

    def test_the_report_it_shows_is_the_one_that_is_printed(self):
        shown = re.search(r"^```text\n(PROBLEM.*?)^```$", read("README.md"), re.M | re.S)
        report = testing.doctor("check", "--root", f"{INCIDENT}/host").out.decode()
        self.assertTrue(report.startswith(shown.group(1)), shown.group(1))

    def test_every_rule_is_in_its_table(self):
        listed = re.findall(r"^\| (VG\d+) \|", read("README.md"), re.M)
        self.assertEqual(listed, re.findall(r'\{"(VG\d+)"', read("diag/rules/rules.cc")))


if __name__ == "__main__":
    testing.run()
