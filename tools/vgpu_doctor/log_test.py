#!/usr/bin/python3 -B
"""`check --log`: a log alone, from a file and from a pipe, in other forms, and cut anywhere."""

import json
import os
import re
import subprocess
import unittest

import doctor_testing as testing

LOG = f"{testing.LOGS}/journal.txt"


def judge(text, *arguments):
    """The report on a log that comes through a pipe."""
    done = subprocess.run(
        [testing.DOCTOR, "check", "--log", "-", "--format", "json", *arguments],
        input=text if isinstance(text, bytes) else text.encode(), capture_output=True,
        env=testing.ENVIRONMENT, timeout=60, check=False)
    return testing.parse_report(
        testing.Outcome(done.returncode, done.stdout, done.stderr, 0))


def read():
    with open(LOG, encoding="utf-8") as file:
        return file.read()


def gist(report):
    """What does not depend on the form that the log came in."""
    return (report["verdict"], testing.codes(report, "root_causes"), report["subject"]["era"],
            report["subject"]["ollama_version"])


class Log(unittest.TestCase):
    def test_a_log_that_shows_its_cause(self):
        report, outcome = testing.check_json("--log", LOG)
        self.assertEqual(outcome.status, testing.PROBLEM)
        self.assertEqual(report["host"]["source"], "log")
        self.assertEqual(testing.codes(report, "root_causes"), ["VG507"])
        self.assertEqual(report["subject"]["era"], "B")
        self.assertEqual(report["subject"]["ollama_version"], "0.16.2")

    def test_it_says_what_a_log_proves_and_what_would_settle_the_rest(self):
        report = judge(read())
        beyond = report["not_observed"][0]
        self.assertIn("only a log was given", beyond["why"])
        self.assertTrue(beyond["how"])
        # One item for all that no log shows, not one for every rule.
        self.assertLess(len(report["not_observed"]), 12)

    def test_the_text_says_how_much_it_proves_in_the_zone_of_the_log(self):
        text = testing.doctor("check", "--log", LOG).out.decode()
        self.assertIn("only a log was given: it proves what its lines say", " ".join(text.split()))
        self.assertIn("Time line in the zone -05:00", text)

    def test_what_systemd_passes_over_is_named_and_stands_in_the_time_line(self):
        line = ("Feb 26 06:13:20 test10 systemd[1]: /etc/systemd/system/ollama.service.d/vgpu.conf:3:"
                " Invalid environment assignment, ignoring: /usr/lib64/libvgpu-cuda.so\n")
        text = line + read().replace("CUDA_VISIBLE_DEVICES:-1", "CUDA_VISIBLE_DEVICES:")
        text = "".join(part for part in text.splitlines(keepends=True) if "overrode" not in part)
        report = judge(text, "--verbose")
        self.assertEqual(testing.codes(report, "root_causes"), ["VG206"])
        told = [event for event in report["timeline"]
                if "Invalid environment assignment" in event["event"]]
        self.assertEqual([event["time"][:19] for event in told], ["2026-02-26T06:13:20"])

    def test_every_form_gives_the_same_diagnosis(self):
        text = read()
        plain = re.sub(r"(?m)^\S+ +\d+ \S+ \S+ \S+: ", "", text)
        records = [line for line in plain.splitlines() if line.startswith("time=")]
        forms = {
            "fenced": "```\n" + text + "```\n",
            "quoted": re.sub(r"(?m)^", "> ", text),
            "french": text.replace("Feb 26", "févr. 26"),
            "windows": text.replace("\n", "\r\n"),
            "coloured": re.sub(r"(?m)^(.*)$", "\x1b[1m\\1\x1b[0m", text),
            "docker": "".join(line + "\n" for line in records),
            "docker -t": "".join(f"2026-02-26T11:13:22.1Z {line}\n" for line in records),
            "compose": "".join(f"ollama-1  | {line}\n" for line in records),
            "journal json": "".join(json.dumps({"MESSAGE": line, "SYSLOG_IDENTIFIER": "ollama"})
                                    + "\n" for line in records),
            "wrapped": "".join(line[i:i + 100] + "\n" for line in text.splitlines()
                               for i in range(0, len(line), 100)),
        }
        for name, form in forms.items():
            with self.subTest(form=name):
                self.assertEqual(gist(judge(form)), gist(judge(text)))
        with self.subTest(form="utf-16"):
            self.assertEqual(gist(judge(text.encode("utf-16"))), gist(judge(text)))

    def test_a_log_that_is_cut_anywhere_is_no_fault_of_the_tool(self):
        text = read().encode()
        for at in range(0, len(text), 97):
            for part in (text[:at], text[at:]):
                report = judge(part)
                self.assertLessEqual(set(testing.codes(report, "root_causes")),
                                     {"VG507", "VG704"})

    def test_what_is_no_log_proves_nothing(self):
        for text in ("", "hello\n", "\0" * 1000, os.urandom(4096)):
            report = judge(text)
            self.assertEqual(report["verdict"], "inconclusive")
            self.assertIn("proves nothing", report["headline"])

    def test_older_lines_are_left_out_when_asked_for(self):
        report = judge(read(), "--since", "2026-02-27")
        self.assertEqual(report["verdict"], "inconclusive")

    def test_what_cannot_be_read_is_refused(self):
        for arguments, says in ((["--log", "/nowhere/x"], "no such file"),
                                (["--log", "/"], "is a directory"),
                                (["--log", LOG, "--root", "/"], "--root"),
                                (["--log", LOG, "--since", "soon"], "2h ago")):
            outcome = testing.doctor("check", *arguments)
            self.assertEqual(outcome.status, testing.USAGE, arguments)
            self.assertEqual(outcome.out, b"")
            self.assertIn(says, outcome.err.decode())


if __name__ == "__main__":
    testing.run()
