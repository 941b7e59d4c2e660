#!/usr/bin/python3 -B
"""Every command in README.md and CONTRIBUTING.md is one that there is, and what can be run here
runs."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import doctor_testing as testing

INCIDENT = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted"
HEALTHY = f"{testing.INCIDENTS}/healthy-era-b/host"
NOT_RESTARTED = f"{INCIDENT}/host"
LOG = f"{testing.LOGS}/journal.txt"
BASELINE = os.path.realpath("testdata/baselines/schema-1.baseline.json")
# A pipe of the README, whose reading end is the doctor.
JOURNAL_TO = "journalctl -u ollama | "
# The sources themselves, where the incidents stand too.
ROOT = os.path.dirname(os.path.dirname(testing.INCIDENTS))
PROBE = f"{ROOT}/diag/probe/testdata/parse_corpus/era-b.json"


def read(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as file:
        return file.read()


def commands():
    """The lines of the sh blocks and those with a prompt, without what stands behind a #."""
    text = read("README.md") + read("CONTRIBUTING.md")
    for language, block in re.findall(r"^```(sh|console)\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            if language == "console" and not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ").split("  #")[0].strip()
            if command and not command.startswith("#"):
                yield command


class Readme(unittest.TestCase):
    def test_it_has_commands_of_each_kind(self):
        found = list(commands())
        self.assertIn("tools/dev/doctor", found)
        self.assertIn("tools/dev/test", found)
        self.assertGreater(len(found), 12)

    def test_who_builds_it_finds_the_two_commands_first(self):
        blocks = re.findall(r"^```sh\n(.*?)^```$", read("README.md"), re.M | re.S)
        self.assertEqual(blocks[:2], ["tools/dev/doctor\n", "tools/dev/test\n"])

    def test_a_customers_case_goes_from_the_capture_to_the_repair(self):
        case = re.search(r"^```console\n(.*?)^```$", read("README.md"), re.M | re.S).group(1)
        lines = [line.removeprefix("$ ").split("  #")[0].strip() for line in case.splitlines()]
        self.assertEqual(len(lines), 5)
        place = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, place)
        said = []
        for line in lines[2:]:
            words = [f"{place}/{word}" if word == "case.tar.zst" else word
                     for word in line.removeprefix("sudo ").split()]
            self.assertEqual(words[0], "vgpu-doctor", line)
            if words[1] == "capture":  # of a host that has the fault
                words += ["--root", NOT_RESTARTED]
            outcome = testing.doctor(*words[1:], timeout=60)
            said.append((outcome.status, outcome.out.decode()))
        (captured, _), (judged, report), (planned, plan) = said
        self.assertEqual((captured, judged, planned), (0, 1, 1))
        self.assertTrue(report.startswith("PROBLEM"), report)
        restart = "sudo systemctl restart ollama.service"
        self.assertIn(restart, report)
        self.assertIn(restart, plan)

    def test_its_verdicts_and_confidences_are_those_of_a_report(self):
        text = read("README.md")
        rows = re.findall(r"^\| ([A-Z]+) \| (\d) \|", text, re.M)
        self.assertEqual(rows, [("HEALTHY", "0"), ("PROBLEM", "1"), ("INCONCLUSIVE", "3")])
        for root, (verdict, status) in ((HEALTHY, rows[0]), (NOT_RESTARTED, rows[1])):
            outcome = testing.doctor("check", "--root", root)
            self.assertEqual((outcome.status, outcome.out.decode().split()[0]),
                             (int(status), verdict))
        schema = read("diag/report/report.schema.json")
        known = re.search(r'"confidence": \{"enum": (\[.*?\])', schema).group(1)
        table = text.split("| a cause is | |")[1].split("\n\n")[0]
        self.assertEqual(re.findall(r"^\| (\w+) \|", table, re.M), json.loads(known))

    def test_the_doctors_commands_run(self):
        captures = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, captures)
        for name, host in (("gpu-1", HEALTHY), ("gpu-2", NOT_RESTARTED)):
            os.symlink(host, f"{captures}/{name}")
        for command in commands():
            words = shlex.split(command.removeprefix("sudo ").removeprefix(JOURNAL_TO))
            if words[0] != "vgpu-doctor":
                continue
            words = [{"DIR": f"{INCIDENT}/host", "FILE": LOG, "works.baseline.json": BASELINE,
                      "captures": captures}.get(word, word) for word in words]
            if "*.tar.zst" in words:
                words[words.index("*.tar.zst"):] = [HEALTHY, NOT_RESTARTED]
            if words[1] == "fix":  # the plan of what is there, and nothing more
                words = [*(word for word in words if word not in ("--apply", "--yes", "VG401")),
                         "--root", f"{INCIDENT}/host"]
            if words[1] == "watch":
                continue  # it looks at this machine: watch_test
            if "--probe" in words:
                words[words.index("--probe") + 1] = PROBE
            if words[1:3] == ["baseline", "save"]:
                words += ["--root", HEALTHY, "-o", "-"]
            if words[1] in ("diff-against-baseline", "timeline") and "--root" not in words:
                words += ["--root", f"{INCIDENT}/host"]
            if "case.tar.zst" in words:
                continue  # a story of its own, above
            if words[1] == "capture":
                outcome = testing.doctor(*words[1:], "--root", f"{INCIDENT}/host", "-o", "-")
                self.assertEqual(outcome.status, 0, command)
                continue
            if words[1] == "check" and not {"--root", "--each", "--log"} & set(words):
                words += ["--root", f"{INCIDENT}/host"]  # not of this machine
            if "--output" in words:
                words[words.index("--output") + 1] = f"{testing.temporary()}/report"
            outcome = testing.doctor(*words[1:], timeout=60)
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
            for package, name in re.findall(r"//([\w/]+)(?::(\w+)|/\.\.\.)", command):
                self.assertIn(f'"{name}"' if name not in ("", "all") else "name = ",
                              read(f"{package}/BUILD.bazel"), command)

    def test_the_files_and_directories_they_name_are_there(self):
        text = read("README.md") + read("CONTRIBUTING.md")
        # The example of a cause names files that it makes.
        named = {path for path in re.findall(r"`((?:diag|shims|tools|testdata)/[\w./-]+)`", text)
                 if "vg213" not in path.lower()}
        self.assertGreater(len(named), 10)
        for path in named:
            self.assertTrue(os.path.exists(f"{ROOT}/{path}"), path)

    def test_the_report_it_shows_is_the_one_that_is_printed(self):
        shown = re.search(r"^```text\n(PROBLEM.*?)^```$", read("README.md"), re.M | re.S)
        report = testing.doctor("check", "--root", f"{INCIDENT}/host").out.decode()
        self.assertTrue(report.startswith(shown.group(1)), shown.group(1))

    def test_every_cause_has_its_rule(self):
        known = json.loads(testing.doctor("list-causes", "--format", "json").out)["causes"]
        self.assertEqual([cause["code"] for cause in known],
                         re.findall(r'\{"(VG\d+)"', read("diag/rules/rules.cc")))

    def test_its_layers_are_those_of_the_catalogue(self):
        known = json.loads(testing.doctor("list-causes", "--format", "json").out)["causes"]
        table = read("README.md").split("| layer | |")[1]
        listed = re.findall(r"^\| (\d) \|", table, re.M)
        self.assertEqual(listed, sorted({str(cause["layer"]) for cause in known}))


if __name__ == "__main__":
    testing.run()
