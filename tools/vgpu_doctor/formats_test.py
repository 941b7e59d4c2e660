#!/usr/bin/python3 -B
"""The forms of a report that others define hold what they define; the exit status is the same
in all of them; and where a report goes."""

import collections
import glob
import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import doctor_testing as testing
import jsonschema

FORMATS = ("text", "json", "markdown", "html", "sarif", "junit", "prometheus")
SCHEMAS = "diag/report/testdata/schemas"
INCIDENTS = sorted(glob.glob(f"{testing.INCIDENTS}/*/host"))
ONE = f"{testing.INCIDENTS}/started-before-drop-in-not-restarted/host"


def show(root, form):
    return testing.doctor("check", "--root", root, "--format", form)


def samples(form):
    """The golden files of a form, by name."""
    for path in sorted(glob.glob(f"diag/report/testdata/*.{form}")):
        with open(path, "rb") as file:
            yield path, file.read()


def reports(form, ending):
    """Golden reports, and those of the incidents."""
    yield from samples(ending)
    for root in INCIDENTS:
        yield root, show(root, form).out


class Sarif(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(f"{SCHEMAS}/sarif-2.1.0-parts.schema.json", encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        cls.schema = jsonschema.Draft202012Validator(schema)

    def wrong(self, log):
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                for error in self.schema.iter_errors(log)]

    def test_it_holds_what_the_specification_asks_of_its_parts(self):
        count = 0
        for name, text in reports("sarif", "sarif"):
            self.assertEqual(self.wrong(json.loads(text)), [], name)
            count += 1
        self.assertGreater(count, 15)

    def test_the_schema_is_no_formality(self):
        def broken(change):
            log = json.loads(show(ONE, "sarif").out)
            change(log["runs"][0])
            return self.wrong(log)

        self.assertTrue(broken(lambda run: run.pop("tool")))
        self.assertTrue(broken(lambda run: run["results"][0].pop("message")))
        self.assertTrue(broken(lambda run: run["results"][0].update(level="fatal")))
        self.assertTrue(broken(lambda run: run["results"][0]["message"].update(text="{0}")))
        self.assertTrue(broken(lambda run: run["results"][0]["message"].update(text="[a](b)")))

    def test_it_says_what_the_json_report_says(self):
        for root in INCIDENTS:
            report, outcome = testing.check_json("--root", root)
            run = json.loads(show(root, "sarif").out)["runs"][0]
            for part in ("root_causes", "consequences", "latent", "notes"):
                self.assertEqual([result["ruleId"] for result in run["results"]
                                  if result.get("properties", {}).get("list") == part],
                                 testing.codes(report, part), root)
            self.assertEqual([result["ruleId"] for result in run["results"]
                              if result["kind"] == "pass"], testing.codes(report, "ruled_out"))
            self.assertEqual(run["invocations"][0]["exitCode"], outcome.status)


class JUnit(unittest.TestCase):
    def wrong(self, text):
        """What xmllint says against it; empty where it is valid."""
        if shutil.which("xmllint") is None:
            self.skipTest("there is no xmllint (Debian's libxml2-utils)")
        done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema",
                               f"{SCHEMAS}/junit-parts.xsd", "-"], input=text,
                              capture_output=True, check=False)
        return "" if done.returncode == 0 else done.stderr.decode() or "invalid"

    def test_it_holds_what_jenkins_and_ant_ask(self):
        count = 0
        for name, text in reports("junit", "xml"):
            self.assertEqual(self.wrong(text), "", name)
            count += 1
        self.assertGreater(count, 15)

    def test_the_schema_is_no_formality(self):
        text = show(ONE, "junit").out
        self.assertTrue(self.wrong(text.replace(b"<failure", b"<problem")))
        self.assertTrue(self.wrong(text.replace(b' tests="', b' all="')))
        self.assertTrue(self.wrong(text.replace(b"T10:", b" 10:")))

    def test_its_counts_are_those_of_its_cases(self):
        for root in INCIDENTS:
            outcome = show(root, "junit")
            suite = ElementTree.fromstring(outcome.out).find("testsuite")
            ended = collections.Counter(child.tag for case in suite.findall("testcase")
                                        for child in case)
            self.assertEqual(int(suite.get("tests")), len(suite.findall("testcase")), root)
            self.assertEqual(int(suite.get("failures")), ended["failure"], root)
            self.assertEqual(int(suite.get("errors")), ended["error"], root)
            self.assertEqual(int(suite.get("skipped")), ended["skipped"], root)
            # Green where the exit status is 0, and nowhere else.
            self.assertEqual(outcome.status == 0, ended["failure"] + ended["error"] == 0, root)


