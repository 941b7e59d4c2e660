#!/usr/bin/python3 -B
"""What the doctor makes of the logs of public issue threads, of which the cause is known.

testdata/logs/threads.json has a row for each: what was true, as the maintainers or the
reporter found it, and what the doctor says. Its outcome is "doctor": the first root cause,
or the verdict where there is none. It is right where that is the cause (`code`), or where
`right_because` says why a log alone allows no more; else the row has `wrong_because`.
"""

import json
import os
import re
import unittest

import doctor_testing as testing

LOGS = os.path.realpath("testdata/logs")

with open(os.path.join(LOGS, "threads.json"), encoding="utf-8") as _file:
    THREADS = json.load(_file)


def judge(thread):
    report, _ = testing.check_json("--log", os.path.join(LOGS, thread["file"]))
    return report


def outcome(report):
    roots = testing.codes(report, "root_causes")
    return roots[0] if roots else report["verdict"]


def is_right(thread):
    expected = thread["code"]
    if expected in ("VG901", "VG507", "VG515") and thread["doctor"] == "healthy":
        return True  # notes: the GPU is used
    return thread["doctor"] == expected or "right_because" in thread


class Threads(unittest.TestCase):
    def test_each_log_has_the_outcome_that_is_recorded(self):
        for thread in THREADS:
            with self.subTest(file=thread["file"]):
                report = judge(thread)
                self.assertEqual(outcome(report), thread["doctor"])
                self.assertEqual(report["subject"]["era"],
                                 thread.get("era_seen", thread["era"]))

    def test_nothing_certain_or_likely_is_another_cause(self):
        # VG704, VG707 and VG902 say what was seen, and not why.
        seen = {"VG704", "VG707", "VG902"}
        for thread in THREADS:
            if "wrong_because" in thread:
                continue
            with self.subTest(file=thread["file"]):
                sure = {item["code"] for item in judge(thread)["root_causes"]
                        if item["confidence"] != "possible"}
                self.assertLessEqual(sure - seen, {thread["code"]})

    def test_each_says_how_to_see_more(self):
        for thread in THREADS:
            with self.subTest(file=thread["file"]):
                self.assertTrue(judge(thread)["not_observed"][0]["how"])

    def test_no_row_is_without_its_log_and_no_log_without_its_row(self):
        rows = [thread["file"] for thread in THREADS]
        files = [name for name in os.listdir(LOGS) if name.endswith(".txt")]
        self.assertEqual(sorted(rows), sorted(files))
        for thread in THREADS:
            number = re.search(r"/issues/(\d+)$", thread["thread"]).group(1)
            self.assertTrue(thread["file"].startswith(number + "-"))
            self.assertNotEqual(is_right(thread), "wrong_because" in thread, thread["file"])

    def test_the_table(self):
        print(f"{'thread':8}{'era':5}{'was':22}{'doctor':14}{'':7}what was true")
        for thread in THREADS:
            print(f"{thread['file'].split('-')[0]:8}{thread['era']:5}{thread['code']:22}"
                  f"{thread['doctor']:14}{'right' if is_right(thread) else 'WRONG':7}"
                  f"{thread['true_cause']}")
        right = sum(is_right(thread) for thread in THREADS)
        print(f"{len(THREADS)} logs: {right} right, {len(THREADS) - right} wrong")


if __name__ == "__main__":
    testing.run()
