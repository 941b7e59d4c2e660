#!/usr/bin/python3 -B
"""vgpu-doctor fix without --apply, on captured hosts, and what --apply refuses."""

import json
import os
import shutil
import tempfile
import unittest

import doctor_testing as testing

NOT_RESTARTED = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"


def plan(root, *arguments):
    done = testing.doctor("fix", "--root", root, "--format", "json", *arguments)
    result = json.loads(done.out)
    testing.validate(result, "tools/vgpu_doctor/repair/fix.schema.json")
    return result, done


class Plan(unittest.TestCase):

    def test_every_incident_has_a_plan_of_what_check_says(self):
        for name in sorted(os.listdir(testing.INCIDENTS)):
            root = f"{testing.INCIDENTS}/{name}/host"
            if not os.path.isdir(root):
                continue
            with self.subTest(name):
                report, _ = testing.check_json("--root", root)
                result, done = plan(root)
                # What the start would meet is repaired before the start.
                first = [item for item in report["latent"] if item.get("repair_first")]
                causes = first + report["root_causes"]
                self.assertEqual([item["code"] for item in result["repairs"]],
                                 [item["code"] for item in causes])
                self.assertEqual(result["verdict"], report["verdict"])
                self.assertIsNone(result["applied"])
                for item, cause in zip(result["repairs"], causes, strict=True):
                    # The restart is that of the root cause's repair, and comes once; so does a
                    # reload that a repair behind this one makes too.
                    later = [each["command"] for each in item["later"]]
                    fix = [told for told in cause["fix"] if told["command"] not in later and
                           (cause not in first or "systemctl restart" not in told["command"])]
                    for step, told in zip(item["steps"], fix, strict=True):
                        self.assertIn(told["risk"], step["risk"])  # and that of the one it is for
                        self.assertEqual(step, told | {"by": step["by"], "risk": step["risk"]})
                    for each in item["later"]:
                        behind = [other["steps"] for other in result["repairs"]
                                  if other["code"] == each["with"]]
                        self.assertIn(each["command"], [step["command"] for step in behind[0]])
                    # A repair that is the tool's has no step of a person's.
                    if item["by"] == "vgpu-doctor":
                        self.assertNotIn("person", [step["by"] for step in item["steps"]])
                        self.assertTrue(later or
                                        "vgpu-doctor" in [step["by"] for step in item["steps"]])
                    else:
                        self.assertNotEqual(item["because"], "")

    def test_the_text_has_reason_risk_and_command(self):
        done = testing.doctor("fix", "--root", NOT_RESTARTED)
        text = done.out.decode()
        self.assertEqual(done.status, testing.PROBLEM)
        self.assertIn("1. sudo systemctl restart ollama.service", text)
        self.assertIn("risk: requests that are running are cut off", text)
        self.assertRegex(text, r"`sudo vgpu-doctor fix --apply` on \S+\s+does this")

    def test_a_cause_is_chosen_by_code_or_by_name(self):
        by_code, _ = plan(NOT_RESTARTED, "vg302")
        by_name, _ = plan(NOT_RESTARTED, "service-started-before-config")
        self.assertEqual(by_code, by_name)
        self.assertEqual([item["code"] for item in by_code["repairs"]], ["VG302"])

    def test_what_was_not_diagnosed_is_refused(self):
        for code, why in (("VG401", "VG401 was not diagnosed here, so nothing is repaired; VG302"),
                          ("VG704", "VG704 follows from VG302: repair that"),
                          ("VG000", "there is no such cause")):
            done = testing.doctor("fix", code, "--root", NOT_RESTARTED)
            self.assertEqual((done.status, done.out), (testing.USAGE, b""))
            self.assertIn(why, done.err.decode())

    def test_a_captured_host_is_not_changed(self):
        done = testing.doctor("fix", "--root", NOT_RESTARTED, "--apply", "--yes")
        self.assertEqual((done.status, done.out), (testing.USAGE, b""))
        self.assertIn("--root has no place there", done.err.decode())

    def test_an_ordinary_user_changes_nothing(self):
        program = [testing.DOCTOR]
        with tempfile.TemporaryDirectory(dir="/tmp") as directory:
            if os.geteuid() == 0:
                os.chmod(directory, 0o755)
                program = [*testing.NOBODY, shutil.copy(testing.DOCTOR, directory)]
            done = testing.doctor("fix", "--apply", "--yes", program=program)
        self.assertEqual((done.status, done.out), (testing.USAGE, b""))
        self.assertIn("needs root", done.err.decode())


if __name__ == "__main__":
    testing.run()
