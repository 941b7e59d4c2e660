#!/usr/bin/python3 -B
"""What vgpu-doctor says of each incident in testdata/incidents.

Each directory is one host that was captured, host/, and what is known of it:

  label.json   written by hand: the story, and what a report must and must not say
  report.txt   the whole report, as text at 80 columns and
  report.json  as JSON: golden files, reviewed as prose

A label's lists: root_causes, latent and notes are exact and in order; consequences,
ruled_out_has and not_observed_has (a part of its `what`) must be there; `says` stands in
some text of the report and `never_says` in none. Golden files are rewritten by

    bazel run //tools/vgpu_doctor:incidents_test -- --update
"""

import difflib
import json
import os
import re
import sys
import unittest

import doctor_testing as testing

# Lines. The longest report is of a crash loop with a latent fault, each with a repair of four steps.
FIRST_SCREEN = 40
LONGEST = 115


class Incident(unittest.TestCase):
    """One incident: its directory is what makes it."""

    def __init__(self, name):
        super().__init__("runTest")
        self.name = name
        self.directory = os.path.join(testing.INCIDENTS, name)
        self.host = os.path.join(self.directory, "host")

    def id(self):
        return f"Incident.{self.name}"

    def report(self, form):
        return testing.doctor("check", "--root", self.host, "--format", form)

    def runTest(self):
        with open(os.path.join(self.directory, "label.json"), encoding="utf-8") as file:
            label = json.load(file)
        text, as_json = self.report("text"), self.report("json")
        report = testing.parse_report(as_json)
        with self.subTest("length"):
            self.hold_length(report, text.out.decode())
        with self.subTest("label"):
            self.assertEqual(text.status, as_json.status)
            self.hold(label, report, text.out.decode())
        for name, form in (("report.txt", text), ("report.json", as_json)):
            with self.subTest(name):
                self.assertEqual(form.err, b"")
                self.hold_golden(name, form.out.decode())

    def hold_length(self, report, text):
        """What to do stands on the first screen, and the rest is soon read."""
        lines = text.splitlines()
        self.assertLessEqual(len(lines), LONGEST)
        for cause in report["root_causes"][:1]:
            screen = "\n".join(lines[:FIRST_SCREEN])
            flat = " ".join(screen.split())
            for step in cause["fix"]:
                self.assertIn(" ".join(["$", *step["command"].split()]), flat)
            self.assertIn(cause["title"], flat)
            for line in cause["expect"]:
                self.assertIn(" ".join(line.split()), flat)
            self.assertRegex(screen, "(?m)^Evidence$")

    def hold(self, label, report, text):
        wrong = []

        def expect(what, expected, actual):
            if expected != actual:
                wrong.append(f"{what}: the label has {expected}, the report {actual}")

        expect("verdict", label["verdict"], report["verdict"])
        exit_codes = {"healthy": testing.HEALTHY, "problem": testing.PROBLEM,
                      "inconclusive": testing.INCONCLUSIVE}
        expect("exit", label["exit"], exit_codes[report["verdict"]])
        for part in ("root_causes", "latent", "notes"):
            expect(part, label[part], testing.codes(report, part))
        for part in ("consequences", "ruled_out"):
            needed = label["consequences" if part == "consequences" else "ruled_out_has"]
            missing = [code for code in needed if code not in testing.codes(report, part)]
            if missing:
                wrong.append(f"{part} lacks {missing}: {testing.codes(report, part)}")
        unseen = [item["what"] for item in report["not_observed"]]
        for phrase in label["not_observed_has"]:
            if not any(phrase in what for what in unseen):
                wrong.append(f"not_observed lacks {phrase!r}: {unseen}")
        said = testing.words(report)
        flat = " ".join(text.split())
        files = [file for part in ("root_causes", "latent", "notes") for item in report[part]
                 for file in {written for step in item.get("fix", [])
                              for written in re.findall(r"tee (\S+)", step["command"])}]
        expect("files that one repair writes and another too", sorted(set(files)), sorted(files))
        for phrase in label["says"]:
            if phrase not in said:
                wrong.append(f"nothing says {phrase!r}")
        for phrase in label["never_says"]:
            if phrase in said or phrase in flat:
                wrong.append(f"the report says {phrase!r}")
        self.assertFalse(wrong, "\n".join(wrong))

    def hold_golden(self, name, actual):
        path = os.path.join(self.directory, name)
        if "--update" in sys.argv:
            path = os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], "testdata/incidents",
                                self.name, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(actual)
            return
        with open(path, encoding="utf-8") as file:
            expected = file.read()
        if expected != actual:
            diff = difflib.unified_diff(expected.splitlines(), actual.splitlines(),
                                        name, "the report now", lineterm="")
            self.fail("\n".join(diff) + "\nIf the new report is right: "
                      "bazel run //tools/vgpu_doctor:incidents_test -- --update")


if __name__ == "__main__":
    if "--update" in sys.argv and "BUILD_WORKSPACE_DIRECTORY" not in os.environ:
        sys.exit("--update works under `bazel run`")
    testing.run(unittest.TestSuite(map(Incident, sorted(os.listdir(testing.INCIDENTS)))))