class Prometheus(unittest.TestCase):
    def test_prometheus_reads_it(self):
        promtool = os.path.join(testing.client("promtool"), "promtool")
        for name, text in reports("prometheus", "prom"):
            done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""), name)

    def test_one_verdict_is_one(self):
        for root in INCIDENTS:
            outcome = show(root, "prometheus")
            verdicts = [line for line in outcome.out.decode().splitlines()
                        if line.startswith("vgpu_doctor_verdict{")]
            self.assertEqual([line[-2:] for line in verdicts].count(" 1"), 1, root)
            self.assertEqual(len(verdicts), 3)


class WhereItGoes(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(dir=testing.temporary())
        self.addCleanup(shutil.rmtree, self.scratch)

    def write(self, target, *arguments):
        return testing.doctor("check", "--root", ONE, "--output", target, *arguments)

    def test_the_exit_status_is_the_same_in_every_form(self):
        for root in INCIDENTS:
            _, outcome = testing.check_json("--root", root)
            for form in FORMATS:
                shown = show(root, form)
                self.assertEqual((shown.status, shown.err), (outcome.status, b""), (root, form))
                self.assertTrue(shown.out.endswith(b"\n"), (root, form))

    def test_a_form_is_the_same_each_time(self):
        for form in FORMATS:
            self.assertEqual(show(ONE, form).out, show(ONE, form).out, form)

    def test_quiet_prints_nothing_and_says_the_same(self):
        for root in INCIDENTS:
            _, outcome = testing.check_json("--root", root)
            quiet = testing.doctor("check", "--root", root, "--quiet")
            self.assertEqual((quiet.status, quiet.out, quiet.err), (outcome.status, b"", b""))

    def test_quiet_and_a_form_are_refused_together(self):
        for more in (("--format", "json"), ("--output", f"{self.scratch}/report")):
            outcome = testing.doctor("check", "--root", ONE, "--quiet", *more)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""), more)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_a_hyphen_is_standard_output(self):
        self.assertEqual(self.write("-").out, show(ONE, "text").out)

    def test_a_file_holds_what_would_have_been_printed(self):
        for form in FORMATS:
            target = f"{self.scratch}/report.{form}"
            outcome = self.write(target, "--format", form)
            self.assertEqual((outcome.status, outcome.out, outcome.err),
                             (testing.PROBLEM, b"", b""))
            with open(target, "rb") as file:
                self.assertEqual(file.read(), show(ONE, form).out, form)
        self.assertEqual(len(os.listdir(self.scratch)), len(FORMATS))  # and nothing is left over

    def test_a_file_is_replaced_with_its_mode_and_a_link_stays(self):
        target, link = f"{self.scratch}/report", f"{self.scratch}/link"
        testing.write(self.scratch, "report", "old")
        os.chmod(target, 0o640)
        os.symlink(target, link)
        self.assertEqual(self.write(link).status, testing.PROBLEM)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o640)
        with open(target, "rb") as file:
            self.assertIn(b"VG302", file.read())

    def test_what_is_no_regular_file_is_written_to(self):
        self.assertEqual(self.write("/dev/null").status, testing.PROBLEM)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_a_file_that_cannot_be_written_is_said(self):
        for target in (f"{self.scratch}/none/report", self.scratch):
            outcome = self.write(target)
            self.assertEqual((outcome.status, outcome.out), (testing.USAGE, b""))
            self.assertIn(f"--output {target}: ", outcome.err.decode())


if __name__ == "__main__":
    testing.run()
